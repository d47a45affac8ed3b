#pragma once

#include <wsio/close_code.hpp>
#include <wsio/protocol_version.hpp>

#include <array>
#include <cstdint>
#include <span>

namespace wsio::protocol {

/// What may be done with a range of close codes.
struct close_code_rule {
    std::uint16_t first;
    std::uint16_t last;
    bool receivable;                             ///< A peer may send them; otherwise it broke the protocol.
    close_code sent_as = close_code::no_status;  ///< What is sent in their place; no_status: they are sent as they are.
};

/// What differs between the hybi protocols once the handshake is over. All else is one codec: layout, opcodes and
/// masking are the same from draft 07 to RFC 6455. Where the old drafts left a check to the server (reserved bits and
/// opcodes, UTF-8), it is made on all versions.
struct hybi_rules {
    bool minimal_length;                           ///< A payload length must use the shortest form.
    std::span<const close_code_rule> close_codes;  ///< Codes in none of the ranges may not appear on the wire.
    close_code other_codes_sent_as;                ///< What is sent in their place.
};

namespace detail {

// Drafts 07 and 08. Deployed clients of these are older than some codes, but none objects to the ones sent here.
inline constexpr std::array old_close_codes{
    close_code_rule{1000, 1003, true},
    // "Frame too large" until draft 12. Every surviving client of 7 and 8 takes it for an error, so it is not sent.
    close_code_rule{1004, 1004, true, close_code::message_too_big},
    close_code_rule{1007, 1007, true},                              // since draft 10
    close_code_rule{1008, 1009, true},                              // since draft 13
    close_code_rule{1010, 1010, true, close_code::protocol_error},  // since draft 13, and only clients send it
    // 1011 is only in the RFC and 1012 to 1014 only in the IANA registry. They say that the sender cannot go on; of the
    // codes that these drafts know, 1001 says that, while 1002 would put the blame on the peer.
    close_code_rule{1011, 1014, true, close_code::going_away},
    close_code_rule{3000, 4999, true},  // for libraries (3000) and applications (4000)
};

inline constexpr std::array rfc_close_codes{
    close_code_rule{1000, 1003, true},  // RFC 6455 7.4.1
    // Reserved (RFC 6455 7.4.1). A program that asks for it means what it said in the drafts.
    close_code_rule{1004, 1004, false, close_code::message_too_big},
    close_code_rule{1007, 1011, true},  // RFC 6455 7.4.1
    close_code_rule{1012, 1014, true},  // IANA WebSocket Close Code Number Registry
    close_code_rule{3000, 4999, true},  // RFC 6455 7.4.2
};

// 1005, 1006 and 1015 are never on the wire (RFC 6455 7.4.1); 0 to 999 are not used, 1016 to 2999 belong to future
// specifications, and 5000 up do not exist (7.4.2). A program that asks for one of them has a defect, which is not the
// peer's fault: it is sent as "internal error", or its substitute.
inline constexpr hybi_rules hybi_7{.minimal_length = false,  // the duty came with draft 14
                                   .close_codes = old_close_codes,
                                   .other_codes_sent_as = close_code::going_away};
inline constexpr hybi_rules hybi_8{.minimal_length = false,  // the duty came with draft 14
                                   .close_codes = old_close_codes,
                                   .other_codes_sent_as = close_code::going_away};
inline constexpr hybi_rules hybi_13{.minimal_length = true,  // RFC 6455 5.2
                                    .close_codes = rfc_close_codes,
                                    .other_codes_sent_as = close_code::internal_error};

}  // namespace detail

/// Gives the rules of a version of the hybi family.
[[nodiscard]] constexpr const hybi_rules& rules_of(protocol_version version) noexcept {
    switch (version) {
        case protocol_version::hybi_7: return detail::hybi_7;
        case protocol_version::hybi_8: return detail::hybi_8;
        default: return detail::hybi_13;
    }
}

namespace detail {

constexpr const close_code_rule* find_rule(const hybi_rules& rules, close_code code) noexcept {
    for (auto const& rule : rules.close_codes)
        if (to_number(code) >= rule.first && to_number(code) <= rule.last) return &rule;
    return nullptr;
}

}  // namespace detail

/// Tells whether a peer may close with `code`.
[[nodiscard]] constexpr bool may_receive(const hybi_rules& rules, close_code code) noexcept {
    auto const* rule = detail::find_rule(rules, code);
    return rule != nullptr && rule->receivable;
}

/// Gives the code to send where the program asks for `code`, which is not no_status.
[[nodiscard]] constexpr close_code sendable(const hybi_rules& rules, close_code code) noexcept {
    auto const* rule = detail::find_rule(rules, code);
    if (rule == nullptr) return rules.other_codes_sent_as;
    return rule->sent_as == close_code::no_status ? code : rule->sent_as;
}

}  // namespace wsio::protocol
