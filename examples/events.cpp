// The way of WebSocket.IO: callbacks instead of coroutines. Answers each message, chained as the original allowed it.

#include "arguments.hpp"

#include <wsio/wsio.hpp>

#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_future.hpp>
#include <fmt/core.h>

namespace {

namespace asio = boost::asio;

void on_connection(wsio::socket socket) {
    fmt::print("connection: {} from {}, {}\n", socket.protocol_version(), socket.client_endpoint(),
               socket.request().target());
    socket.on_message([socket](const wsio::message& message) mutable {
        if (message.text() == "bye") {
            socket.write("good bye").end(wsio::close_code::normal, "you said bye");
            return;
        }
        socket.write("you said").write(message);
    });
    socket.on_error([](const wsio::status& status) { fmt::print("error: {}\n", status.cause); });
    socket.on_close([](const wsio::status& status) { fmt::print("close: {}\n", status); });
}

void on_headers(const wsio::request&, wsio::headers& headers) { headers.add("X-Powered-By", "wsio"); }

void on_refused(const wsio::request& request, std::string_view why) {
    fmt::print("refused: {}: {}\n", request.target(), why);
}

asio::awaitable<void> run(std::uint16_t port, std::string host) {
    auto const options = wsio::options{.host = host};
    auto server = co_await wsio::listen(port, options);
    server.on_connection(on_connection).on_headers(on_headers).on_error(on_refused);
    fmt::print("wsio_events listens on {}\n", server.local_endpoint());

    auto signals = asio::signal_set(server.get_executor(), SIGINT, SIGTERM);
    co_await signals.async_wait(asio::use_awaitable);
    co_await server.drain();
}

}  // namespace

int main(int argc, char** argv) try {
    auto const arguments = examples::arguments(argc, argv, "Answers messages by callbacks, as WebSocket.IO did.",
                                               {{"--port", "3000", "port to listen on, 0 for any free one"},
                                                {"--host", "", "address to listen on; every address when not given"}});
    auto context = asio::io_context(1);
    auto result = asio::co_spawn(context, run(arguments.number<std::uint16_t>("--port"), arguments.text("--host")),
                                 asio::use_future);
    context.run();
    result.get();
} catch (const std::exception& error) {
    fmt::print(stderr, "wsio_events: {}\n", error.what());
    return 1;
}
