// The command line of wsio. See docs/command.md.

#include "command.hpp"
#include "output.hpp"
#include "text.hpp"

#include <wsio/version.hpp>

#include <fmt/format.h>

#include <langinfo.h>

#include <algorithm>
#include <clocale>
#include <csignal>
#include <exception>
#include <stdexcept>
#include <string_view>

namespace {

using namespace wsio::command;
namespace bench = wsio::bench;

// Runs the command and tells in one line why it failed.
exit_code run(const command& chosen, words arguments) {
    try {
        return chosen.run(arguments);
    } catch (const failure& cause) {
        bool const usage = cause.code() == exit_code::usage;
        bench::tell(fmt::format("wsio {}: {}{}", chosen.name, cause.what(),
                                usage ? fmt::format(" (see wsio {} --help)", chosen.name) : ""));
        return cause.code();
    } catch (const std::invalid_argument& error) {  // an option that the library refuses
        bench::tell(fmt::format("wsio {}: {}", chosen.name, without_library(error.what())));
        return exit_code::usage;
    } catch (const std::exception& error) {
        bench::tell(fmt::format("wsio {}: {}", chosen.name, without_library(error.what())));
        return exit_code::system;
    }
}

exit_code run(words arguments) {
    if (arguments.empty()) {
        bench::tell("wsio: which command? connect, echo, probe or bench (see wsio --help)");
        return exit_code::usage;
    }
    std::string_view const first = arguments.front();
    if (first == "--help" || first == "-h") {
        bench::print(overview());
        return exit_code::success;
    }
    if (first == "--version") {
        bench::print(fmt::format("wsio {}\n", wsio::version));
        return exit_code::success;
    }
    auto const all = all_commands();
    auto const chosen = std::ranges::find(all, first, &command::name);
    if (chosen != all.end()) return run(*chosen, arguments.subspan(1));
    bench::tell(fmt::format("wsio: there is no command '{}' (see wsio --help)", first));
    return exit_code::usage;
}

}  // namespace

int main(int argc, char** argv) {
    bench::open_closed_standard_files();
    std::setlocale(LC_CTYPE, "");
    // A text is UTF-8 whatever the machine is set to: the line editor would lose the letters that it does not know.
    if (std::string_view(::nl_langinfo(CODESET)) != "UTF-8") std::setlocale(LC_CTYPE, "C.UTF-8");
    std::signal(SIGPIPE,
                SIG_IGN);  // an output that nobody reads any more is no reason to leave without a word to the server
    try {
        return static_cast<int>(run(words(argv, static_cast<std::size_t>(argc)).subspan(argc > 0 ? 1 : 0)));
    } catch (const failure& cause) {  // what it was to print itself
        bench::tell(fmt::format("wsio: {}", cause.what()));
        return static_cast<int>(cause.code());
    }
}
