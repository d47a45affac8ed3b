// The server behind the proxies: answers each message with what it knows of the client, and prints whom it refused.

#include "arguments.hpp"

#include <wsio/wsio.hpp>

#include <fmt/core.h>

#include <string>

namespace {

boost::asio::awaitable<void> tell_who_it_is(wsio::socket socket) {
    while (auto message = co_await socket.receive())
        co_await socket.send(fmt::format("{} from {} by {} over {}{}", message->text(), socket.client_endpoint(),
                                         socket.remote_endpoint(), socket.protocol_version(),
                                         socket.request().secure() ? " with TLS" : ""));
}

}  // namespace

int main(int argc, char** argv) try {
    auto const arguments = examples::arguments(argc, argv, "Tells each client who it is.",
                                               {{"--port", "0", "port to listen on"},
                                                {"--host", "127.0.0.1", "what to listen on"},
                                                {"--permissions", "0600", "of a Unix socket"},
                                                {"--trusted-proxies", "", "who may say who the client is"},
                                                {"--proxy-protocol", "no", "yes: a PROXY header is expected"}});
    wsio::serve(arguments.number<std::uint16_t>("--port"), tell_who_it_is,
                {.host = arguments.text("--host"),
                 .unix_permissions = static_cast<unsigned>(std::stoul(arguments.text("--permissions"), nullptr, 8)),
                 .on_listening = [](const wsio::endpoint& at) { fmt::print("listens on {}\n", at); },
                 .on_error = [](const wsio::request& request,
                                std::string_view why) { fmt::print("{}: {}\n", request.remote_endpoint(), why); },
                 .trusted_proxies = arguments.list("--trusted-proxies"),
                 .proxy_protocol = arguments.yes("--proxy-protocol"),
                 .threads = 2});
} catch (const std::exception& error) {
    fmt::print(stderr, "wsio_proxies_server: {}\n", error.what());
    return 1;
}
