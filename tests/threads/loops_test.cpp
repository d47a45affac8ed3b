#include "io/tls_client.hpp"
#include "threads/serving.hpp"

#include <atomic>
#include <future>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

// What is promised across threads, all at once: to be run under the thread sanitizer (preset "thread").

using namespace wsio::test;
using wsio::close_code;
using wsio::ended_by;

namespace {

using executor_guard = asio::executor_work_guard<asio::io_context::executor_type>;

/// An io_context with a thread of its own.
class loop_thread {
public:
    loop_thread() = default;
    ~loop_thread() {
        if (thread_.joinable()) join();
    }

    [[nodiscard]] asio::any_io_executor executor() { return context_->get_executor(); }

    /// Runs `what` on the thread and gives its value.
    template <typename Function>
    auto run(Function what) {
        return asio::post(executor(), std::packaged_task<decltype(what())()>(std::move(what))).get();
    }

    /// Ends the thread; the io_context stays.
    void join() {
        context_->stop();
        thread_.join();
    }

    /// Destroys the io_context, with all that lives on it.
    void destroy() {
        if (thread_.joinable()) join();
        work_.reset();
        context_.reset();
    }

private:
    std::unique_ptr<asio::io_context> context_ = std::make_unique<asio::io_context>(1);
    std::optional<executor_guard> work_{context_->get_executor()};
    std::thread thread_{[this] { context_->run(); }};
};

wsio::server listen(loop_thread& loop, wsio::options options = {}) {
    return loop.run([&] {
        options.host = "127.0.0.1";
        auto server = wsio::listen(loop.executor(), 0, options);
        server.on_connection([](wsio::socket socket) {
            auto const executor = socket.get_executor();
            asio::co_spawn(executor, world::echo_back(std::move(socket)), asio::detached);
        });
        return server;
    });
}

client connect_to(std::uint16_t port) {
    client made(port, [] { ::poll(nullptr, 0, 1); });
    made.send(handshake()).read_to("\r\n\r\n");
    return made;
}

void echo_once(client& c, std::string_view text) {
    c.send(frame(text_frame, text)).expect(server_frame(text_frame, text));
}

/// Runs `body(i)` on `count` threads; an exception of one is the caller's.
template <typename Body>
void on_threads(int count, Body body) {
    std::vector<std::future<void>> all;
    for (int i = 0; i < count; ++i) all.push_back(std::async(std::launch::async, [&body, i] { body(i); }));
    for (auto& each : all) each.get();
}

/// Does `body` again and again on a thread of its own, as long as the object lives.
class meanwhile {
public:
    explicit meanwhile(std::function<void()> body)
        : thread_([this, body = std::move(body)] {
              while (!over_) {
                  body();
                  std::this_thread::sleep_for(200us);
              }
          }) {}
    meanwhile(const meanwhile&) = delete;
    meanwhile& operator=(const meanwhile&) = delete;
    ~meanwhile() {
        over_ = true;
        thread_.join();
    }

private:
    std::atomic<bool> over_ = false;
    std::thread thread_;
};

/// Connects with TLS and has one message come back.
void echo_secretly(client tcp, const tls_peer::settings& settings, std::string_view text) {
    tls_peer tls(settings);
    auto const flush = [&] {
        if (auto const bytes = tls.drain(); !bytes.empty()) tcp.send(bytes);
    };
    while (!tls.shake_hands()) {
        flush();
        tls.feed(tcp.read_some());
    }
    std::string got;
    auto const exchange = [&](std::string_view out, std::string_view mark) {
        tls.write(out);
        flush();
        for (got.clear(); !contains(got, mark); got += tls.read()) tls.feed(tcp.read_some());
    };
    exchange(handshake(), "\r\n\r\n");
    exchange(frame(text_frame, text), server_frame(text_frame, text));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(threads_loops)

BOOST_AUTO_TEST_CASE(statistics_are_read_while_the_loops_count) {
    auto const monitor = std::make_shared<wsio::monitor>();
    std::atomic<bool> shrank = false;
    {
        serving server(world::echo_back, {.monitor = monitor, .threads = 3});
        wsio::statistics before;
        meanwhile const reading([&] {
            auto const now = monitor->statistics();
            if (now.messages_received < before.messages_received || now.bytes_sent < before.bytes_sent ||
                now.connections().total < before.connections().total || now.to_prometheus().empty())
                shrank = true;
            before = now;
        });
        on_threads(3, [&](int) {
            for (int i = 0; i < 20; ++i) {
                auto client = server.connect();
                for (int m = 0; m < 5; ++m) echo_once(client, "hello");
                if (i % 2 == 0) client.send(close_frame(1000)).expect_last(server_close(1000));
            }
        });
    }
    BOOST_TEST(!shrank);
    auto const sum = monitor->statistics();
    BOOST_TEST(sum.messages_received == 300U);
    BOOST_TEST(sum.messages_sent == 300U);
    BOOST_TEST(sum.connections().total == 60U);
    BOOST_TEST(sum.connections().open == 0U);
}

BOOST_AUTO_TEST_CASE(a_server_is_stopped_from_several_threads_while_clients_come) {
    loop_thread loop;
    auto const server = listen(loop);
    auto const port = loop.run([&] { return server.port(); });
    std::vector<client> clients;
    for (int i = 0; i < 10; ++i) clients.push_back(connect_to(port));
    std::atomic<bool> over = false;
    auto late = std::async(std::launch::async, [&] {
        while (!over) {
            try {
                auto client = connect_to(port);
                echo_once(client, "late");
            } catch (const std::exception&) {  // refused, or closed with 1001: the server stops
            }
        }
    });
    for (auto& each : clients) echo_once(each, "before");
    on_threads(3, [&](int) {
        auto handle = server;
        for (int i = 0; i < 20; ++i) {
            handle.stop();
            if (handle.statistics().connections().total < 10) throw std::runtime_error("connections were forgotten");
        }
    });
    for (auto& each : clients) each.expect(server_close(1001, stopping)).send(close_frame(1001)).expect_end();
    over = true;
    late.get();
    bool ended = false;
    for (int i = 0; i < 1000 && !ended; ++i, ::poll(nullptr, 0, 5)) ended = server.statistics().connections().open == 0;
    BOOST_TEST(ended);
    loop.destroy();
}

BOOST_AUTO_TEST_CASE(connections_are_handed_over_from_other_threads) {
    loop_thread loop;
    auto server = loop.run([&] {
        wsio::server made(loop.executor());
        made.on_connection([](wsio::socket socket) {
            auto const executor = socket.get_executor();
            asio::co_spawn(executor, world::echo_back(std::move(socket)), asio::detached);
        });
        return made;
    });
    on_threads(3, [&](int) {
        asio::io_context context;
        asio::ip::tcp::acceptor acceptor(context, {asio::ip::address_v4::loopback(), 0});
        for (int i = 0; i < 20; ++i) {
            client guest(acceptor.local_endpoint().port(), [] { ::poll(nullptr, 0, 1); });
            auto copy = server;
            copy.handle_upgrade(upgrade_request(), acceptor.accept(), frame(text_frame, "early"));
            guest.read_to("\r\n\r\n");
            guest.expect(server_frame(text_frame, "early"));
            echo_once(guest, "hello");
        }
    });
    BOOST_TEST(server.statistics().connections().total == 60U);
    loop.destroy();
}

BOOST_FIXTURE_TEST_CASE(certificates_are_read_again_while_clients_shake_hands, secure_world) {
    auto const identity = tls();
    serving server(world::echo_back, {.tls = identity, .threads = 2});
    std::atomic<int> reloads = 0;
    meanwhile const reloading([&] {
        identity.reload();
        ++reloads;
    });
    on_threads(3, [&](int) {
        for (int i = 0; i < 8; ++i) echo_secretly(server.raw(), trusting, "hello");
    });
    BOOST_TEST(reloads > 0);
}

BOOST_AUTO_TEST_CASE(everybody_tells_everybody_across_loops) {
    constexpr int people = 6;
    constexpr int words = 30;
    std::mutex mutex;
    std::vector<wsio::socket> room;
    {
        serving server(
            [&](wsio::socket socket) -> awaitable<void> {
                {
                    auto const lock = std::lock_guard(mutex);
                    room.push_back(socket);
                }
                while (auto message = co_await socket.receive()) {
                    auto const lock = std::lock_guard(mutex);
                    for (auto& each : room)
                        asio::post(each.get_executor(),
                                   [each, text = std::string(message->text())]() mutable { each.write(text); });
                }
            },
            {.threads = 3});
        std::vector<client> clients;
        for (int i = 0; i < people; ++i) clients.push_back(server.connect());
        for (bool all = false; !all;) {
            auto const lock = std::lock_guard(mutex);
            all = room.size() == people;
        }
        on_threads(people, [&](int me) {
            auto& client = clients[static_cast<std::size_t>(me)];
            for (int i = 0; i < words; ++i)
                client.send(frame(text_frame, std::string(1, static_cast<char>('a' + me)) + std::to_string(i)));
            std::map<char, int> next;
            for (int i = 0; i < people * words; ++i) {
                auto const [head, text] = read_frame(client);
                if (head != text_frame || text.substr(1) != std::to_string(next[text[0]]++))
                    throw std::runtime_error(readable(text) + " came out of order");
            }
        });
        server.stop();
    }
    room.clear();  // behind the end of the loops that they lived on
}

BOOST_AUTO_TEST_CASE(handles_go_while_the_loop_that_they_lived_on_is_destroyed) {
    for (int round = 0; round < 30; ++round) {
        loop_thread loop;
        std::vector<wsio::socket> handles;
        auto server = std::optional(loop.run([&] {
            auto made = wsio::listen(loop.executor(), 0, {.host = "127.0.0.1"});
            made.on_connection([&](wsio::socket socket) { handles.push_back(std::move(socket)); });
            return made;
        }));
        auto const port = loop.run([&] { return server->port(); });
        std::vector<client> clients;
        for (int i = 0; i < 8; ++i) clients.push_back(connect_to(port));
        while (loop.run([&] { return handles.size(); }) != clients.size()) {
        }
        loop.join();
        std::atomic<bool> begin = false;
        auto dropping = std::async(std::launch::async, [&, mine = std::move(handles)]() mutable {
            while (!begin) {
            }
            for (; !mine.empty(); mine.pop_back()) {
                auto const copy = mine.back();
                static_cast<void>(copy.get_executor());
            }
        });
        begin = true;
        loop.destroy();
        dropping.get();
        for (auto& each : clients) each.read_all();
    }
}

BOOST_AUTO_TEST_SUITE_END()
