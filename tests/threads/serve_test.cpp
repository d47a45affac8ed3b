#include "io/tls_client.hpp"
#include "threads/serving.hpp"

#include <algorithm>
#include <atomic>
#include <future>
#include <map>
#include <mutex>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <vector>

#include <csignal>
#include <cstdio>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace wsio::test;
using wsio::close_code;
using wsio::ended_by;
using wsio::protocol_version;

namespace {

// Lets this process have one thread more, and no second one.
bool allow_one_more_thread() {
    rlimit allowed{};
    if (::getrlimit(RLIMIT_NPROC, &allowed) != 0 || (::getuid() == 0 && ::setuid(65534) != 0)) return false;
    for (allowed.rlim_cur = 1; allowed.rlim_cur < 100'000; ++allowed.rlim_cur) {
        if (::setrlimit(RLIMIT_NPROC, &allowed) != 0) return false;
        try {
            std::thread([] {}).join();
            return true;
        } catch (const std::system_error&) {
            // There are as many already.
        }
    }
    return false;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(threads_serve)

BOOST_AUTO_TEST_CASE(a_handler_that_returns_closes_with_1000) {
    serving server([](wsio::socket socket) -> awaitable<void> { co_await socket.receive(); }, {.threads = 1});
    auto client = server.connect();
    client.send(frame(text_frame, "a")).expect(server_close(1000)).send(close_frame(1000)).expect_end();
}

BOOST_AUTO_TEST_CASE(a_handler_that_returns_closes_even_when_a_handle_is_kept) {
    std::mutex mutex;
    auto kept = std::vector<wsio::socket>();
    serving server(
        [&](wsio::socket socket) -> awaitable<void> {
            auto const lock = std::lock_guard(mutex);
            kept.push_back(socket);
            co_return;
        },
        {.threads = 1});
    server.connect().expect(server_close(1000)).send(close_frame(1000)).expect_end();
    server.stop();
    auto const lock = std::lock_guard(mutex);
    kept.clear();  // behind the end of the loop that they lived on
}

BOOST_AUTO_TEST_CASE(a_handler_that_throws_ends_its_connection_with_1011_and_no_other) {
    std::atomic<int> reported = 0;
    auto handler = [](wsio::socket socket) -> awaitable<void> {
        while (auto message = co_await socket.receive()) {
            if (message->text() == "throw") throw std::runtime_error("secret detail");
            if (message->text() == "throw an int") throw 42;
            co_await socket.send(*message);
        }
    };
    serving server(handler, {.on_exception =
                                 [&](std::exception_ptr error, const wsio::request& request) {
                                     if (error && request.path() == "/throws") ++reported;
                                 },
                             .threads = 1});
    auto other = server.connect();
    for (auto text : {"throw", "throw an int"}) {
        auto client = server.connect("/throws");
        client.send(frame(text_frame, text));
        auto const answer = client.read_to(number(1011, 2));
        BOOST_TEST(!contains(answer, "secret"));
        client.send(close_frame(1011)).read_all();
        other.send(frame(text_frame, "fine")).expect(server_frame(text_frame, "fine"));
    }
    BOOST_TEST(reported == 2);
}

BOOST_AUTO_TEST_CASE(a_signal_closes_everything_with_1001_and_serve_returns) {
    std::atomic<int> ended = 0;
    serving server(
        [&](wsio::socket socket) -> awaitable<void> {
            while (auto message = co_await socket.receive()) co_await socket.send(*message);
            if (socket.status().by == ended_by::server) ++ended;
        },
        {.threads = 3});
    auto clients = std::vector<client>();
    for (int i = 0; i < 12; ++i) clients.push_back(server.connect());
    server.interrupt();
    for (auto& c : clients) c.expect(server_close(1001, stopping));
    BOOST_TEST(!server.ended());
    for (auto& c : clients) c.send(close_frame(1001)).expect_end();
    BOOST_TEST(server.ended(limit));
    BOOST_TEST(ended == 12);
}

BOOST_AUTO_TEST_CASE(a_second_signal_ends_at_once) {
    serving server(world::echo_back, {.threads = 2});
    auto silent = server.connect();
    server.interrupt();
    silent.expect(server_close(1001, stopping));
    BOOST_TEST(!server.ended());
    server.interrupt();
    BOOST_TEST(server.ended(2s));
}

BOOST_AUTO_TEST_CASE(sigterm_drains_as_the_options_say) {
    std::mutex mutex;
    auto lines = std::vector<std::string>();
    auto const monitor = std::make_shared<wsio::monitor>();
    serving server(world::echo_back, {.log =
                                          [&](wsio::log_level, std::string_view line) {
                                              auto const lock = std::lock_guard(mutex);
                                              lines.emplace_back(line);
                                          },
                                      .monitor = monitor,
                                      .drain = {.deadline = 300ms, .spread = 50ms},
                                      .threads = 2});
    auto silent = std::vector<client>();
    for (int i = 0; i < 4; ++i) silent.push_back(server.connect());
    silent.front().send(frame(text_frame, "a")).expect(server_frame(text_frame, "a"));
    BOOST_TEST(monitor->statistics().connections().open == 4U);
    BOOST_TEST(monitor->statistics().messages_received == 1U);
    auto const begin = std::chrono::steady_clock::now();
    ::kill(::getpid(), SIGTERM);
    BOOST_TEST(server.ended(limit));
    auto const took = std::chrono::steady_clock::now() - begin;
    BOOST_TEST((took >= 290ms && took < 3s));  // the close timeout is 5 s
    for (auto& each : silent) each.expect_last(server_close(1001, stopping));
    BOOST_TEST(monitor->statistics().connections().open == 0U);
    BOOST_TEST((monitor->statistics().endings.at({ended_by::server, close_code::going_away}) == 4U));
    auto const lock = std::lock_guard(mutex);
    auto const count = [&](std::string_view part) {
        return std::count_if(lines.begin(), lines.end(), [&](auto const& line) { return contains(line, part); });
    };
    BOOST_TEST(count("listening on 127.0.0.1:") == 1);
    BOOST_TEST(count("SIGTERM: stopping") == 1);
    BOOST_TEST(count("draining ") == 2);
    BOOST_TEST(count("drained; ") == 2);
    BOOST_TEST(count(": opened /, hybi-13") == 4);
    BOOST_TEST(count(": closed: 1001 going away, ended by the server") == 4);
}

BOOST_AUTO_TEST_CASE(serve_throws_when_the_port_is_taken_or_options_make_no_sense) {
    world w;
    auto const taken = w.listen();
    BOOST_CHECK_EXCEPTION(wsio::serve(taken.port(), world::echo_back, {.host = "127.0.0.1", .threads = 2}),
                          boost::system::system_error,
                          [&](const auto& error) { return contains(error.what(), std::to_string(taken.port())); });
    BOOST_CHECK_THROW(wsio::serve(0, world::echo_back, {.limits = {.message_size = 0}}), std::invalid_argument);
    BOOST_CHECK_THROW(wsio::serve(0, world::echo_back, {.host = "no address"}), std::invalid_argument);
    BOOST_CHECK_THROW(wsio::serve(0, world::echo_back, {.trusted_proxies = {"no address"}}), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(serve_throws_when_a_thread_cannot_be_had) {
    std::fflush(nullptr);         // the thread sanitizer lets the child write, too, what is not written yet
    auto const child = ::fork();  // the limit and the user are for its rest
    if (child == 0) {
        ::alarm(20);  // ends one that hangs
        if (!allow_one_more_thread()) ::_exit(2);
        try {
            wsio::serve(0, world::echo_back, {.host = "127.0.0.1", .threads = 16});
        } catch (const std::system_error&) {
            ::_exit(0);
        }
        ::_exit(1);
    }
    int status = -1;
    BOOST_REQUIRE(::waitpid(child, &status, 0) == child);
    BOOST_TEST(status == 0);
}

BOOST_AUTO_TEST_CASE(many_connections_on_several_threads) {
    serving server(world::echo_back, {.threads = 4});
    auto threads = std::vector<std::future<void>>();
    std::atomic<int> echoed = 0;
    for (int t = 0; t < 4; ++t)
        threads.push_back(std::async(std::launch::async, [&] {
            for (int i = 0; i < 25; ++i) {
                auto client = server.connect();
                for (int m = 0; m < 10; ++m) client.send(frame(text_frame, "a")).expect(server_frame(text_frame, "a"));
                if (i % 2 == 0) client.send(close_frame(1000)).expect_last(server_close(1000));
                ++echoed;
            }
        }));
    for (auto& thread : threads) thread.get();
    BOOST_TEST(echoed == 100);
}

BOOST_AUTO_TEST_CASE(several_threads_share_a_unix_socket) {
    auto const path = "/tmp/wsio-serve-" + std::to_string(::getpid()) + ".sock";
    std::mutex mutex;
    std::map<std::thread::id, int> served;
    {
        serving server(
            [&](wsio::socket socket) -> awaitable<void> {
                {
                    auto const lock = std::lock_guard(mutex);
                    ++served[std::this_thread::get_id()];
                }
                while (auto message = co_await socket.receive()) co_await socket.send(*message);
            },
            {.host = "unix:" + path, .threads = 3});
        auto clients = std::vector<client>();
        for (int i = 0; i < 60; ++i) clients.push_back(server.connect());
        for (auto& c : clients) c.send(frame(text_frame, "a")).expect(server_frame(text_frame, "a"));
        server.interrupt();
        for (auto& c : clients) c.expect(server_close(1001, stopping));
        BOOST_TEST(::access(path.c_str(), F_OK) != 0);  // nobody connects to a server that is draining
        for (auto& c : clients) c.send(close_frame(1001)).expect_end();
        BOOST_TEST(server.ended(limit));
    }
    int all = 0;
    for (auto const& [id, count] : served) all += count;
    BOOST_TEST(all == 60);
}

BOOST_AUTO_TEST_CASE(all_threads_count_connections_together) {
    serving server(world::echo_back, {.limits = {.connections = 5}, .threads = 4});
    auto clients = std::vector<client>();
    for (int i = 0; i < 5; ++i) clients.push_back(server.connect());
    for (int i = 0; i < 8; ++i) BOOST_TEST(status_of(server.raw().read_all()) == 503);
    clients.back().send(close_frame(1000)).expect_last(server_close(1000));
    int status = 503;
    for (int i = 0; i < 100 && status != 101; ++i) {  // the place becomes free when the server has seen the end
        if (i != 0) ::poll(nullptr, 0, 10);
        auto next = server.raw();
        next.send(handshake());
        status = status_of(next.read_to("\r\n\r\n"));
    }
    BOOST_TEST(status == 101);
}

BOOST_AUTO_TEST_CASE(handles_are_copied_and_destroyed_on_other_threads) {
    std::mutex mutex;
    auto handles = std::vector<wsio::socket>();
    serving server(
        [&](wsio::socket socket) -> awaitable<void> {
            {
                auto const lock = std::lock_guard(mutex);
                handles.push_back(socket);
            }
            while (auto message = co_await socket.receive()) co_await socket.send(*message);
        },
        {.threads = 2});
    std::atomic<bool> over = false;
    auto threads = std::vector<std::thread>();
    for (int t = 0; t < 3; ++t)
        threads.emplace_back([&] {
            while (!over) {
                auto mine = std::vector<wsio::socket>();
                {
                    auto const lock = std::lock_guard(mutex);
                    mine = handles;
                    if (handles.size() > 4) handles.erase(handles.begin());
                }
                for (auto& handle : mine) {
                    auto copy = handle;
                    auto moved = std::move(copy);
                    asio::post(moved.get_executor(), [moved]() mutable { moved.write("from afar"); });
                }
                std::this_thread::sleep_for(1ms);
            }
        });
    for (int i = 0; i < 60; ++i) {
        auto client = server.connect();
        client.send(frame(text_frame, "mine")).read_to("mine");
        if (i % 3 == 0) client.send(close_frame(1000)).read_to(server_close(1000));
        if (i % 3 == 1) client.reset();
    }
    over = true;
    for (auto& thread : threads) thread.join();
    server.stop();
    handles.clear();
}

BOOST_AUTO_TEST_CASE(the_last_handle_may_go_on_another_thread) {
    world w;
    auto server = w.listen();
    auto client = connect(w, server.port());
    auto last = w.accept(server);
    auto thread = std::thread([handle = std::move(last)]() mutable { handle = wsio::socket(); });
    client.expect(server_close(1000)).send(close_frame(1000)).expect_end();
    thread.join();
    BOOST_TEST(w.until([&] { return server.clients_count() == 0; }));
}

BOOST_AUTO_TEST_CASE(a_loop_may_be_destroyed_with_everything_under_way) {
    auto witness = std::make_shared<int>();
    auto survivor = wsio::socket();
    auto lonely = std::optional<wsio::server>();
    {
        world w;
        auto server = w.listen({.limits = {.outbox = 1000}});
        lonely = server;
        w.serve(server, [witness](wsio::socket socket) -> awaitable<void> {
            auto const kept = witness;
            if (socket.request().path() == "/sleep") co_await world::sleep(1h);
            if (socket.request().path() == "/send") co_await socket.send(letters(20'000'000));
            if (socket.request().path() == "/close") co_await socket.close();
            if (socket.request().path() == "/callback") {
                socket.on_message([socket, kept](const wsio::message&) {}).on_close([socket, kept](const auto&) {});
                co_return;
            }
            co_await socket.receive();
        });
        auto clients = std::vector<client>();
        for (auto path : {"/sleep", "/send", "/close", "/callback", "/receive"}) {
            clients.push_back(connect(w, server.port(), protocol_version::hybi_13, path));
            clients.back().send(frame(0x01, "half a message"));
        }
        clients.emplace_back(w, server.port()).send("GET / HT");
        w.turn_for(20ms);
        survivor = server.clients().begin()->second;
    }
    lonely.reset();
    BOOST_TEST(survivor.request().path() == "/sleep");
    survivor = wsio::socket();
    BOOST_TEST(witness.use_count() == 1);
}

BOOST_FIXTURE_TEST_CASE(sighup_reads_the_certificates_again_and_says_so, secure_world) {
    std::mutex mutex;
    std::string lines;
    auto const said = [&](std::string_view what) {
        for (auto const end = std::chrono::steady_clock::now() + limit; std::chrono::steady_clock::now() < end;) {
            {
                auto const lock = std::lock_guard(mutex);
                if (contains(lines, what)) return true;
            }
            ::poll(nullptr, 0, 1);
        }
        return false;
    };
    serving server(world::echo_back, {.log =
                                          [&](wsio::log_level level, std::string_view line) {
                                              auto const lock = std::lock_guard(mutex);
                                              lines += std::string(to_string(level)) + ' ' + std::string(line) + '\n';
                                          },
                                      .tls = tls(),
                                      .threads = 1});
    ::kill(::getpid(), SIGHUP);
    BOOST_TEST(said("info SIGHUP: the certificates were read again"));
    folder.write("server.pem", "no certificate");
    folder.write("server.key", "no key");
    ::kill(::getpid(), SIGHUP);
    BOOST_TEST(said("the certificates from before stay in use"));
    auto const lock = std::lock_guard(mutex);
    BOOST_TEST(contains(lines, "error "), lines);
}

BOOST_AUTO_TEST_SUITE_END()
