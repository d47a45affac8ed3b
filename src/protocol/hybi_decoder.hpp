#pragma once

#include "protocol/hybi_rules.hpp"
#include "protocol/permessage_deflate.hpp"
#include "protocol/short_payload.hpp"
#include "protocol/utf8.hpp"

#include <wsio/protocol/decoder.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

namespace wsio::protocol {

/// The most bytes that the payload of a control frame may have (RFC 6455 5.5).
inline constexpr std::size_t max_control_payload = 125;

/// Decodes protocols 7, 8 and 13 in either role. A server's decoder wants masked frames, a client's unmasked ones.
///
/// A whole data message that lies in the input is unmasked in place. Everything else goes through a general path that
/// checks each part of the header as it comes, so that a violation is answered at the byte that shows it, and assembles
/// the payload.
class hybi_decoder final : public decoder {
public:
    hybi_decoder(const hybi_rules& rules, role role, decoder_limits limits) noexcept;
    ~hybi_decoder() override;

    /// Accepts compressed messages, because permessage-deflate was agreed on; to be called before the first byte. With
    /// null, when nothing more is to be decoded, it lets go of the codec.
    void inflate_with(permessage_deflate::pointer codec) noexcept { codec_ = std::move(codec); }
    [[nodiscard]] permessage_deflate* codec() const noexcept { return codec_.get(); }

    [[nodiscard]] event next(std::span<char>& input) override;
    [[nodiscard]] std::span<char> window() override;
    [[nodiscard]] event commit(std::size_t count) override;
    [[nodiscard]] event receive_in_parts(std::size_t limit) override;
    [[nodiscard]] event part_so_far() override;
    [[nodiscard]] bool holds_more() const noexcept override { return stage_ == stage::inflating; }

    /// Takes the next frame, as `next` would, if it is a whole, masked, unfragmented data frame of at most 125 bytes between
    /// messages. Gives false, with `input` as it was, for everything else. Inline, because a server of small messages
    /// spends its time here.
    [[nodiscard]] bool next_short(std::span<char>& input, event& found) noexcept;

private:
    enum class stage : std::uint8_t {
        between_messages,  ///< Nothing is kept of what came so far.
        header,            ///< In a frame's header, or before a frame that continues a message.
        payload,           ///< In a frame's payload; `missing_` is not 0.
        inflating,  ///< A message in parts, or a large one, is inflated from what came of it; see `occasional::after`.
        ended,      ///< After `closing` or `failed`.
    };

    /// What few connections need, made when the first need comes.
    struct occasional;

    event take_general(std::span<char>& input);
    event take_header(std::span<char>& input);
    event check_header();
    event check_first_byte();
    event check_second_byte();
    event check_length();
    event begin_payload(std::span<char>& input);

    event take_whole_payload(std::span<char>& input);
    event take_payload_part(std::span<char>& input);
    event add_to_message(std::size_t count);
    void make_room(std::size_t count);
    event finish_message_frame();
    event finish_message();
    event give_part(bool last);
    void settle_part();
    void fit_assembly();
    void begin_inflating(std::string_view payload, bool complete);
    event inflate_on();
    event inflate_step();
    void inflate_again();
    event finish_inflating();
    event too_big(std::string_view why);
    void let_go();
    event inflate(std::string_view payload);
    event finish_control_frame(std::string_view payload);
    event check_close(std::string_view payload);
    event fail(close_code code, std::string_view why);
    event fail_broken_deflate();
    event fail_invalid_text();

    [[nodiscard]] opcode frame_type() const noexcept { return static_cast<opcode>(header_[0] & 0x0F); }
    [[nodiscard]] bool is_final() const noexcept { return (header_[0] & 0x80) != 0; }
    [[nodiscard]] bool is_control() const noexcept { return (header_[0] & 0x08) != 0; }
    [[nodiscard]] bool in_parts() const noexcept;
    [[nodiscard]] bool message_under_way() const noexcept;
    [[nodiscard]] std::size_t received_so_far() const noexcept;
    occasional& need_occasional();
    [[nodiscard]] std::size_t payload_limit() const noexcept;
    [[nodiscard]] std::size_t length_field_size() const noexcept;
    [[nodiscard]] std::size_t header_end() const noexcept;
    [[nodiscard]] std::size_t next_check() const noexcept;
    void unmask_part(char* to, const char* from, std::size_t count) noexcept;

    // What short messages touch comes first.
    decoder_limits limits_;
    stage stage_ = stage::between_messages;
    std::uint8_t mask_bit_;  ///< What the mask bit must be: 0x80 or 0.
    opcode message_type_ = opcode::text;
    bool message_open_ = false;  ///< The next data frame continues a message.
    bool compressed_ = false;    ///< The message is compressed.
    std::uint8_t header_size_ = 0;
    std::uint8_t control_size_ = 0;
    std::uint8_t phase_ = 0;                ///< Which byte of the key comes next.
    std::uint32_t key_ = 0;                 ///< The current frame's masking key; 0 in the client's role.
    std::array<unsigned char, 14> header_;  ///< The current frame's header; [0] is valid as long as the frame lasts.
    utf8_validator utf8_;
    std::size_t fragments_ = 0;  ///< Frames of the current message so far.
    std::size_t missing_ = 0;    ///< Payload bytes that the current frame still lacks.
    const hybi_rules* rules_;
    permessage_deflate::pointer codec_;
    std::unique_ptr<occasional> occasional_;
};

inline bool hybi_decoder::next_short(std::span<char>& input, event& found) noexcept {
    constexpr std::size_t header = 6;
    if (stage_ != stage::between_messages || mask_bit_ == 0 || input.size() < header) return false;
    char* const bytes = input.data();
    auto const first = static_cast<unsigned char>(bytes[0]);
    std::size_t const size = static_cast<unsigned char>(bytes[1]) ^ 0x80U;  // over 127 if the mask bit is missing
    bool const text = first == (0x80U | static_cast<unsigned>(opcode::text));
    if (!text && first != (0x80U | static_cast<unsigned>(opcode::binary))) return false;
    if (size > 125 || input.size() < header + size || size > limits_.message_size) return false;

    std::uint32_t key;
    std::memcpy(&key, bytes + 2, sizeof key);
    char* const payload = bytes + header;
    bool const ascii = unmask_short(payload, size, key);
    input = input.subspan(header + size);
    if (text && !ascii && !valid_utf8({payload, size}))
        found = fail_invalid_text();
    else
        found = {.kind = event_kind::message, .type = text ? opcode::text : opcode::binary, .data = {payload, size}};
    return true;
}

}  // namespace wsio::protocol
