// A bridge between times: speaks version 13 to those who connect, and hixie-75 to the server behind it, which knows nothing
// else. Passes every message on, in both directions, with as much patience as the slower side has.
//
//     wsio_bridge --port 3001 --to ws://old.example:8080/

#include "arguments.hpp"

#include <wsio/wsio.hpp>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <fmt/core.h>

namespace {

namespace asio = boost::asio;
using namespace asio::experimental::awaitable_operators;

asio::awaitable<void> pass_on(wsio::socket from, wsio::socket to) {
    while (auto message = co_await from.receive()) {
        if (message->is_binary() && !to.can_send_binary()) {
            from.end(wsio::close_code::unsupported_data, "the other side knows text only");
            break;
        }
        if (!co_await to.send(*message)) break;
    }
    auto const how = from.status();
    to.end(is_hybi(from.protocol_version()) && how.clean ? how.code : wsio::close_code::normal, how.reason);
}

// The far side was connected to before this one was let in.
asio::awaitable<void> bridge(wsio::socket near) {
    auto const far = std::any_cast<wsio::socket>(near.user_value());
    co_await (pass_on(near, far) && pass_on(far, near));
}

// Who cannot be connected to the far side is told so in the handshake, with 502.
asio::awaitable<wsio::verdict> connect_far_side(std::string url, wsio::client_options options) {
    auto result = co_await wsio::try_connect(url, options);
    if (!result) co_return wsio::verdict::reject(502, result.error->what());
    co_return wsio::verdict::accept(std::move(result.socket));
}

wsio::protocol_version version(const examples::arguments& arguments, std::string_view option) {
    auto const found = wsio::protocols.find(arguments.text(option));
    if (!found) arguments.fail("unknown protocol '" + arguments.text(option) + "'");
    return *found;
}

void print_address(const wsio::endpoint& endpoint) { fmt::print("wsio_bridge listens on {}\n", endpoint); }

}  // namespace

int main(int argc, char** argv) try {
    auto const arguments = examples::arguments(
        argc, argv, "Speaks one version of the WebSocket protocol to its clients and another to the server behind it.",
        {{"--port", "3001", "port to listen on, 0 for any free one"},
         {"--host", "", "address to listen on; every address when not given"},
         {"--to", "ws://localhost:3000/", "the server behind the bridge"},
         {"--near", "hybi-13", "the version that clients speak"},
         {"--far", "hixie-75", "the version that the server speaks"}});
    auto const url = arguments.text("--to");
    auto const far = wsio::client_options{.protocols = {version(arguments, "--far")}};
    wsio::serve(arguments.number<std::uint16_t>("--port"), bridge,
                {.host = arguments.text("--host"),
                 .protocols = {version(arguments, "--near")},
                 .origins = {"*"},
                 .authorize = [url, far](const wsio::request&) { return connect_far_side(url, far); },
                 .on_listening = print_address});
} catch (const std::exception& error) {
    fmt::print(stderr, "wsio_bridge: {}\n", error.what());
    return 1;
}
