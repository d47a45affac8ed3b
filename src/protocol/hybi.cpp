#include "protocol/hybi.hpp"

#include "protocol/mask.hpp"
#include "protocol/utf8.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace wsio::protocol {
namespace {

/// Gives the longest front of `text`, which is UTF-8, that has at most `size` bytes and cuts no character.
std::string_view cut(std::string_view text, std::size_t size) noexcept {
    if (text.size() <= size) return text;
    while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) --size;
    return text.substr(0, size);
}

/// Writes the header of an unfragmented frame without a masking key. The length takes its shortest form, which is a
/// duty only since draft 14 (RFC 6455 5.2) but legal in all.
envelope make_header(opcode type, std::size_t size) noexcept {
    envelope frame;
    frame.prefix[0] = static_cast<char>(0x80U | static_cast<unsigned>(type));
    std::size_t length_field_size = 0;
    if (size < 126) {
        frame.prefix[1] = static_cast<char>(size);
    } else if (size < 65536) {
        frame.prefix[1] = static_cast<char>(126);
        length_field_size = 2;
    } else {
        frame.prefix[1] = static_cast<char>(127);
        length_field_size = 8;
    }
    std::uint64_t left = size;
    for (std::size_t i = length_field_size; i > 0; --i, left >>= 8)
        frame.prefix[1 + i] = static_cast<char>(left & 0xFF);
    frame.prefix_size = static_cast<std::uint8_t>(2 + length_field_size);
    return frame;
}

}  // namespace

std::unique_ptr<decoder> hybi_strategy::make_decoder(role role, decoder_limits limits) const {
    return std::make_unique<hybi_decoder>(*rules_, role, limits);
}

envelope hybi_strategy::wrap(opcode type, std::size_t size) const noexcept { return make_header(type, size); }

void hybi_strategy::encode_close(close_code code, std::string_view reason, byte_buffer& out) const {
    encode(opcode::close, make_close_payload(*rules_, code, reason).view(), out);
}

close_payload make_close_payload(const hybi_rules& rules, close_code code, std::string_view reason) {
    close_payload payload;
    if (code == close_code::no_status) return payload;  // a reason cannot stand without a code (RFC 6455 5.5.1)
    auto const number = to_number(sendable(rules, code));
    payload.bytes[0] = static_cast<char>(number >> 8);
    payload.bytes[1] = static_cast<char>(number & 0xFF);

    constexpr std::size_t max_reason = max_control_payload - 2;
    byte_buffer repaired;
    if (!valid_utf8(reason)) {  // often the text of an exception; sending it as it is would be our violation
        // Repairing never shortens, so four bytes more than fit are enough to cut no character here that stays.
        replace_invalid_utf8(reason.substr(0, max_reason + 4), repaired);
        reason = repaired.view();
    }
    auto const copied = cut(reason, max_reason).copy(payload.bytes.data() + 2, max_reason);
    payload.size = static_cast<std::uint8_t>(2 + copied);
    return payload;
}

void add_mask(envelope& frame, std::uint32_t key) noexcept {
    frame.prefix[1] = static_cast<char>(frame.prefix[1] | 0x80);
    std::memcpy(&frame.prefix[frame.prefix_size], &key, sizeof key);
    frame.prefix_size += sizeof key;
}

std::uint32_t mask_of(const envelope& frame) noexcept {
    std::uint32_t key;
    std::memcpy(&key, &frame.prefix[frame.prefix_size - sizeof key], sizeof key);
    return key;
}

void encode_masked(opcode type, std::string_view payload, std::uint32_t key, byte_buffer& out) {
    auto header = make_header(type, payload.size());
    add_mask(header, key);
    out.grow_by(header.prefix_size + payload.size());
    out.append(header.head());
    unmask(out.room().data(), payload.data(), payload.size(), key, 0);
    out.commit(payload.size());
}

}  // namespace wsio::protocol
