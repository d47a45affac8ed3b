#pragma once

#include <wsio/log.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace wsio::detail {

/// The longest line of the log, and the most of it that one text of a peer may take.
inline constexpr std::size_t longest_log_line = 1000;
inline constexpr std::size_t longest_quotation = 200;

/// Cuts what a peer sent, so that what stands behind it in a line is seen.
[[nodiscard]] inline std::string_view quoted(std::string_view text) noexcept {
    return text.substr(0, longest_quotation);
}

/// Makes a line of printable ASCII out of any text: everything else, and the backslash, is written as \xNN.
[[nodiscard]] std::string log_line(std::string_view text);

/// Logs the line that `describe` gives, if anybody listens. Nothing that happens here reaches the caller.
template <typename Describe>
void log(const log_function& to, log_level level, Describe describe) noexcept {
    if (!to) return;
    try {
        to(level, log_line(describe()));
    } catch (...) {
        // A log that fails must not end a connection, let alone the loop.
    }
}

}  // namespace wsio::detail
