#pragma once

#include "protocol/feed.hpp"
#include "protocol/hybi_decoder.hpp"

#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>

// Frames of the hybi protocols, made without the encoder under test.

namespace wsio::protocol::test {

inline constexpr std::string_view key = "\x37\xfa\x21\x3d";
inline constexpr std::array hybi_versions{protocol_version::hybi_7, protocol_version::hybi_8,
                                          protocol_version::hybi_13};

inline decoder_factory make(protocol_version version = protocol_version::hybi_13, decoder_limits limits = {},
                            role role = role::server) {
    return [=] { return std::make_unique<hybi_decoder>(rules_of(version), role, limits); };
}

inline decoder_factory limited(std::size_t message_size, std::size_t fragments = 16384) {
    return make(protocol_version::hybi_13, {message_size, fragments});
}

inline std::string masked(std::string_view payload) {
    std::string bytes(payload);
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(bytes[i] ^ key[i % 4]);
    return bytes;
}

/// Writes `value` in `size` bytes, most significant first.
inline std::string number(std::uint64_t value, std::size_t size) {
    std::string bytes;
    while (size-- > 0) bytes.push_back(static_cast<char>(value >> 8 * size & 0xFF));
    return bytes;
}

/// The first bytes of a frame, with the length in its shortest form.
inline std::string head(unsigned first, std::uint64_t length, bool mask = true) {
    std::string bytes = number(first, 1);
    unsigned const bit = mask ? 0x80 : 0;
    if (length < 126) return bytes + number(bit | length, 1);
    if (length < 65536) return bytes + number(bit | 126, 1) + number(length, 2);
    return bytes + number(bit | 127, 1) + number(length, 8);
}

inline std::string frame(unsigned first, std::string_view payload) {
    return head(first, payload.size()) + std::string(key) + masked(payload);
}

inline std::string server_frame(unsigned first, std::string_view payload) {
    return head(first, payload.size(), false) + std::string(payload);
}

inline std::string close_frame(int code, std::string_view reason = {}) {
    return frame(0x88, number(static_cast<std::uint64_t>(code), 2) + std::string(reason));
}

/// Bytes without a pattern that could hide a wrong phase.
inline std::string noise(std::size_t size) {
    std::mt19937 random(static_cast<unsigned>(size));
    std::string bytes(size, '\0');
    for (auto& byte : bytes) byte = static_cast<char>(random());
    return bytes;
}

inline std::string letters(std::size_t size) {
    std::string bytes(size, '\0');
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>('a' + i * 7 % 26);
    return bytes;
}

}  // namespace wsio::protocol::test
