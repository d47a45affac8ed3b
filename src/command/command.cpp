#include "command.hpp"

#include <fmt/format.h>

#include <array>
#include <iterator>

namespace wsio::command {
namespace {

constexpr std::array commands{
    command{"connect", "talks to a server: what is typed or piped in is sent, what comes is printed", run_connect,
            help_of_connect},
    command{"echo", "is a server that sends every message back", run_echo, help_of_echo},
    command{"probe", "tells which protocol versions, extensions and limits a server has", run_probe, help_of_probe},
    command{"bench", "measures how many messages a server echoes, and how fast", run_bench, help_of_bench},
};

}  // namespace

std::span<const command> all_commands() noexcept { return commands; }

std::string overview() {
    std::string text =
        "Talks to WebSocket servers, tries them and measures them, in protocols 13, 8, 7, 76 and 75.\n\n"
        "Usage: wsio COMMAND [OPTION]...\n\nCommands\n";
    auto out = std::back_inserter(text);
    for (auto const& each : commands) out = fmt::format_to(out, "  {:<9}  {}\n", each.name, each.summary);
    out = fmt::format_to(out,
                         "\nOptions\n  --help     tells this; wsio COMMAND --help tells of a command\n"
                         "  --version  tells the version\n");
    text += R"(
Exit code: 0 all is well, 1 this machine would not (files, memory, ports), 2 wrong command line, 3 no connection,
4 handshake refused, 5 broken protocol or wrong echo, 6 connection lost, 130 interrupted.
)";
    return text;
}

}  // namespace wsio::command
