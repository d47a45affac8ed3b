#pragma once

#include <wsio/protocol/decoder.hpp>
#include <wsio/protocol_version.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace wsio::protocol {

/// Decodes drafts 75 and 76 in either role: nothing is masked. A frame of type 00 is a text message; all other frames
/// are read and discarded, except FF 00 in draft 76, which closes.
///
/// `decoder_limits::message_size` applies to the bytes received in one frame, discarded ones included. The drafts have
/// no limit and no close codes, so the code of a `failed` event tells the application what was wrong; the connection
/// just ends. Text that is not UTF-8 does not fail: U+FFFD takes the place of what is invalid (pywebsocket does so and
/// cites hixie-76 4.4), after which a message can be three times as long as the limit. A message in parts is repaired part
/// by part.
class hixie_decoder final : public decoder {
public:
    hixie_decoder(protocol_version version, decoder_limits limits) noexcept;

    [[nodiscard]] event next(std::span<char>& input) override;
    [[nodiscard]] std::span<char> window() override { return {}; }  // no length is announced that could be waited for
    [[nodiscard]] event commit(std::size_t) override { return {}; }
    [[nodiscard]] event receive_in_parts(std::size_t limit) override;
    [[nodiscard]] event part_so_far() override;

private:
    enum class stage : std::uint8_t {
        type,             ///< Before a frame's type byte.
        text,             ///< In a text message, up to the next FF.
        discarded_text,   ///< In a frame of type 01 to 7F, up to the next FF.
        length,           ///< In the length of a frame of type 80 to FF.
        discarded_bytes,  ///< In the payload of such a frame; `count_` bytes are left.
        ended,            ///< After `closing` or `failed`.
    };

    void take_type(std::span<char>& input);
    event take_text(std::span<char>& input);
    event take_length(std::span<char>& input);
    void discard_bytes(std::span<char>& input);
    event finish_length();
    event finish_text(std::string_view received, bool assembled);
    event take_text_in_parts(std::span<char>& input);
    event give_part(bool last);
    void settle_part();
    void repair(std::string_view received);
    event too_big();
    void keep(std::string_view part);
    event fail(close_code code, std::string_view why);

    std::size_t message_size_;
    std::size_t streamed_size_ = 0;  ///< The limit of messages in parts; 0 when they come whole.
    std::size_t count_ = 0;  ///< Bytes of the frame so far, its length so far, or the bytes left of it: see `stage`.
    std::uint8_t length_size_ = 0;  ///< Bytes of the length so far.
    bool has_closing_frame_;
    bool closing_type_ = false;  ///< The current frame's type is FF.
    bool held_ = false;          ///< `ended` by a text that was too big to be given whole.
    bool begun_ = false;         ///< A part of the text was given.
    bool given_ = false;         ///< What the assembly holds was given as a part.
    std::uint8_t carried_size_ = 0;
    std::array<char, 3> carried_;  ///< The beginning of a character that a part was not to end in.
    stage stage_ = stage::type;
};

}  // namespace wsio::protocol
