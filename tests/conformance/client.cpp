// The client under test: connects to the URL in the version that the command line says and echoes until the connection has
// ended. How it ended is for the server to judge; the exit code tells whether there was a connection.

#include <wsio/wsio.hpp>

#include <fmt/core.h>

#include <string>

namespace {

namespace asio = boost::asio;

asio::awaitable<void> echo(std::string url, wsio::client_options options) {
    auto socket = co_await wsio::connect(url, options);
    while (auto message = co_await socket.receive()) co_await socket.send(*message);
    co_await socket.close();
}

}  // namespace

int main(int argc, char** argv) try {
    auto const version = argc == 3 ? wsio::protocols.find(argv[2]) : std::nullopt;
    if (!version) {
        fmt::print(stderr, "usage: wsio_conformance_client URL 13|8|7\n");
        return 2;
    }
    // In as many fragments as the suite sends. It declines compression where that is not what it is about.
    auto const options = wsio::client_options{
        .protocols = {*version},
        .limits = {.fragments = 70'000},
        .compression = {.mode = wsio::compression_mode::dedicated, .window_bits = 15, .client_window_bits = 15}};
    auto context = asio::io_context(1);
    asio::co_spawn(context, echo(argv[1], options), [](std::exception_ptr thrown) {
        if (thrown) std::rethrow_exception(thrown);
    });
    context.run();
    return 0;
} catch (const std::exception& error) {
    fmt::print(stderr, "wsio_conformance_client: {}\n", error.what());
    return 1;
}
