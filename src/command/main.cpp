// The command line of wsio. See docs/command.md.

#include "command.hpp"

#include <wsio/version.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <clocale>
#include <csignal>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string_view>

namespace {

using namespace wsio::command;

// Runs the command and tells in one line why it failed.
exit_code run(const command& chosen, words arguments) {
    try {
        return chosen.run(arguments);
    } catch (const failure& cause) {
        bool const usage = cause.code() == exit_code::usage;
        fmt::print(stderr, "wsio {}: {}{}\n", chosen.name, cause.what(),
                   usage ? fmt::format(" (see wsio {} --help)", chosen.name) : "");
        return cause.code();
    } catch (const std::invalid_argument& error) {  // an option that the library refuses
        fmt::print(stderr, "wsio {}: {}\n", chosen.name, error.what());
        return exit_code::usage;
    } catch (const std::exception& error) {
        fmt::print(stderr, "wsio {}: {}\n", chosen.name, error.what());
        return exit_code::system;
    }
}

exit_code run(words arguments) {
    if (arguments.empty()) {
        fmt::print(stderr, "wsio: which command? connect, echo, probe or bench (see wsio --help)\n");
        return exit_code::usage;
    }
    std::string_view const first = arguments.front();
    if (first == "--help" || first == "-h") {
        fmt::print("{}", overview());
        return exit_code::success;
    }
    if (first == "--version") {
        fmt::print("wsio {}\n", wsio::version);
        return exit_code::success;
    }
    auto const all = all_commands();
    auto const chosen = std::ranges::find(all, first, &command::name);
    if (chosen != all.end()) return run(*chosen, arguments.subspan(1));
    fmt::print(stderr, "wsio: there is no command '{}' (see wsio --help)\n", first);
    return exit_code::usage;
}

}  // namespace

int main(int argc, char** argv) {
    std::setlocale(LC_CTYPE, "");
    std::signal(SIGPIPE,
                SIG_IGN);  // an output that nobody reads any more is no reason to leave without a word to the server
    return static_cast<int>(run(words(argv, static_cast<std::size_t>(argc)).subspan(argc > 0 ? 1 : 0)));
}
