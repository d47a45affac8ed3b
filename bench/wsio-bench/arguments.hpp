#pragma once

#include "settings.hpp"

#include <span>
#include <string>
#include <string_view>

namespace wsio::bench {

/// Reads the command line, without the program's name. Throws `failure` (usage) that says what is wrong with it. With
/// --help the rest is not looked at.
[[nodiscard]] settings parse_arguments(std::span<const char* const> arguments);

/// Gives the text that --help prints for a program of that name.
[[nodiscard]] std::string help_text(std::string_view program);

}  // namespace wsio::bench
