#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace wsio {

/// Names the WebSocket protocol that a connection speaks.
enum class protocol_version : std::uint8_t {
    hixie_75,  ///< draft-hixie-thewebsocketprotocol-75: text only, no closing handshake.
    hixie_76,  ///< draft-hixie-thewebsocketprotocol-76, on the wire the same as draft-ietf-hybi-00.
    hybi_7,    ///< draft-ietf-hybi-thewebsocketprotocol-07, `Sec-WebSocket-Version: 7`.
    hybi_8,    ///< drafts 08 to 12, `Sec-WebSocket-Version: 8`.
    hybi_13,   ///< RFC 6455, `Sec-WebSocket-Version: 13`.
};

/// Every version that this library speaks, oldest first.
inline constexpr std::array all_protocol_versions{
    protocol_version::hixie_75, protocol_version::hixie_76, protocol_version::hybi_7,
    protocol_version::hybi_8,   protocol_version::hybi_13,
};

/// Tells whether a version is one of the hybi family (7, 8, 13), which share one framing.
[[nodiscard]] constexpr bool is_hybi(protocol_version version) noexcept { return version >= protocol_version::hybi_7; }

/// Gives a version's name as WebSocket.IO wrote it: "hixie-75", "hixie-76", "hybi-7", "hybi-8" or "hybi-13".
[[nodiscard]] constexpr std::string_view to_string(protocol_version version) noexcept {
    switch (version) {
        case protocol_version::hixie_75: return "hixie-75";
        case protocol_version::hixie_76: return "hixie-76";
        case protocol_version::hybi_7: return "hybi-7";
        case protocol_version::hybi_8: return "hybi-8";
        case protocol_version::hybi_13: return "hybi-13";
    }
    return "unknown";
}

/// Holds a set of protocol versions; default-constructed it holds all of them.
/// Thread safety: distinct objects safe, shared objects safe while nobody changes them.
class protocol_set {
public:
    /// Makes the set of every version.
    constexpr protocol_set() noexcept : bits_(every_bit) {}

    /// Makes the set of the versions given; an empty list is the empty set.
    constexpr protocol_set(std::initializer_list<protocol_version> versions) noexcept : bits_(0) {
        for (auto version : versions) insert(version);
    }

    /// Tells whether the set holds `version`.
    [[nodiscard]] constexpr bool contains(protocol_version version) const noexcept {
        return (bits_ & bit(version)) != 0;
    }

    /// Tells whether the set holds nothing.
    [[nodiscard]] constexpr bool empty() const noexcept { return bits_ == 0; }

    /// Adds `version`.
    constexpr void insert(protocol_version version) noexcept { bits_ |= bit(version); }

    /// Removes `version`.
    constexpr void erase(protocol_version version) noexcept { bits_ &= static_cast<std::uint8_t>(~bit(version)); }

    friend constexpr bool operator==(protocol_set, protocol_set) noexcept = default;

private:
    static constexpr std::uint8_t every_bit = (1U << all_protocol_versions.size()) - 1;

    static constexpr std::uint8_t bit(protocol_version version) noexcept {
        return static_cast<std::uint8_t>(1U << static_cast<unsigned>(version));
    }

    std::uint8_t bits_;
};

}  // namespace wsio
