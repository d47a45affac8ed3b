// Measures a WebSocket server. See docs/wsio-bench.md.

#include "arguments.hpp"
#include "failure.hpp"
#include "report.hpp"
#include "run.hpp"

#include <cstdio>
#include <exception>
#include <span>

namespace {

using namespace wsio::bench;

exit_code measure(std::span<const char* const> arguments) {
    auto const wanted = parse_arguments(arguments);
    if (wanted.help) {
        std::fputs(help_text().data(), stdout);
        return exit_code::success;
    }
    auto const measured = run(wanted);
    std::fputs((wanted.json ? as_json(wanted, measured) : as_text(wanted, measured)).c_str(), stdout);
    if (measured.interrupted) return exit_code::interrupted;
    return measured.lost > 0 ? exit_code::connection_lost : exit_code::success;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return static_cast<int>(measure({argv + 1, static_cast<std::size_t>(argc > 0 ? argc - 1 : 0)}));
    } catch (const failure& cause) {
        bool const usage = cause.code() == exit_code::usage;
        std::fprintf(stderr, "wsio-bench: %s%s\n", cause.what(), usage ? " (see wsio-bench --help)" : "");
        return static_cast<int>(cause.code());
    } catch (const std::exception& error) {
        std::fprintf(stderr, "wsio-bench: %s\n", error.what());
        return static_cast<int>(exit_code::system);
    }
}
