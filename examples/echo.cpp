// Sends every message back to where it came from, on every path (so /echo and / both echo) and on every core.

#include "arguments.hpp"

#include <wsio/wsio.hpp>

#include <fmt/core.h>

namespace {

boost::asio::awaitable<void> echo(wsio::socket socket) {
    while (auto message = co_await socket.receive()) co_await socket.send(*message);
}

// Reads a list such as "13,8,7,76,75", where 75 and 76 stand for hixie-75 and hixie-76.
wsio::protocol_set protocols(const examples::arguments& arguments) {
    auto chosen = wsio::protocol_set(std::initializer_list<wsio::protocol_version>());
    for (auto const& name : arguments.list("--protocols")) {
        auto const version = wsio::protocols.find(name == "75" || name == "76" ? "hixie-" + name : name);
        if (!version) arguments.fail("unknown protocol '" + name + "'");
        chosen.insert(*version);
    }
    if (chosen.empty()) arguments.fail("--protocols names none");
    return chosen;
}

// Plain TCP unless a certificate is given. SIGHUP reads its files again.
wsio::tls tls(const examples::arguments& arguments) {
    auto const authority = arguments.text("--client-ca");
    auto const options = wsio::tls_options{
        .certificate = arguments.text("--certificate"),
        .key = arguments.text("--key"),
        .client_ca = authority,
        .client_verify = authority.empty() ? wsio::client_verification::none : wsio::client_verification::required};
    if (options.certificate.empty() && options.key.empty() && authority.empty()) return wsio::tls();
    return wsio::tls(options);
}

wsio::compression compression(const examples::arguments& arguments) {
    auto const mode = arguments.text("--compress");
    if (mode == "off") return {};
    if (mode == "shared") return {.mode = wsio::compression_mode::shared};
    if (mode == "dedicated") return {.mode = wsio::compression_mode::dedicated};
    arguments.fail("--compress takes off, shared or dedicated, not '" + mode + "'");
}

// Reads octal digits.
unsigned permissions(const examples::arguments& arguments) {
    auto const digits = arguments.text("--permissions");
    if (digits.empty() || digits.size() > 4 || digits.find_first_not_of("01234567") != std::string::npos)
        arguments.fail("--permissions takes octal digits such as 0660, not '" + digits + "'");
    return static_cast<unsigned>(std::stoul(digits, nullptr, 8));
}

void print_address(const wsio::endpoint& endpoint) { fmt::print("wsio_echo listens on {}\n", endpoint); }

}  // namespace

int main(int argc, char** argv) try {
    using std::chrono::seconds;
    auto const arguments = examples::arguments(
        argc, argv, "Echoes every WebSocket message.",
        {{"--port", "3000", "port to listen on, 0 for any free one"},
         {"--host", "", "address, unix:/path, systemd or fd:3; every address when not given"},
         {"--permissions", "0600", "who may connect to a Unix socket, as chmod has it"},
         {"--trusted-proxies", "", "addresses or networks that may say who the client is, as 127.0.0.1,10.0.0.0/8"},
         {"--proxy-protocol", "no", "yes: each connection begins with a PROXY header"},
         {"--connections", "100000", "how many connections there may be at a time"},
         {"--ping", "30",
          "seconds of silence after which a client is pinged, and dropped after as many more; 0 for never"},
         {"--idle", "3600", "seconds without a message after which a connection is closed, 0 for never"},
         {"--threads", "0", "loops, each on a thread of its own; 0 for one on every core"},
         {"--protocols", "13,8,7,76,75", "protocol versions that are spoken"},
         {"--certificate", "", "PEM file with a certificate, to speak TLS"},
         {"--key", "", "PEM file with its key"},
         {"--client-ca", "", "PEM file with the authority that clients need a certificate of"},
         {"--compress", "off", "compression of messages: off, shared or dedicated"},
         {"--log", "no", "yes: a line on standard error for each connection, refusal and signal"}});

    wsio::serve(arguments.number<std::uint16_t>("--port"), echo,
                {.host = arguments.text("--host"),
                 .unix_permissions = permissions(arguments),
                 .protocols = protocols(arguments),
                 .origins = {"*"},  // pages of any site may use it: it knows nothing worth stealing
                 .on_listening = print_address,
                 .log = arguments.yes("--log") ? wsio::print_log : wsio::log_function(),
                 .trusted_proxies = arguments.list("--trusted-proxies"),
                 .proxy_protocol = arguments.yes("--proxy-protocol"),
                 .tls = tls(arguments),
                 .limits = {.connections = arguments.number<std::size_t>("--connections")},
                 .timeouts = {.ping = seconds(arguments.number<unsigned>("--ping")),
                              .pong = seconds(arguments.number<unsigned>("--ping")),
                              .idle = seconds(arguments.number<unsigned>("--idle"))},
                 .compression = compression(arguments),
                 .threads = arguments.number<unsigned>("--threads")});
} catch (const std::exception& error) {
    fmt::print(stderr, "wsio_echo: {}\n", error.what());
    return 1;
}
