#pragma once

#include "failure.hpp"

#include <span>
#include <string_view>

namespace wsio::bench {

/// Measures what the command line asks for and prints it. `program` is the name to tell in the help. Throws `failure`.
exit_code measure(std::string_view program, std::span<const char* const> arguments);

}  // namespace wsio::bench
