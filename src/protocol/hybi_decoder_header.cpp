#include "protocol/hybi_decoder.hpp"
#include "protocol/hybi_decoder_occasional.hpp"

#include <algorithm>
#include <limits>

// What the header of a frame may say: the rules of RFC 6455 5.2 to 5.5, each checked as soon as its bytes are there.

namespace wsio::protocol {

/// Gives the size of the header at which the next thing about it is known.
std::size_t hybi_decoder::next_check() const noexcept {
    if (header_size_ < 2) return header_size_ + 1U;
    if (header_size_ == 2 && length_field_size() == 8) return 3;
    std::size_t const length_end = 2 + length_field_size();
    return header_size_ < length_end ? length_end : header_end();
}

/// Gives the size of the whole header, which is known from two bytes on.
std::size_t hybi_decoder::header_end() const noexcept {
    return header_size_ < 2 ? header_.size() : 2 + length_field_size() + (mask_bit_ != 0 ? 4 : 0);
}

std::size_t hybi_decoder::length_field_size() const noexcept {
    std::size_t const length = header_[1] & 0x7F;
    return length < 126 ? 0 : length == 126 ? 2 : 8;
}

/// Checks what the header's newest bytes complete; gives a failed event or an empty one.
event hybi_decoder::check_header() {
    if (header_size_ == 1) return check_first_byte();
    if (header_size_ == 2) {
        if (auto const broken = check_second_byte(); broken.kind == event_kind::failed) return broken;
    }
    if (header_size_ == 3 && length_field_size() == 8 && (header_[2] & 0x80) != 0)
        return fail(close_code::protocol_error, "top bit of a 64-bit length is set (RFC 6455 5.2)");
    return header_size_ == 2 + length_field_size() ? check_length() : event{};
}

event hybi_decoder::check_first_byte() {
    // permessage-deflate gives a meaning to RSV1, on the first frame of a data message alone (RFC 7692 6).
    bool const begins_message = frame_type() == opcode::text || frame_type() == opcode::binary;
    unsigned const forbidden_bits = codec_ != nullptr && begins_message ? 0x30 : 0x70;
    if ((header_[0] & forbidden_bits) != 0)
        return fail(close_code::protocol_error, "reserved bit is set where no extension uses it (RFC 6455 5.2)");
    switch (frame_type()) {
        case opcode::continuation:
            if (!message_open_)
                return fail(close_code::protocol_error, "continuation frame outside a message (RFC 6455 5.4)");
            if (fragments_ >= limits_.fragments)
                return fail(close_code::policy_violation, "message comes in too many fragments");
            ++fragments_;
            message_open_ = !is_final();
            return {};
        case opcode::text:
        case opcode::binary:
            if (message_open_)
                return fail(close_code::protocol_error, "new message inside a fragmented one (RFC 6455 5.4)");
            message_type_ = frame_type();
            compressed_ = (header_[0] & 0x40) != 0;
            message_open_ = !is_final();
            fragments_ = 1;
            assembly_.clear();  // a payload that nobody took
            if (occasional_) occasional_->begin_message();
            utf8_.reset();
            return {};
        case opcode::close:
        case opcode::ping:
        case opcode::pong:
            if (!is_final()) return fail(close_code::protocol_error, "control frame is fragmented (RFC 6455 5.5)");
            return {};
    }
    return fail(close_code::protocol_error, "opcode is reserved (RFC 6455 5.2)");
}

event hybi_decoder::check_second_byte() {
    if ((header_[1] & 0x80) != mask_bit_) {
        return mask_bit_ != 0 ? fail(close_code::protocol_error, "frame is not masked (RFC 6455 5.1)")
                              : fail(close_code::protocol_error, "frame from a server is masked (RFC 6455 5.1)");
    }
    if (!is_control()) return {};
    std::size_t const length = header_[1] & 0x7F;
    if (length > max_control_payload)
        return fail(close_code::protocol_error,
                    "control frame is longer than 125 bytes, or has its length in more than 7 bits (RFC 6455 5.5)");
    if (frame_type() == opcode::close && length == 1)
        return fail(close_code::protocol_error, "close frame has a payload of one byte (RFC 6455 5.5.1)");
    return {};
}

event hybi_decoder::check_length() {
    std::uint64_t length = header_[1] & 0x7F;
    if (length >= 126) {
        length = 0;
        for (std::size_t i = 2; i < header_size_; ++i) length = length << 8 | header_[i];
        std::uint64_t const least = length_field_size() == 2 ? 126 : 65536;
        if (rules_->minimal_length && length < least)
            return fail(close_code::protocol_error, "length is not in its shortest form (RFC 6455 5.2)");
    }
    // Where memory is counted in 32 bits a length that does not fit becomes the largest number: no message is so long.
    missing_ = static_cast<std::size_t>(std::min<std::uint64_t>(length, std::numeric_limits<std::size_t>::max()));
    // The message so far is within the limit, so nothing here can wrap.
    if (!is_control() && length > payload_limit() - received_so_far()) return too_big("message is over the size limit");
    return {};
}

}  // namespace wsio::protocol
