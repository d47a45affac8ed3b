#pragma once

#include <cstdint>
#include <string_view>

namespace wsio {

/// Says why a connection is closed (RFC 6455 7.4). Applications may use any value from 3000 to 4999:
/// `wsio::close_code{4001}`.
enum class close_code : std::uint16_t {
    normal = 1000,               ///< The purpose of the connection has been fulfilled.
    going_away = 1001,           ///< The server is shutting down, or a browser has left the page.
    protocol_error = 1002,       ///< The peer broke the protocol.
    unsupported_data = 1003,     ///< A kind of data that the application cannot accept.
    no_status = 1005,            ///< The peer closed without a code; never sent.
    abnormal = 1006,             ///< The connection ended without a closing handshake; never sent.
    invalid_payload = 1007,      ///< Text that is not UTF-8.
    policy_violation = 1008,     ///< The message broke a rule of the application.
    message_too_big = 1009,      ///< A message over the size limit.
    mandatory_extension = 1010,  ///< The client needed an extension that the server did not accept.
    internal_error = 1011,       ///< The server met an unexpected condition.
    service_restart = 1012,      ///< The service restarts (IANA registry).
    try_again_later = 1013,      ///< The server is overloaded (IANA registry).
    bad_gateway = 1014,          ///< A gateway got a bad answer (IANA registry).
};

/// Gives the number of a close code.
[[nodiscard]] constexpr std::uint16_t to_number(close_code code) noexcept { return static_cast<std::uint16_t>(code); }

/// Gives the name of a close code, such as "going away"; "application" for 3000 to 4999, "unknown" for the rest.
[[nodiscard]] constexpr std::string_view to_string(close_code code) noexcept {
    switch (code) {
        case close_code::normal: return "normal";
        case close_code::going_away: return "going away";
        case close_code::protocol_error: return "protocol error";
        case close_code::unsupported_data: return "unsupported data";
        case close_code::no_status: return "no status";
        case close_code::abnormal: return "abnormal";
        case close_code::invalid_payload: return "invalid payload";
        case close_code::policy_violation: return "policy violation";
        case close_code::message_too_big: return "message too big";
        case close_code::mandatory_extension: return "mandatory extension";
        case close_code::internal_error: return "internal error";
        case close_code::service_restart: return "service restart";
        case close_code::try_again_later: return "try again later";
        case close_code::bad_gateway: return "bad gateway";
    }
    return to_number(code) >= 3000 && to_number(code) <= 4999 ? "application" : "unknown";
}

}  // namespace wsio
