// The server under attack: small limits, short deadlines, and one path for each way to treat a connection. A second port
// speaks TLS, with the certificate and key that the command line names.

#include <wsio/wsio.hpp>

#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/core.h>

#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <unordered_set>
#include <vector>

namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

asio::awaitable<void> echo(wsio::socket socket) {
    while (auto message = co_await socket.receive())
        if (!co_await socket.send(*message)) break;
}

// Holds the connection and does not receive.
asio::awaitable<void> hold(wsio::socket socket) {
    auto timer = asio::steady_timer(co_await asio::this_coro::executor, 3s);
    co_await timer.async_wait(asio::use_awaitable);
    socket.end();
}

asio::awaitable<void> close_first(wsio::socket socket) { co_await socket.close(wsio::close_code{4000}, "closed"); }

asio::awaitable<void> fail_first(wsio::socket socket) {
    co_await socket.receive();
    throw std::runtime_error("this handler throws");
}

// Every message goes to everyone, with the write that does not wait.
asio::awaitable<void> broadcast(wsio::socket socket) {
    static std::unordered_set<wsio::socket> room;
    room.insert(socket);
    while (auto message = co_await socket.receive())
        for (auto other : room) other.write(*message);
    room.erase(socket);
}

asio::awaitable<void> serve(wsio::server server, wsio::connection_handler handle) {
    auto const report = [](const std::exception_ptr&) {};  // the last handle is gone, so the connection is closed
    while (auto socket = co_await server.accept())
        asio::co_spawn(server.get_executor(), handle(std::move(*socket)), report);
}

asio::awaitable<void> stop_on_signal(wsio::http_server http, wsio::http_server https) {
    auto signals = asio::signal_set(http.get_executor(), SIGINT, SIGTERM);
    co_await signals.async_wait(asio::use_awaitable);
    co_await https.drain(2s);
    co_await http.drain(2s);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        fmt::print(stderr, "usage: wsio_attack_server CERTIFICATE KEY\n");
        return 2;
    }
    auto context = asio::io_context(1);
    auto const limits = wsio::limits{.head_size = 8 * 1024,
                                     .header_count = 50,
                                     .body_size = 1024,
                                     .message_size = 64 * 1024,
                                     .fragments = 100,
                                     .read_ahead = 32 * 1024,
                                     .outbox = 64 * 1024};
    auto const timeouts = wsio::timeouts{.handshake = 1s, .close = 500ms};

    auto served = std::vector<wsio::server>();
    // Says how many WebSockets are open, so that the attacker sees what it left behind.
    auto const count = [&served](const wsio::request& request) -> asio::awaitable<wsio::http_response> {
        std::size_t open = 0;
        for (auto const& server : served) open += server.clients_count();
        co_return wsio::http_response{.status = request.path() == "/open" ? 200U : 404U, .body = std::to_string(open)};
    };
    auto http =
        wsio::http_server(context.get_executor(), count, {.host = "127.0.0.1", .limits = limits, .timeouts = timeouts});
    auto const add = [&](std::string path, wsio::connection_handler handle) {
        served.push_back(attach(
            http,
            {.path = std::move(path), .subprotocols = {"chat", "superchat"}, .limits = limits, .timeouts = timeouts}));
        asio::co_spawn(context, serve(served.back(), std::move(handle)), asio::detached);
    };
    add("/echo", echo);
    add("/sleep", hold);
    add("/close", close_first);
    add("/fail", fail_first);
    add("/broadcast", broadcast);
    auto https = wsio::http_server(context.get_executor(), count,
                                   {.host = "127.0.0.1",
                                    .limits = limits,
                                    .timeouts = timeouts,
                                    .tls = wsio::tls({.certificate = argv[1], .key = argv[2]})});
    served.push_back(attach(https, {.path = "/echo", .limits = limits, .timeouts = timeouts}));
    asio::co_spawn(context, serve(served.back(), echo), asio::detached);
    http.listen(0);
    https.listen(0);
    fmt::print("listens on {}\nTLS on {}\n", http.local_endpoint(), https.local_endpoint());
    std::fflush(stdout);
    asio::co_spawn(context, stop_on_signal(http, https), asio::detached);
    context.run();
}
