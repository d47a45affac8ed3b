#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace wsio::handshake {

/// Encodes bytes in base64 (RFC 4648 4).
[[nodiscard]] std::string base64(std::string_view bytes);

/// Gives the value of Sec-WebSocket-Accept: base64(SHA-1(key + GUID)) (RFC 6455 4.2.2).
[[nodiscard]] std::string accept_key(std::string_view key);

/// Tells whether a key is 16 bytes in base64 (RFC 6455 4.2.1), canonical or not.
[[nodiscard]] bool is_sixteen_bytes(std::string_view key) noexcept;

/// Gives number / spaces of Sec-WebSocket-Key1 or -Key2 (hixie-76 5.2 steps 4 to 7); nothing when there is no digit, no
/// space, a number over 2^32 - 1, or a remainder.
[[nodiscard]] std::optional<std::uint32_t> hixie_76_part(std::string_view key) noexcept;

/// Gives MD5(part_1, part_2, key3) (hixie-76 5.2 steps 8 and 9). `key3` must have 8 bytes.
[[nodiscard]] std::array<char, 16> hixie_76_answer(std::uint32_t part_1, std::uint32_t part_2, std::string_view key3);

}  // namespace wsio::handshake
