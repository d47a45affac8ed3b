// A program that has an HTTP server of its own, on Boost.Beast, and hands WebSocket upgrades over to wsio.

#include "arguments.hpp"

#include <wsio/wsio.hpp>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <fmt/core.h>

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;

// Reads requests from one connection until it ends or becomes a WebSocket.
asio::awaitable<void> serve_http(tcp::socket socket, wsio::server websockets) {
    auto stream = beast::tcp_stream(std::move(socket));
    auto buffer = beast::flat_buffer(64 * 1024);
    for (auto keep_alive = true; keep_alive;) {
        stream.expires_after(std::chrono::seconds(30));
        // Only the head: what is behind it, the nonce of hixie-76 or the first frames, is for wsio and not for Beast.
        auto parser = http::request_parser<http::string_body>();
        co_await http::async_read_header(stream, buffer, parser, asio::use_awaitable);
        if (beast::iequals(parser.get()[http::field::upgrade], "websocket")) {
            auto const head = std::string_view(static_cast<const char*>(buffer.data().data()), buffer.size());
            websockets.handle_upgrade(parser.get(), stream.release_socket(), head);
            co_return;
        }
        co_await http::async_read(stream, buffer, parser, asio::use_awaitable);
        auto response = http::response<http::string_body>(http::status::ok, parser.get().version());
        response.keep_alive(keep_alive = parser.get().keep_alive());
        response.body() = fmt::format("Beast answers {}\n", std::string_view(parser.get().target()));
        response.prepare_payload();
        co_await http::async_write(stream, response, asio::use_awaitable);
    }
}

asio::awaitable<void> accept_http(tcp::acceptor& acceptor, wsio::server websockets) {
    auto pause = asio::steady_timer(acceptor.get_executor());
    for (;;) {
        auto ec = boost::system::error_code();
        auto socket = co_await acceptor.async_accept(asio::redirect_error(asio::use_awaitable, ec));
        if (ec) {  // out of descriptors, say: when connections end, there are some again
            fmt::print(stderr, "cannot accept: {}\n", ec.message());
            pause.expires_after(std::chrono::seconds(1));
            co_await pause.async_wait(asio::use_awaitable);
            continue;
        }
        asio::co_spawn(acceptor.get_executor(), serve_http(std::move(socket), websockets), asio::detached);
    }
}

void echo(wsio::socket socket) {
    socket.on_message([socket](const wsio::message& message) mutable { socket.write(message); });
}

asio::awaitable<void> stop_on_signal(asio::io_context& context, wsio::server websockets) {
    auto signals = asio::signal_set(context, SIGINT, SIGTERM);
    co_await signals.async_wait(asio::use_awaitable);
    co_await websockets.drain();
    context.stop();
}

}  // namespace

int main(int argc, char** argv) try {
    auto const arguments = examples::arguments(
        argc, argv, "A Boost.Beast HTTP server with WebSockets by wsio.",
        {{"--port", "3000", "port to listen on, 0 for any free one"}, {"--host", "0.0.0.0", "address to listen on"}});
    auto context = asio::io_context(1);
    auto websockets = wsio::server(context.get_executor());
    websockets.on_connection(echo);

    auto const address = asio::ip::make_address(arguments.text("--host"));
    auto acceptor = tcp::acceptor(context, {address, arguments.number<std::uint16_t>("--port")});
    fmt::print("wsio_own_beast_server listens on {}\n",
               wsio::endpoint{acceptor.local_endpoint().address(), acceptor.local_endpoint().port()});
    asio::co_spawn(context, accept_http(acceptor, websockets), asio::detached);
    asio::co_spawn(context, stop_on_signal(context, websockets), asio::detached);
    context.run();
} catch (const boost::system::system_error& error) {
    fmt::print(stderr, "wsio_own_beast_server: {}\n", error.code().message());
    return 1;
}
