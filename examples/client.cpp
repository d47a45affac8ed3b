// The smallest client: connects, says one thing, prints what comes back and closes.
//
//     wsio_client --url ws://localhost:3000/echo --text hello

#include "arguments.hpp"

#include <wsio/wsio.hpp>

#include <fmt/core.h>

namespace {

namespace asio = boost::asio;

// Gives the exit code.
asio::awaitable<int> talk(std::string url, std::string text, wsio::client_options options) {
    auto [socket, error] = co_await wsio::try_connect(url, options);
    if (error) {
        fmt::print(stderr, "{}\n", error->what());
        co_return 1;
    }
    co_await socket.send(text);
    // A server that says nothing within ten seconds is not waited for.
    if (auto const answer = co_await socket.receive(std::chrono::seconds(10))) fmt::print("{}\n", answer->text());
    co_await socket.close(wsio::close_code::normal, "bye");
    fmt::print(stderr, "{}\n", socket.status());
    co_return socket.status().clean ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) try {
    auto const arguments =
        examples::arguments(argc, argv, "Says one thing to a WebSocket server and prints the answer.",
                            {{"--url", "ws://localhost:3000/", "where to connect to"},
                             {"--text", "hello", "what to say"},
                             {"--ca", "", "PEM file with the authority of a wss server"}});
    auto options = wsio::client_options();
    if (auto const ca = arguments.text("--ca"); !ca.empty()) options.tls = wsio::client_tls({.ca = ca});
    auto code = 1;
    auto context = asio::io_context(1);
    asio::co_spawn(context, talk(arguments.text("--url"), arguments.text("--text"), options),
                   [&code](std::exception_ptr thrown, int result) {
                       if (thrown) std::rethrow_exception(thrown);
                       code = result;
                   });
    context.run();
    return code;
} catch (const std::exception& error) {
    fmt::print(stderr, "wsio_client: {}\n", error.what());
    return 1;
}
