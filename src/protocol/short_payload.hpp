#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace wsio::protocol {

/// Unmasks a short payload in place and tells whether all of it is ASCII: one pass, no call, for messages so small that
/// the calls of `unmask` and `valid_utf8` would cost more than their work.
[[nodiscard]] inline bool unmask_short(char* payload, std::size_t size, std::uint32_t key) noexcept {
    std::uint64_t const wide = std::uint64_t{key} << 32 | key;
    std::uint64_t seen = 0;
    for (; size >= 8; size -= 8, payload += 8) {
        std::uint64_t word;
        std::memcpy(&word, payload, 8);
        word ^= wide;
        seen |= word;
        std::memcpy(payload, &word, 8);
    }
    char turned[4];
    std::memcpy(turned, &key, 4);
    if (size >= 4) {
        std::uint32_t word;
        std::memcpy(&word, payload, 4);
        word ^= key;
        seen |= word;
        std::memcpy(payload, &word, 4);
        size -= 4, payload += 4;
    }
    for (std::size_t i = 0; i < size; ++i) {
        payload[i] = static_cast<char>(payload[i] ^ turned[i]);
        seen |= static_cast<unsigned char>(payload[i]);
    }
    return (seen & 0x8080808080808080) == 0;
}

}  // namespace wsio::protocol
