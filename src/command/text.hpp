#pragma once

#include "format.hpp"

#include <wsio/error.hpp>
#include <wsio/status.hpp>

#include <optional>
#include <string>
#include <string_view>

// How what comes from a server is shown.

namespace wsio::command {

/// Writes bytes as hexadecimal digits, with `between` between two bytes.
[[nodiscard]] std::string to_hex(std::string_view bytes, std::string_view between = {});

/// Reads hexadecimal digits, between which there may be spaces; nothing when it is anything else.
[[nodiscard]] std::optional<std::string> from_hex(std::string_view digits);

using bench::without_controls;

/// Says how a connection ended: "closed by the server: 1001 going away \"bye\"".
[[nodiscard]] std::string describe_ending(const status& how);

/// Takes the name of the library off what one of its exceptions says.
[[nodiscard]] std::string_view without_library(std::string_view what) noexcept;

/// Gives what a failed attempt has to tell, without the name of the library.
[[nodiscard]] std::string message_of(const connect_error& error);

}  // namespace wsio::command
