#include "client_arguments.hpp"
#include "command_line.hpp"
#include "output.hpp"
#include "values.hpp"

#include <wsio/fmt.hpp>
#include <wsio/wsio.hpp>

#include <fmt/format.h>

#include <cstdint>
#include <utility>

namespace wsio::command {
namespace {

// What the command line asks for.
struct request {
    options served{.host = "127.0.0.1", .threads = 1};
    tls_certificate certificate;
    std::uint16_t port = 3000;
    bool compress = false;
    bool any_origin = false;
    bool verbose = false;
};

command_line describe(request& wanted) {
    command_line line("Is a WebSocket server that sends every message back, on every path.", "wsio echo [OPTION]...");
    line.group("What to listen on");
    line.option("-l,--port", "N", "port; 0 for any free one (3000)", [&wanted](const std::string& value) {
        wanted.port = static_cast<std::uint16_t>(bench::read_count({"--port", value}, 0, 65535));
    });
    line.text("--host", "ADDRESS", "address, or unix:/PATH (127.0.0.1); '' for every address of this machine",
              wanted.served.host);
    line.text("--cert", "FILE", "certificate, to speak TLS: wss (PEM)", wanted.certificate.certificate);
    line.text("--key", "FILE", "its key (PEM)", wanted.certificate.key);
    line.group("What to agree to");
    line.option("-p,--protocol", "VERSION", "13, 8, 7, 76 or 75; more than one with commas (all)",
                [&wanted, first = true](const std::string& value) mutable {
                    if (std::exchange(first, false)) wanted.served.protocols = protocol_set({});
                    for_each_in_list(value, [&](std::string_view name) {
                        wanted.served.protocols.insert(bench::read_protocol({"--protocol", name}));
                    });
                });
    line.option("-s,--subprotocol", "NAME", "subprotocol that is spoken; more than one with commas, or given again",
                [&wanted](const std::string& value) {
                    for_each_in_list(value,
                                     [&](std::string_view name) { wanted.served.subprotocols.emplace_back(name); });
                });
    line.flag("-c,--compress", "agrees to compressed messages (permessage-deflate)", wanted.compress);
    line.flag("--any-origin", "lets pages of every site connect, not of its own host alone", wanted.any_origin);
    line.option("--max-size", "BYTES", "largest message to take; 64k and 1M are understood (16M)",
                [&wanted](const std::string& value) {
                    auto const size = bench::read_size({"--max-size", value});
                    if (size == 0) throw failure(exit_code::usage, "--max-size must not be 0");
                    wanted.served.limits.message_size = size;
                });
    line.group("Other");
    line.option("--threads", "N", "loops, each on a thread of its own; 0 for one on every core (1)",
                [&wanted](const std::string& value) {
                    wanted.served.threads = static_cast<unsigned>(bench::read_count({"--threads", value}, 0, 1024));
                });
    line.flag("-v,--verbose", "tells of each connection on standard error", wanted.verbose);
    line.remark(R"(Ctrl-C and SIGTERM close the connections with 1001 and end it; the second one ends it at once.

Exit code: 0 stopped, 1 the port cannot be had, or a file, 2 wrong command line.
)");
    return line;
}

boost::asio::awaitable<void> echo(socket from) {
    while (auto const message = co_await from.receive()) co_await from.send(*message);
}

}  // namespace

exit_code run_echo(words given) {
    request wanted;
    if (!describe(wanted).parse(given)) return exit_code::success;
    auto& served = wanted.served;
    if (wanted.certificate.certificate.empty() != wanted.certificate.key.empty())
        throw failure(exit_code::usage, "--cert and --key go together");
    bool const secure = !wanted.certificate.certificate.empty();
    if (secure) served.tls = tls({.certificate = wanted.certificate.certificate, .key = wanted.certificate.key});
    if (wanted.compress) served.compression.mode = compression_mode::shared;
    if (wanted.any_origin) served.origins = {"*"};
    if (wanted.verbose) served.log = print_log;
    served.on_listening = [secure](const endpoint& where) {
        // A Unix socket has no URL.
        auto const* const scheme = where.is_unix() ? "" : secure ? "wss://" : "ws://";
        bench::print(fmt::format("listens on {}{}\n", scheme, where));
    };
    serve(wanted.port, echo, served);
    return exit_code::success;
}

std::string help_of_echo() {
    request wanted;
    return describe(wanted).help();
}

}  // namespace wsio::command
