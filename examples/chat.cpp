// A chat room: an accept loop, one coroutine for each guest, and write() to tell everybody. All run on one loop, so the
// room needs no lock. The first message that a guest sends is the name.
//
//     wsio_chat --port 3000
//     python3 -m websockets ws://localhost:3000/

#include "arguments.hpp"

#include <wsio/wsio.hpp>

#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_future.hpp>
#include <fmt/core.h>

#include <unordered_set>

namespace {

namespace asio = boost::asio;

using guests = std::unordered_set<wsio::socket>;

// Queues a line for each guest and goes on: nobody waits for a slow reader, whom the library closes in the end (1013).
void tell_all(const guests& room, std::string_view line) {
    for (auto guest : room) guest.write(line);
}

asio::awaitable<void> chat(wsio::socket socket, guests& room) {
    socket.write("* Hello! Who are you?");
    auto const first = co_await socket.receive();
    if (!first) co_return;
    if (!first->is_text() || first->size() > 24) {
        co_await socket.close(wsio::close_code::policy_violation, "a name has at most 24 bytes");
        co_return;
    }
    auto const name = first->str();

    room.insert(socket);
    tell_all(room, fmt::format("* {} has come, speaking {}", name, socket.protocol_version()));
    while (auto message = co_await socket.receive())
        if (message->is_text()) tell_all(room, fmt::format("{}: {}", name, message->text()));
    room.erase(socket);
    tell_all(room, fmt::format("* {} has gone", name));
    fmt::print("{}: {}\n", name, socket.status());
}

asio::awaitable<void> stop_on_signal(wsio::server server) {
    auto signals = asio::signal_set(server.get_executor(), SIGINT, SIGTERM);
    co_await signals.async_wait(asio::use_awaitable);
    co_await server.drain();
}

asio::awaitable<void> run(std::uint16_t port, std::string host, guests& room) {
    auto const options = wsio::options{.host = host, .log = wsio::print_log, .limits = {.message_size = 4096}};
    auto server = co_await wsio::listen(port, options);
    fmt::print("wsio_chat listens on {}\n", server.local_endpoint());
    asio::co_spawn(server.get_executor(), stop_on_signal(server), asio::detached);
    while (auto socket = co_await server.accept())
        asio::co_spawn(socket->get_executor(), chat(*socket, room), asio::detached);
}

}  // namespace

int main(int argc, char** argv) try {
    auto const arguments = examples::arguments(argc, argv, "A chat room; your first message is your name.",
                                               {{"--port", "3000", "port to listen on, 0 for any free one"},
                                                {"--host", "", "address to listen on; every address when not given"}});
    auto room = guests();
    auto context = asio::io_context(1);
    auto result = asio::co_spawn(
        context, run(arguments.number<std::uint16_t>("--port"), arguments.text("--host"), room), asio::use_future);
    context.run();
    result.get();
} catch (const std::exception& error) {
    fmt::print(stderr, "wsio_chat: {}\n", error.what());
    return 1;
}
