#include "client_arguments.hpp"
#include "console.hpp"
#include "conversation.hpp"
#include "output.hpp"
#include "text.hpp"
#include "url.hpp"
#include "values.hpp"

#include <wsio/fmt.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <exception>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace wsio::command {

namespace asio = boost::asio;

namespace {

// What the command line asks for.
struct request {
    client_arguments way;
    conversation_settings talk;
    bool compress = false;
    bool no_colour = false;
    bool verbose = false;
};

command_line describe(request& wanted) {
    command_line line(
        "Talks to a WebSocket server. What is typed, or piped in line by line, is sent; what comes is printed.",
        "wsio connect URL [OPTION]...");
    line.positional("URL", "ws://HOST[:PORT][/PATH] or wss://…; HOST[:PORT][/PATH] alone means ws://", wanted.way.url);
    line.group("What to ask for");
    line.option("-p,--protocol", "VERSION", "13, 8, 7, 76 or 75 (13); with commas a list to fall back through: 13,8,76",
                [&wanted, first = true](const std::string& value) mutable {
                    auto& list = wanted.way.options.protocols;
                    if (std::exchange(first, false)) list.clear();
                    for_each_in_list(value, [&](std::string_view name) {
                        list.push_back(bench::read_protocol({"--protocol", name}));
                    });
                });
    wanted.way.add_wishes_to(line);
    line.flag("-c,--compress", "offers to compress messages (permessage-deflate)", wanted.compress);
    line.group("What to send, and what to wait for");
    line.option("-m,--message", "TEXT", "what to send in place of reading the input; may be given more than once",
                [&wanted](const std::string& value) { wanted.talk.messages.push_back(value); });
    line.flag("-x,--hex", "sends binary messages: each line is the bytes of one in hexadecimal digits",
              wanted.talk.hex);
    line.option("-n,--count", "N", "closes when N messages have come", [&wanted](const std::string& value) {
        wanted.talk.count = bench::read_count({"--count", value}, 1, 1'000'000'000);
    });
    line.option("-w,--wait", "TIME",
                "when there is nothing more to send, closes after so long a silence of the server: 10, 0.5, 500ms, 2m "
                "(1; for ever with --count)",
                [&wanted](const std::string& value) {
                    wanted.talk.wait = bench::read_milliseconds({"--wait", value});
                });
    line.option("--max-size", "BYTES", "largest message to take; 64k and 1M are understood (16M)",
                [&wanted](const std::string& value) {
                    auto const size = bench::read_size({"--max-size", value});
                    if (size == 0) throw failure(exit_code::usage, "--max-size must not be 0");
                    wanted.way.options.limits.message_size = size;
                });
    line.option("--ping", "TIME",
                "after how long a silence the server is pinged, and dropped after as long again; 0 for "
                "never (30)",
                [&wanted](const std::string& value) {
                    auto& times = wanted.way.options.timeouts;
                    times.ping = times.pong = bench::read_milliseconds({"--ping", value});
                });
    wanted.way.add_way_to(line);
    line.group("Other");
    line.flag("--no-color", "writes without colours; so does NO_COLOR in the environment", wanted.no_colour);
    line.flag("-v,--verbose", "tells of the handshake on standard error", wanted.verbose);
    line.remark(
        R"(On a terminal lines can be edited and taken back from the history (arrow keys, Ctrl-R), and those that begin with a slash
are commands: /help tells of them. Messages are shown above the line that is being typed.

In a pipe each message is one line of output: text as it is, binary in hexadecimal digits. At the end of the input the
connection stays open until the server has been silent for --wait; then it is closed with 1000, and what comes until the
server has closed it as well is printed, too.

Exit code: 0 closed, by either side, with 1000 or 1001 or without a code; 1 this machine would not, 2 wrong command line,
3 no connection, 4 handshake refused, 5 the server broke the protocol or a limit, 6 connection lost or closed with another
code, 130 interrupted.
)");
    return line;
}

void tell_of_handshake(const headers& fields) {
    for (auto const& [name, value] : fields) bench::tell(fmt::format("< {}: {}", name, value));
}

// Everything that lives as long as the program talks.
struct session {
    request wanted;
    asio::io_context context{1};
    std::unique_ptr<console> screen;
    std::optional<conversation> talk;
};

std::string describe_connection(const socket& open, const std::string& url) {
    auto text = fmt::format("connected to {}: {}", url, open.protocol_version());
    if (!open.subprotocol().empty()) text += fmt::format(", subprotocol {}", open.subprotocol());
    if (open.is_compressed()) text += ", compressed";
    return text + ". /help tells of commands.";
}

asio::awaitable<exit_code> talk(session& s) {
    auto [connected, error] = co_await try_connect(s.wanted.way.url, s.wanted.way.options);
    if (error) throw failure(exit_code_of(error->why()), message_of(*error));
    s.screen->remark(describe_connection(connected, bench::without_credentials(s.wanted.way.url)));
    s.talk.emplace(std::move(connected), *s.screen, s.wanted.talk);
    if (s.wanted.talk.messages.empty()) s.screen->start();
    co_return co_await s.talk->run();
}

// The first signal closes properly, the second drops the connection.
void wait_for_signal(session& s, asio::signal_set& signals) {
    signals.async_wait([&s, &signals](const boost::system::error_code& ec, int) {
        if (ec) return;
        if (!s.talk) {
            s.context.stop();
            return;
        }
        s.talk->interrupt();
        if (s.screen->is_interactive())
            wait_for_signal(s, signals);
        else
            signals.clear();  // the second one ends the program, whatever it waits for
    });
}

void wait_for_resumption(session& s, asio::signal_set& resumption) {
    resumption.async_wait([&s, &resumption](const boost::system::error_code& ec, int) {
        if (ec) return;
        s.screen->resume();
        wait_for_resumption(s, resumption);
    });
}

exit_code run(session& s) {
    asio::signal_set signals(s.context, SIGINT, SIGTERM);
    asio::signal_set resumption(s.context, SIGCONT);
    wait_for_signal(s, signals);
    wait_for_resumption(s, resumption);
    auto code = exit_code::interrupted;
    std::exception_ptr thrown;
    asio::co_spawn(s.context, talk(s), [&](std::exception_ptr error, exit_code result) {
        thrown = error;
        if (!error) code = result;
        signals.cancel();
        s.context.stop();
    });
    s.context.run();
    s.screen->stop();
    s.talk.reset();
    if (thrown) std::rethrow_exception(thrown);
    return code;
}

}  // namespace

exit_code run_connect(words given) {
    session s;
    if (!describe(s.wanted).parse(given)) return exit_code::success;
    auto& options = s.wanted.way.options;
    s.wanted.way.finish();
    if (s.wanted.talk.hex && !std::ranges::all_of(options.protocols, is_hybi))
        throw failure(exit_code::usage, "--hex is for protocols 13, 8 and 7: the others carry no binary messages");
    if (s.wanted.compress) options.compression.mode = compression_mode::dedicated;
    if (s.wanted.verbose) options.on_headers = tell_of_handshake;
    if (!s.wanted.talk.count && !s.wanted.talk.wait) s.wanted.talk.wait = std::chrono::seconds(1);
    s.screen = console::make(s.context.get_executor(), s.wanted.talk.messages.empty(), !s.wanted.no_colour);
    return run(s);
}

std::string help_of_connect() {
    request wanted;
    return describe(wanted).help();
}

}  // namespace wsio::command
