#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace wsio::bench {

/// What messages are filled with, behind the number that makes each unique.
enum class payload_kind : std::uint8_t {
    ascii,    ///< Letters and digits.
    chinese,  ///< Characters of three UTF-8 bytes each.
    json,     ///< Records with numbers and names, as services send them; it can be compressed.
    random,   ///< Any bytes: for binary messages.
};

/// A message begins with its number, in this many characters; a shorter message holds as many as fit.
constexpr std::size_t number_size = 8;

/// Makes a payload of `size` bytes that does not repeat itself, the same at every call.
[[nodiscard]] std::string make_payload(payload_kind kind, std::size_t size);

/// Writes a number below 2^48 as eight ASCII characters, six bits in each, the lowest first. Gives them as they lie in
/// memory, so that they can be stored, compared or masked as one word.
[[nodiscard]] constexpr std::uint64_t number_characters(std::uint64_t number) noexcept {
    std::uint64_t word = (number & 0xFFFFFF) | (number >> 24) << 32;
    word = (word & 0x0000'0FFF'0000'0FFF) | (word & 0x00FF'F000'00FF'F000) << 4;
    word = (word & 0x003F'003F'003F'003F) | (word & 0x0FC0'0FC0'0FC0'0FC0) << 2;
    return word + 0x3030'3030'3030'3030;  // from '0' to 'o'
}

}  // namespace wsio::bench
