#include "client_arguments.hpp"
#include "output.hpp"
#include "probing.hpp"
#include "values.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <csignal>
#include <exception>
#include <string>
#include <utility>

namespace wsio::command {

namespace asio = boost::asio;

namespace {

// What the command line asks for.
struct request {
    client_arguments way;
    probe_settings probed{.versions = {protocol_version::hybi_13, protocol_version::hybi_8, protocol_version::hybi_7,
                                       protocol_version::hixie_76, protocol_version::hixie_75}};
    bool json = false;
};

command_line describe(request& wanted) {
    command_line line("Tells which protocol versions, extensions and limits a WebSocket server has.",
                      "wsio probe URL [OPTION]...");
    line.positional("URL", "ws://HOST[:PORT][/PATH] or wss://…; HOST[:PORT][/PATH] alone means ws://", wanted.way.url);
    line.group("What to try");
    line.option("-p,--protocol", "VERSION", "13, 8, 7, 76 or 75; more than one with commas (all)",
                [&wanted, first = true](const std::string& value) mutable {
                    if (std::exchange(first, false)) wanted.probed.versions.clear();
                    for_each_in_list(value, [&](std::string_view name) {
                        wanted.probed.versions.push_back(bench::read_protocol({"--protocol", name}));
                    });
                });
    line.option("--message-size", "BYTES",
                "sends messages of 64k, twice that and so on, up to BYTES, until the server refuses one; the server's "
                "application gets them: 16M is a good limit",
                [&wanted](const std::string& value) {
                    wanted.probed.largest_message = bench::read_size({"--message-size", value});
                    if (wanted.probed.largest_message == 0)
                        throw failure(exit_code::usage, "--message-size must not be 0");
                });
    line.option("--silence", "TIME",
                "says nothing for so long and tells whether the server pings, or ends the connection",
                [&wanted](const std::string& value) {
                    wanted.probed.silence = bench::read_milliseconds({"--silence", value});
                });
    line.group("What to ask for");
    wanted.way.add_wishes_to(line);
    wanted.way.add_way_to(line, std::chrono::seconds(3));
    line.group("Other");
    line.flag("--json", "writes one JSON object instead of a table", wanted.json);
    line.remark(
        R"(Each version is tried on a connection of its own, with an offer to compress in 13. A server that does not know a version
may just be silent; then it takes --timeout to know.

Exit code: 0 at least one version is spoken, 1 this machine would not, 2 wrong command line, 3 no connection, 4 none of the
versions is spoken, 130 interrupted.
)");
    return line;
}

exit_code run(const request& wanted) {
    asio::io_context context(1);
    asio::signal_set signals(context, SIGINT, SIGTERM);
    signals.async_wait([&](const boost::system::error_code& ec, int) {
        if (!ec) context.stop();
    });
    auto code = exit_code::interrupted;
    std::string text;
    std::exception_ptr thrown;
    asio::co_spawn(context, probe(wanted.probed), [&](std::exception_ptr error, const findings& found) {
        thrown = error;
        if (!error) {
            text = wanted.json ? as_json(found) : as_table(found);
            code = found.speaks_any() ? exit_code::success : exit_code::no_handshake;
        }
        context.stop();
    });
    context.run();
    if (thrown) std::rethrow_exception(thrown);
    bench::print(text);
    return code;
}

}  // namespace

exit_code run_probe(words given) {
    request wanted;
    if (!describe(wanted).parse(given)) return exit_code::success;
    wanted.way.finish();
    auto& probed = wanted.probed;
    probed.url = wanted.way.url;
    probed.way = wanted.way.options;
    probed.way.compression.mode = compression_mode::dedicated;
    probed.way.timeouts.ping = probed.way.timeouts.pong = std::chrono::seconds(10);
    probed.way.timeouts.close = std::chrono::seconds(2);  // a server that does not answer need not be waited for
    probed.way.limits.message_size = std::max(probed.way.limits.message_size, 2 * probed.largest_message);
    return run(wanted);
}

std::string help_of_probe() {
    request wanted;
    return describe(wanted).help();
}

}  // namespace wsio::command
