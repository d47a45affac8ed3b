#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

namespace wsio {

/// How much a line of the log matters.
enum class log_level : std::uint8_t {
    error,    ///< Something of the server is broken: an exception, no descriptors left.
    warning,  ///< Somebody was refused or dropped, or broke the protocol.
    info,     ///< All else that an operator may want to know: listening, opened, closed, draining.
};

/// Gives "error", "warning" or "info".
[[nodiscard]] constexpr std::string_view to_string(log_level level) noexcept {
    switch (level) {
        case log_level::error: return "error";
        case log_level::warning: return "warning";
        case log_level::info: return "info";
    }
    return "unknown";
}

/// Gets one line for each event, without a line break, of printable ASCII and at most 1000 characters: what peers have
/// sent is escaped and cut. An exception that it throws is swallowed. Called on the threads of the loops, so it must
/// not wait.
using log_function = std::function<void(log_level level, std::string_view line)>;

/// Prints a line with time and level to standard error: `options.log = wsio::print_log`. Safe on every thread.
void print_log(log_level level, std::string_view line);

}  // namespace wsio
