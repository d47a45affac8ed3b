#include <wsio/fmt.hpp>

#include <fmt/format.h>

namespace {

auto text_into(const fmt::formatter<std::string_view>& formatter, std::string_view text, fmt::format_context& context) {
    return formatter.format(text, context);
}

}  // namespace

auto fmt::formatter<wsio::close_code>::format(wsio::close_code code, format_context& context) const
    -> decltype(context.out()) {
    return text_into(*this, fmt::format("{} {}", wsio::to_number(code), wsio::to_string(code)), context);
}

auto fmt::formatter<wsio::protocol_version>::format(wsio::protocol_version version, format_context& context) const
    -> decltype(context.out()) {
    return text_into(*this, wsio::to_string(version), context);
}

auto fmt::formatter<wsio::ready_state>::format(wsio::ready_state state, format_context& context) const
    -> decltype(context.out()) {
    return text_into(*this, wsio::to_string(state), context);
}

auto fmt::formatter<wsio::ended_by>::format(wsio::ended_by who, format_context& context) const
    -> decltype(context.out()) {
    return text_into(*this, wsio::to_string(who), context);
}

auto fmt::formatter<wsio::endpoint>::format(const wsio::endpoint& endpoint, format_context& context) const
    -> decltype(context.out()) {
    return text_into(*this, endpoint.to_string(), context);
}

auto fmt::formatter<wsio::status>::format(const wsio::status& status, format_context& context) const
    -> decltype(context.out()) {
    return text_into(*this, status.to_string(), context);
}
