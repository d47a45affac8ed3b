// One port with ordinary HTTP and two WebSocket servers: /echo sends back what comes, /clock tells the time each second.

#include "arguments.hpp"

#include <wsio/wsio.hpp>

#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/chrono.h>
#include <fmt/core.h>

namespace {

namespace asio = boost::asio;

asio::awaitable<wsio::http_response> page(const wsio::request& request) {
    if (request.path() != "/") co_return wsio::http_response{.status = 404, .body = "nothing is here\n"};
    co_return wsio::http_response{.body =
                                      "<!doctype html><title>wsio</title><h1 id=time>...</h1><script>"
                                      "new WebSocket(`ws://${location.host}/clock`).onmessage ="
                                      " event => document.all.time.textContent = event.data</script>\n",
                                  .content_type = "text/html; charset=utf-8"};
}

asio::awaitable<void> echo(wsio::socket socket) {
    while (auto message = co_await socket.receive()) co_await socket.send(*message);
}

asio::awaitable<void> clock(wsio::socket socket) {
    auto timer = asio::steady_timer(socket.get_executor());
    while (co_await socket.send(fmt::format("{:%H:%M:%S}", fmt::localtime(std::time(nullptr))))) {
        timer.expires_after(std::chrono::seconds(1));
        co_await timer.async_wait(asio::use_awaitable);
    }
}

asio::awaitable<void> accept_all(wsio::server server, asio::awaitable<void> (*handler)(wsio::socket)) {
    while (auto socket = co_await server.accept())
        asio::co_spawn(socket->get_executor(), handler(*socket), asio::detached);
}

asio::awaitable<void> stop_on_signal(wsio::http_server http) {
    auto signals = asio::signal_set(http.get_executor(), SIGINT, SIGTERM);
    co_await signals.async_wait(asio::use_awaitable);
    co_await http.drain();
}

}  // namespace

int main(int argc, char** argv) try {
    auto const arguments = examples::arguments(argc, argv, "HTTP on /, WebSockets on /echo and /clock, on one port.",
                                               {{"--port", "3000", "port to listen on, 0 for any free one"},
                                                {"--host", "", "address to listen on; every address when not given"}});
    auto context = asio::io_context(1);
    auto http =
        wsio::http_server(context.get_executor(), page, {.host = arguments.text("--host"), .log = wsio::print_log});
    asio::co_spawn(context, accept_all(attach(http, {.path = "/echo", .log = wsio::print_log}), echo), asio::detached);
    asio::co_spawn(context, accept_all(attach(http, {.path = "/clock", .log = wsio::print_log}), clock),
                   asio::detached);
    http.listen(arguments.number<std::uint16_t>("--port"));
    fmt::print("wsio_http_and_ws listens on {}\n", http.local_endpoint());
    asio::co_spawn(context, stop_on_signal(http), asio::detached);
    context.run();
} catch (const std::exception& error) {
    fmt::print(stderr, "wsio_http_and_ws: {}\n", error.what());
    return 1;
}
