#pragma once

#include "settings.hpp"

#include <span>
#include <string_view>

namespace wsio::bench {

/// Reads the command line, without the program's name. Throws `failure` (usage) that says what is wrong with it. With
/// --help the rest is not looked at.
[[nodiscard]] settings parse_arguments(std::span<const char* const> arguments);

/// Gives the text that --help prints.
[[nodiscard]] std::string_view help_text() noexcept;

}  // namespace wsio::bench
