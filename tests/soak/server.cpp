// The server that is soaked: echoes, and a room for each loop where everybody gets what anybody says, numbered. One port in
// plain with two loops, one with TLS. Tells what it has counted and what it holds whenever it is sent a line, and stops at the
// end of its input.

#include <wsio/wsio.hpp>

#include "../heap_in_use.hpp"

#include <fmt/core.h>

#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_set>
#include <utility>

namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

asio::awaitable<void> echo(wsio::socket socket) {
    while (auto message = co_await socket.receive())
        if (!co_await socket.send(*message)) break;
}

// Whoever is in the room gets all numbers without a gap, or is put out because it reads too slowly.
asio::awaitable<void> room(wsio::socket socket) {
    static thread_local std::unordered_set<wsio::socket> members;
    static thread_local std::uint64_t last = 0;
    members.insert(socket);
    while (auto message = co_await socket.receive()) {
        auto const said = fmt::format("{} {}", ++last, message->text());
        for (auto each : members) each.write(said);
    }
    members.erase(socket);
}

asio::awaitable<void> handle(wsio::socket socket) {
    return socket.request().path() == "/room" ? room(std::move(socket)) : echo(std::move(socket));
}

void say(const std::string& line) {
    static std::mutex one_at_a_time;
    std::lock_guard const lock(one_at_a_time);
    fmt::print("{}\n", line);
    std::fflush(stdout);
}

wsio::options options(std::shared_ptr<wsio::monitor> monitor, const char* name, int patience) {
    return {.host = "127.0.0.1",
            .on_listening = [name](const wsio::endpoint& at) { say(fmt::format("{} {}", name, at.port)); },
            .monitor = std::move(monitor),
            .limits = {.message_size = 256 * 1024, .read_ahead = 64 * 1024, .outbox = 64 * 1024},
            .timeouts = {.handshake = patience * 2s,
                         .close = patience * 1s,
                         .ping = patience * 2s,
                         .pong = patience * 2s,
                         .idle = patience * 6s},
            .compression = {.mode = wsio::compression_mode::dedicated, .threshold = 64}};
}

std::string figures(const wsio::statistics& now) {
    return fmt::format(
        R"({{"open": {}, "total": {}, "received": {}, "sent": {}, "messages_waiting": {}, "bytes_waiting": {}, )"
        R"("tls_failures": {}, "heap": {}}})",
        now.connections().open, now.connections().total, now.messages_received, now.messages_sent, now.messages_waiting,
        now.bytes_waiting, now.tls_failures, wsio::test::heap_in_use());
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) {
        fmt::print(stderr, "usage: wsio_soak_server CERTIFICATE KEY PATIENCE\n");
        return 2;
    }
    int const patience = std::atoi(argv[3]);
    auto const monitor = std::make_shared<wsio::monitor>();
    auto plain = options(monitor, "plain", patience);
    plain.threads = 2;
    auto secure = options(monitor, "secure", patience);
    secure.threads = 1;
    secure.tls = wsio::tls({.certificate = argv[1], .key = argv[2]});
    std::jthread const serving_plain([&] { wsio::serve(0, handle, std::move(plain)); });
    std::jthread const serving_secure([&] { wsio::serve(0, handle, std::move(secure)); });
    for (std::string line; std::getline(std::cin, line);) say(figures(monitor->statistics()));
    ::kill(::getpid(), SIGTERM);
}
