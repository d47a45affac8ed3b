// The server that other people's TLS is tried on beside wsio_echo: several certificates, and clients that may show one. It
// echoes; /who tells a client who it is.

#include "../../examples/arguments.hpp"

#include <wsio/wsio.hpp>

#include <fmt/core.h>

#include <cstdio>
#include <string>

namespace {

boost::asio::awaitable<wsio::verdict> authorize(const wsio::request& request) {
    auto const* const shown = request.client_certificate();
    if (!request.secure()) co_return wsio::verdict::reject(500, "this request should be secure");
    if (request.path() == "/members" && shown == nullptr)
        co_return wsio::verdict::reject(403, "only those with a certificate may come here");
    co_return wsio::verdict::accept(shown == nullptr ? std::string("nobody") : shown->subject);
}

boost::asio::awaitable<void> answer(wsio::socket socket) {
    if (socket.request().path() == "/who") {
        co_await socket.send(std::any_cast<const std::string&>(socket.user_value()));
        co_return;
    }
    while (auto message = co_await socket.receive())
        if (!co_await socket.send(*message)) break;
}

void print_address(const wsio::endpoint& endpoint) {
    fmt::print("listens on {}\n", endpoint);
    std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) try {
    auto const arguments = examples::arguments(argc, argv, "The server of the TLS tests.",
                                               {{"--port", "0", "port"},
                                                {"--host", "127.0.0.1", "address"},
                                                {"--files", "", "folder of the certificates"},
                                                {"--verify", "none", "client certificates: none, optional, required"},
                                                {"--minimum", "1.2", "oldest version of TLS"}});
    auto const file = [&](const char* name) { return arguments.text("--files") + "/" + name; };
    auto const verify = arguments.text("--verify");
    auto const tls =
        wsio::tls({.certificate = file("server.pem"),
                   .key = file("server.key"),
                   .more_certificates = {{file("one.pem"), file("one.key")}, {file("wild.pem"), file("wild.key")}},
                   .client_ca = verify == "none" ? "" : file("ca.pem"),
                   .client_verify = verify == "none"       ? wsio::client_verification::none
                                    : verify == "optional" ? wsio::client_verification::optional
                                                           : wsio::client_verification::required,
                   .minimum_version =
                       arguments.text("--minimum") == "1.3" ? wsio::tls_version::tls_1_3 : wsio::tls_version::tls_1_2});
    wsio::serve(arguments.number<std::uint16_t>("--port"), answer,
                {.host = arguments.text("--host"),
                 .authorize = authorize,
                 .on_listening = print_address,
                 .tls = tls,
                 .threads = 2});
} catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
}
