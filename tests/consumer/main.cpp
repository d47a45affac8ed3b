// A program that uses wsio from outside: an echo server, and a client that speaks the protocol by hand, over loopback.

#include <wsio/wsio.hpp>

#include <fmt/core.h>

#include <boost/asio/ip/tcp.hpp>

#include <cstdint>
#include <future>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace {

boost::asio::awaitable<void> echo(wsio::socket socket) {
    while (auto message = co_await socket.receive()) co_await socket.send(*message);
}

boost::asio::awaitable<void> serve_one(std::promise<std::uint16_t>& port) {
    wsio::options const options{.host = "127.0.0.1"};
    auto server = co_await wsio::listen(0, options);
    port.set_value(server.port());
    if (auto socket = co_await server.accept()) {
        fmt::print("a client speaks {}\n", socket->protocol_version());
        co_await echo(std::move(*socket));
    }
}

// Connects, shakes hands, sends "hello" with a masking key of zeros, and gives what comes back.
std::string talk(std::uint16_t port) {
    auto stream = boost::asio::ip::tcp::iostream("127.0.0.1", std::to_string(port));
    stream << "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
              "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
           << std::string_view("\x81\x85\0\0\0\0hello", 11) << std::flush;
    for (std::string line; std::getline(stream, line) && line != "\r";)
        ;
    auto answer = std::string(7, '\0');
    stream.read(answer.data(), static_cast<std::streamsize>(answer.size()));
    return answer;
}

}  // namespace

int main() {
    auto context = boost::asio::io_context(1);
    auto port = std::promise<std::uint16_t>();
    boost::asio::co_spawn(context, serve_one(port), boost::asio::detached);
    auto server = std::jthread([&] { context.run(); });
    auto const answer = talk(port.get_future().get());
    context.stop();
    if (answer != "\x81\x05hello") {
        fmt::print("wsio {} answered \"{}\"\n", wsio::version, answer);
        return 1;
    }
    fmt::print("wsio {} echoed\n", wsio::version);
}
