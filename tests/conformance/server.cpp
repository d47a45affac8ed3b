// The server under test: it echoes on every path but /close, where it closes after one message, and speaks two
// subprotocols. It takes messages in as many
// fragments as the suite sends (65537), and compresses as the command line says: off, shared or dedicated.

#include <wsio/wsio.hpp>

#include <fmt/core.h>

#include <cstdio>
#include <string_view>

namespace {

namespace asio = boost::asio;

asio::awaitable<void> echo(wsio::socket socket) {
    bool const close = socket.request().path() == "/close";
    while (auto message = co_await socket.receive()) {
        co_await socket.send(*message);
        if (close) co_await socket.close(wsio::close_code::normal, "bye");
    }
}

void print_address(const wsio::endpoint& endpoint) {
    fmt::print("listens on {}\n", endpoint);
    std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
    auto const mode = std::string_view(argc == 2 ? argv[1] : "");
    if (mode != "off" && mode != "shared" && mode != "dedicated") {
        fmt::print(stderr, "usage: wsio_conformance_server off|shared|dedicated\n");
        return 2;
    }
    // The fastest level, since the suite is about what is right; and all of the window, so that references go far.
    auto const compression = wsio::compression{.mode = mode == "off"      ? wsio::compression_mode::off
                                                       : mode == "shared" ? wsio::compression_mode::shared
                                                                          : wsio::compression_mode::dedicated,
                                               .threshold = 0,
                                               .level = 1,
                                               .window_bits = 15,
                                               .client_window_bits = 15,
                                               .memory_level = 8};
    wsio::serve(0, echo,
                {.host = "127.0.0.1",
                 .subprotocols = {"chat", "superchat"},
                 .on_listening = print_address,
                 .limits = {.fragments = 70'000},
                 .compression = compression});
}
