#pragma once

#include <wsio/close_code.hpp>
#include <wsio/endpoint.hpp>
#include <wsio/protocol_version.hpp>
#include <wsio/status.hpp>

#include <fmt/core.h>

#include <string_view>

// Lets fmt print the public types; the format specification is that of a text: fmt::format("{:>10}", version).

/// Prints "1001 going away".
template <>
struct fmt::formatter<wsio::close_code> : fmt::formatter<std::string_view> {
    auto format(wsio::close_code code, format_context& context) const -> decltype(context.out());
};

/// Prints "hybi-13".
template <>
struct fmt::formatter<wsio::protocol_version> : fmt::formatter<std::string_view> {
    auto format(wsio::protocol_version version, format_context& context) const -> decltype(context.out());
};

/// Prints "open".
template <>
struct fmt::formatter<wsio::ready_state> : fmt::formatter<std::string_view> {
    auto format(wsio::ready_state state, format_context& context) const -> decltype(context.out());
};

/// Prints "peer".
template <>
struct fmt::formatter<wsio::ended_by> : fmt::formatter<std::string_view> {
    auto format(wsio::ended_by who, format_context& context) const -> decltype(context.out());
};

/// Prints "127.0.0.1:3000" or "[::1]:3000".
template <>
struct fmt::formatter<wsio::endpoint> : fmt::formatter<std::string_view> {
    auto format(const wsio::endpoint& endpoint, format_context& context) const -> decltype(context.out());
};

/// Prints "1001 going away, ended by the server: the server is stopping".
template <>
struct fmt::formatter<wsio::status> : fmt::formatter<std::string_view> {
    auto format(const wsio::status& status, format_context& context) const -> decltype(context.out());
};
