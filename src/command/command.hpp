#pragma once

#include "failure.hpp"

#include <span>
#include <string>
#include <string_view>

namespace wsio::command {

// The exit codes are those of the load generator, which is one of the commands.
using bench::exit_code;
using bench::failure;

/// What stands behind the name of a command.
using words = std::span<const char* const>;

/// One of the commands of `wsio`.
struct command {
    std::string_view name;
    std::string_view summary;
    /// Does it. Throws `failure`.
    exit_code (*run)(words arguments);
    /// Gives the text of its --help, of which the manual page is made as well.
    std::string (*help)();
};

/// Gives all commands, in the order in which they are told.
[[nodiscard]] std::span<const command> all_commands() noexcept;

/// Gives the text of `wsio --help`.
[[nodiscard]] std::string overview();

exit_code run_bench(words arguments);
exit_code run_connect(words arguments);
exit_code run_echo(words arguments);
exit_code run_probe(words arguments);
[[nodiscard]] std::string help_of_bench();
[[nodiscard]] std::string help_of_connect();
[[nodiscard]] std::string help_of_echo();
[[nodiscard]] std::string help_of_probe();

}  // namespace wsio::command
