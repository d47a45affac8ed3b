#include "program.hpp"

#include "arguments.hpp"
#include "output.hpp"
#include "report.hpp"
#include "run.hpp"

namespace wsio::bench {

exit_code measure(std::string_view program, std::span<const char* const> arguments) {
    auto const wanted = parse_arguments(arguments);
    if (wanted.help) {
        print(help_text(program));
        return exit_code::success;
    }
    auto const measured = run(wanted);
    print(wanted.json ? as_json(wanted, measured) : as_text(wanted, measured));
    if (measured.interrupted) return exit_code::interrupted;
    return measured.lost > 0 ? exit_code::connection_lost : exit_code::success;
}

}  // namespace wsio::bench
