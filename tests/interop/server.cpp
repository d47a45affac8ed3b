// The server that the third-party clients are tried on beside wsio_echo: it closes, agrees on subprotocols, and checks
// that a client speaks the version that it is said to speak (?version=hybi-8).

#include <wsio/wsio.hpp>

#include <boost/asio/signal_set.hpp>
#include <fmt/core.h>

#include <cstdio>
#include <string>

namespace {

namespace asio = boost::asio;

using handler = asio::awaitable<void> (*)(wsio::socket);

asio::awaitable<void> echo(wsio::socket socket) {
    while (auto message = co_await socket.receive()) co_await socket.send(*message);
}

asio::awaitable<void> answer_and_close(wsio::socket socket) {
    auto const message = co_await socket.receive();
    if (!message) co_return;
    co_await socket.send(*message);
    co_await socket.close(wsio::close_code::normal, "bye");
}

asio::awaitable<void> serve(wsio::server server, handler handle) {
    while (auto socket = co_await server.accept()) {
        auto const expected = socket->request().query("version");
        if (!expected.empty() && expected != to_string(socket->protocol_version()))
            socket->end(wsio::close_code{4000}, fmt::format("this is {}", socket->protocol_version()));
        else
            asio::co_spawn(socket->get_executor(), handle(*socket), asio::detached);
    }
}

asio::awaitable<wsio::http_response> no_page(const wsio::request&) { co_return wsio::http_response{.status = 404}; }

asio::awaitable<void> stop_on_signal(wsio::http_server http) {
    auto signals = asio::signal_set(http.get_executor(), SIGINT, SIGTERM);
    co_await signals.async_wait(asio::use_awaitable);
    co_await http.drain();
}

}  // namespace

int main() {
    auto context = asio::io_context(1);
    auto http = wsio::http_server(context.get_executor(), no_page, {.host = "127.0.0.1"});
    asio::co_spawn(context, serve(attach(http, {.path = "/echo"}), echo), asio::detached);
    asio::co_spawn(context, serve(attach(http, {.path = "/close"}), answer_and_close), asio::detached);
    asio::co_spawn(context, serve(attach(http, {.path = "/sub", .subprotocols = {"chat", "superchat"}}), echo),
                   asio::detached);
    http.listen(0);
    fmt::print("listens on {}\n", http.local_endpoint());
    std::fflush(stdout);
    asio::co_spawn(context, stop_on_signal(http), asio::detached);
    context.run();
}
