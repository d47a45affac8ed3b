#include "memory/heap.hpp"

#include "protocol/hybi_frames.hpp"

#include <wsio/wsio.hpp>

#include <boost/asio.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <chrono>
#include <csignal>
#include <future>
#include <string>
#include <string_view>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

// What a message and an idle connection take from the heap. One thread is both ends, or `serve` has a thread of its own;
// nothing here allocates while it is counted but the server.

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using namespace std::chrono_literals;
using wsio::test::heap_now;

constexpr std::string_view request =
    "GET / HTTP/1.1\r\nHost: localhost:9001\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

asio::awaitable<void> echo(wsio::socket socket) {
    while (auto message = co_await socket.receive()) co_await socket.send(*message);
}

/// A server whose one connection echoes, and the client's end of it, on one loop.
class conversation {
public:
    explicit conversation(wsio::options options = {}) : server_(listen(context_, options)) {
        server_.on_connection(
            [this](wsio::socket socket) { asio::co_spawn(context_, echo(std::move(socket)), asio::detached); });
        client_.connect({asio::ip::address_v4::loopback(), server_.port()});
        client_.native_non_blocking(true);
        write(request);
        std::string head;
        while (!head.ends_with("\r\n\r\n")) head += static_cast<char>(read(1).front());
    }

    /// Sends `frames` and takes an answer of `size` bytes.
    void exchange(std::string_view frames, std::size_t size) {
        while (size != 0) {
            frames.remove_prefix(write(frames));
            auto const got = read(size);
            size -= got.size();
        }
    }

private:
    static wsio::server listen(asio::io_context& context, wsio::options options) {
        options.host = "127.0.0.1";
        return wsio::listen(context.get_executor(), 0, options);
    }

    std::size_t write(std::string_view bytes) {
        auto const written = ::write(client_.native_handle(), bytes.data(), bytes.size());
        return written < 0 ? 0 : static_cast<std::size_t>(written);
    }

    /// Lets the loop turn until there is something.
    std::string_view read(std::size_t most) {
        for (;;) {
            auto const got = ::read(client_.native_handle(), buffer_.data(), std::min(most, buffer_.size()));
            BOOST_REQUIRE(got != 0);
            if (got > 0) return {buffer_.data(), static_cast<std::size_t>(got)};
            context_.restart();
            context_.run_one_for(10ms);
            context_.poll();
        }
    }

    std::vector<char> buffer_ = std::vector<char>(1 << 20);
    asio::io_context context_{1};
    wsio::server server_;
    tcp::socket client_{context_};
};

/// Gives how many allocations 500 exchanges cost, when some have gone before.
std::size_t allocations_of_exchanges(conversation& talk, std::string_view frames, std::size_t answer) {
    for (int i = 0; i < 20; ++i) talk.exchange(frames, answer);
    auto const before = heap_now().allocations;
    for (int i = 0; i < 500; ++i) talk.exchange(frames, answer);
    return heap_now().allocations - before;
}

std::string repeated(std::string_view text, int count) {
    std::string all;
    for (int i = 0; i < count; ++i) all += text;
    return all;
}

}  // namespace

using wsio::protocol::test::frame;
using wsio::protocol::test::letters;

BOOST_AUTO_TEST_SUITE(memory)

BOOST_AUTO_TEST_CASE(the_count_counts) {
    auto const before = heap_now();
    std::array<char, 1000>* volatile taken = new std::array<char, 1000>();  // volatile, or clang does without it
    BOOST_TEST(heap_now().allocations == before.allocations + 1);
    BOOST_TEST(heap_now().in_use >= before.in_use + 1000);
    delete taken;
    BOOST_TEST(heap_now().in_use == before.in_use);
}

BOOST_AUTO_TEST_CASE(a_small_message_allocates_nothing) {
    conversation talk;
    BOOST_TEST(allocations_of_exchanges(talk, frame(0x81, letters(16)), 2 + 16) == 0U);
    BOOST_TEST(allocations_of_exchanges(talk, frame(0x82, letters(1024)), 4 + 1024) == 0U);
}

BOOST_AUTO_TEST_CASE(pipelined_messages_allocate_nothing) {
    conversation talk;
    auto const frames = repeated(frame(0x81, letters(16)), 32);
    BOOST_TEST(allocations_of_exchanges(talk, frames, 32 * (2 + 16)) == 0U);
}

BOOST_AUTO_TEST_CASE(pings_allocate_nothing) {
    conversation talk;
    BOOST_TEST(allocations_of_exchanges(talk, frame(0x89, "ping"), 2 + 4) == 0U);
}

// The kernel cuts large messages as it likes, and each may need a buffer of its own size; more it may not need.
BOOST_AUTO_TEST_CASE(a_large_message_allocates_its_payload_at_most) {
    conversation talk;
    constexpr std::size_t size = 1 << 20;
    talk.exchange(frame(0x82, letters(size)), 10 + size);
    auto const frames = frame(0x82, letters(size));
    auto const before = heap_now().allocations;
    for (int i = 0; i < 50; ++i) talk.exchange(frames, 10 + size);
    BOOST_TEST(heap_now().allocations - before <= 50U);
}

static void find_no_memory() {
    asio::io_context context(1);
    auto server = wsio::listen(context.get_executor(), 0, {.host = "127.0.0.1"});
    std::string cause;
    server.on_connection([&](wsio::socket socket) {
        socket.on_message([socket](const wsio::message& received) mutable { socket.write(received); });
        socket.on_close([&](const wsio::status& status) { cause = status.cause; });
    });
    auto const open = [&](std::string_view first) {
        tcp::socket client(context);
        client.connect({asio::ip::address_v4::loopback(), server.port()});
        asio::write(client, asio::buffer(std::string(request) + std::string(first)));
        context.restart();
        context.run_for(20ms);
        return client;
    };
    auto other = open("");
    auto const large = frame(0x82, letters(200'000));
    auto greedy = open("");
    greedy.non_blocking(true);
    {
        wsio::test::scarce_memory const scarce(100'000);
        for (std::string_view rest = large; cause.empty();) {
            boost::system::error_code ec;
            rest.remove_prefix(greedy.write_some(asio::buffer(rest.substr(0, 50'000)), ec));
            context.restart();
            BOOST_REQUIRE_NO_THROW(context.run_for(10ms));
            BOOST_REQUIRE(!rest.empty());
        }
        BOOST_TEST(cause == "no memory was left for it");
        asio::write(other, asio::buffer(frame(0x81, "hello")));
        context.restart();
        context.run_for(20ms);
    }
    std::array<char, 1024> answer{};
    auto const size = other.read_some(asio::buffer(answer));
    BOOST_TEST(std::string_view(answer.data(), size).ends_with("hello"));
}

// On a thread of its own, which has kept no memory of other messages.
BOOST_AUTO_TEST_CASE(a_message_that_finds_no_memory_ends_its_connection_alone) {
    std::async(std::launch::async, find_no_memory).get();
}

// With the coroutine that echoes, and the request that is kept: what malloc gives for all of it.
BOOST_AUTO_TEST_CASE(an_idle_connection_costs_little) {
    std::promise<std::uint16_t> port;
    auto serving = std::async(std::launch::async, [&] {
        wsio::serve(0, echo,
                    {.host = "127.0.0.1",
                     .on_listening = [&](const wsio::endpoint& at) { port.set_value(at.port); },
                     .threads = 1});
    });
    constexpr std::size_t count = 400;
    constexpr std::size_t most = 1000;
    // Bare descriptors, so that the clients take nothing from the heap.
    std::vector<int> clients;
    clients.reserve(2 * count);
    std::array<char, 256> answer{};
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(port.get_future().get());
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto const ask = [&](int client, std::string_view what, std::size_t size) {
        BOOST_REQUIRE(::send(client, what.data(), what.size(), 0) == static_cast<ssize_t>(what.size()));
        BOOST_REQUIRE(::recv(client, answer.data(), answer.size(), 0) >= static_cast<ssize_t>(size));
    };
    auto const hello = frame(0x81, "hello");
    auto const open = [&](std::size_t how_many) {
        for (std::size_t i = 0; i < how_many; ++i) {
            auto const client = clients.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
            BOOST_REQUIRE(::connect(client, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0);
            ask(client, request, 100);
            ask(client, hello, 7);  // an echo: the coroutine has run and waits again
        }
    };
    open(count);  // what grows with the first connections has grown
    auto const before = heap_now().in_use;
    open(count);
    auto const each = (heap_now().in_use - before) / count;
    BOOST_TEST_MESSAGE("an idle connection costs " << each << " bytes");
    BOOST_TEST(each <= most);
    BOOST_TEST(each >= 500U);  // or this counts nothing
    ::kill(::getpid(), SIGTERM);
    for (int const client : clients) ::close(client);
    BOOST_REQUIRE(serving.wait_for(10s) == std::future_status::ready);
}

BOOST_AUTO_TEST_SUITE_END()
