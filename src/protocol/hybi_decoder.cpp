#include "protocol/hybi_decoder.hpp"

#include "protocol/hybi_decoder_occasional.hpp"
#include "protocol/mask.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

namespace wsio::protocol {
namespace {

/// An announced payload length is believed up to here. Beyond it memory is taken as bytes really arrive, so that a
/// header of 14 bytes cannot cost the server more than this.
constexpr std::size_t trusted_length = std::size_t{1} << 20;

/// From here on receiving straight into the message beats receiving into the loop's block and copying. Below it the
/// bytes of the frames that follow would need a receive of their own.
constexpr std::size_t window_threshold = std::size_t{16} << 10;

std::span<char> take(std::span<char>& input, std::size_t count) noexcept {
    auto const front = input.first(count);
    input = input.subspan(count);
    return front;
}

/// The sizes of a frame's header, masking key included, and payload.
struct frame_sizes {
    std::size_t header;
    std::size_t payload;
};

/// Measures the frame at the front of `input` if it is an unfragmented data frame of less than 64 KiB that is there
/// whole. Gives a header size of 0 for everything else, violations included: the general path knows them all.
inline frame_sizes measure(std::span<char> input, unsigned mask_bit, std::size_t limit) noexcept {
    constexpr unsigned whole_text = 0x80 | static_cast<unsigned>(opcode::text);  // FIN, and no reserved bit
    constexpr unsigned whole_binary = 0x80 | static_cast<unsigned>(opcode::binary);
    if (input.size() < 2) return {0, 0};
    auto const* const bytes = reinterpret_cast<const unsigned char*>(input.data());
    if (bytes[0] != whole_text && bytes[0] != whole_binary) return {0, 0};

    std::size_t header = 2;
    std::size_t payload = bytes[1] ^ mask_bit;  // with a wrong mask bit this is over 127
    if (payload > 125) {
        if (payload != 126 || input.size() < 4) return {0, 0};
        header = 4;
        payload = std::size_t{bytes[2]} << 8 | bytes[3];
        if (payload < 126) return {0, 0};
    }
    if (mask_bit != 0) header += 4;
    if (input.size() < header + payload || payload > limit) return {0, 0};
    return {header, payload};
}

constexpr std::string_view view(std::span<char> bytes) noexcept { return {bytes.data(), bytes.size()}; }

/// So many bytes of a compressed message in parts are given to the inflater at a time.
constexpr std::size_t inflated_at_once = std::size_t{16} << 10;

}  // namespace

hybi_decoder::hybi_decoder(const hybi_rules& rules, role role, decoder_limits limits) noexcept
    : limits_(limits), mask_bit_(role == role::server ? 0x80 : 0), rules_(&rules) {}

hybi_decoder::~hybi_decoder() = default;

hybi_decoder::occasional& hybi_decoder::need_occasional() {
    if (!occasional_) occasional_ = std::make_unique<occasional>();
    return *occasional_;
}

bool hybi_decoder::in_parts() const noexcept { return occasional_ && occasional_->parts; }

bool hybi_decoder::message_under_way() const noexcept {
    if (stage_ != stage::header && stage_ != stage::payload) return false;
    return message_open_ || !is_control();
}

event hybi_decoder::next(std::span<char>& input) {
    if (stage_ != stage::between_messages) return take_general(input);
    auto const frame = measure(input, mask_bit_, limits_.message_size);
    if (frame.header == 0) return take_general(input);

    // The short way for nearly all messages.
    auto const type = static_cast<opcode>(input[0] & 0x0F);
    char* const payload = input.data() + frame.header;
    std::string_view const data{payload, frame.payload};
    input = input.subspan(frame.header + frame.payload);
    if (mask_bit_ != 0) {
        std::uint32_t key;
        std::memcpy(&key, payload - sizeof key, sizeof key);
        unmask(payload, payload, frame.payload, key, 0);
    }
    if (type == opcode::text && !valid_utf8(data)) return fail_invalid_text();
    return {.kind = event_kind::message, .type = type, .data = data};
}

/// Takes whatever the short way in `next` does not.
event hybi_decoder::take_general(std::span<char>& input) {
    event found;
    if (occasional_) settle_part();
    if (stage_ == stage::inflating) found = in_parts() ? inflate_on() : inflate_step();
    while (!input.empty() && found.kind == event_kind::need_more && stage_ != stage::inflating) {
        if (stage_ == stage::payload)
            found = take_payload_part(input);
        else if (stage_ == stage::ended)
            take(input, input.size());
        else
            found = take_header(input);
    }
    return found;
}

event hybi_decoder::take_header(std::span<char>& input) {
    stage_ = stage::header;
    while (!input.empty()) {
        std::size_t const wanted = next_check() - header_size_;
        auto const part = take(input, std::min(wanted, input.size()));
        std::memcpy(&header_[header_size_], part.data(), part.size());
        header_size_ = static_cast<std::uint8_t>(header_size_ + part.size());
        if (part.size() < wanted) return {};
        if (auto const broken = check_header(); broken.kind == event_kind::failed) return broken;
        if (header_size_ == header_end()) return begin_payload(input);
    }
    return {};
}

/// Gives the most bytes that a message may have on the wire. What cannot be compressed becomes longer by compression: by
/// less than a seventh with zlib at its worst (deflateBound), so a quarter is room for every compressor.
std::size_t hybi_decoder::payload_limit() const noexcept {
    std::size_t const limit = in_parts() ? occasional_->limit : limits_.message_size;
    return compressed_ ? std::max(limit, limit + limit / 4 + 64) : limit;
}

/// Counts the payload bytes of the message in the frames before this one.
std::size_t hybi_decoder::received_so_far() const noexcept {
    if (!occasional_) return assembly_.size();
    bool const inflates = compressed_ && occasional_->parts;  // the assembly holds what was made of them
    return occasional_->received + (inflates ? 0 : assembly_.size());
}

event hybi_decoder::begin_payload(std::span<char>& input) {
    if (mask_bit_ != 0) std::memcpy(&key_, &header_[header_size_ - 4U], sizeof key_);
    phase_ = 0;
    header_size_ = 0;
    control_size_ = 0;
    stage_ = stage::payload;
    bool const fragment = frame_type() == opcode::continuation || !is_final();
    bool const at_once = !fragment && (missing_ <= max_part_size || !in_parts());
    return missing_ <= input.size() && at_once ? take_whole_payload(input) : take_payload_part(input);
}

/// Takes the payload of an unfragmented frame that lies in the input whole, without a copy.
event hybi_decoder::take_whole_payload(std::span<char>& input) {
    auto const payload = take(input, missing_);
    unmask_part(payload.data(), payload.data(), payload.size());
    if (is_control()) return finish_control_frame(view(payload));
    stage_ = stage::between_messages;
    if (compressed_) return inflate(view(payload));
    if (message_type_ == opcode::text && !valid_utf8(view(payload))) return fail_invalid_text();
    return {.kind = event_kind::message, .type = message_type_, .data = view(payload)};
}

event hybi_decoder::take_payload_part(std::span<char>& input) {
    std::size_t count = std::min(missing_, input.size());
    if (is_control()) {
        auto& payload = need_occasional().control_payload;
        unmask_part(payload.data() + control_size_, take(input, count).data(), count);
        control_size_ = static_cast<std::uint8_t>(control_size_ + count);
        return missing_ == 0 ? finish_control_frame({payload.data(), control_size_}) : event{};
    }
    if (in_parts() && compressed_) {
        auto const part = take(input, std::min(count, inflated_at_once));
        unmask_part(part.data(), part.data(), part.size());
        begin_inflating(view(part), missing_ == 0 && !message_open_);
        return inflate_on();
    }
    if (in_parts()) {
        // What came before parts were asked for may be more. Behind an empty payload nothing would wake us again.
        auto const room = max_part_size - std::min(max_part_size, assembly_.size());
        if (room == 0 && missing_ != 0) return give_part(false);
        count = std::min(count, room);
    }
    auto const part = take(input, count);
    make_room(part.size());
    unmask_part(assembly_.room().data(), part.data(), part.size());
    return add_to_message(part.size());
}

void hybi_decoder::unmask_part(char* to, const char* from, std::size_t count) noexcept {
    unmask(to, from, count, key_, phase_);
    phase_ = static_cast<std::uint8_t>((phase_ + count) % 4);
    missing_ -= count;
}

/// Makes room in the message for the next `count` bytes of the current frame, and for more where that is safe: for the
/// whole frame as far as its announced length is trusted, else by a half of what is there already.
void hybi_decoder::make_room(std::size_t count) {
    std::size_t const size = assembly_.size();
    if (count <= assembly_.capacity() - size) return;
    std::size_t const bound = in_parts() ? max_part_size : std::numeric_limits<std::size_t>::max();
    std::size_t const announced = std::min(size + missing_, bound);
    std::size_t const trusted = std::min(announced, std::max(size + count, trusted_length));
    // Only the last fragment shows where the message ends. Before it growth must be generous, or a flood of small
    // fragments would move the message once for each of them.
    std::size_t const most = is_final() ? announced : std::min(payload_limit(), bound);
    std::size_t const generous = std::min(assembly_.capacity() + assembly_.capacity() / 2, most);
    assembly_.reserve(std::max(trusted, generous));
}

/// Counts bytes that were unmasked into the message's room.
event hybi_decoder::add_to_message(std::size_t count) {
    std::string_view const added{assembly_.room().data(), count};
    assembly_.commit(count);
    if (message_type_ == opcode::text && !compressed_ && !utf8_.feed(added)) return fail_invalid_text();
    if (missing_ == 0) {
        if (!message_open_) return finish_message_frame();
        stage_ = stage::header;
    }
    return in_parts() && assembly_.size() >= max_part_size ? give_part(false) : event{};
}

event hybi_decoder::finish_message_frame() {
    stage_ = stage::between_messages;
    if (compressed_) return inflate(assembly_.view());
    if (message_type_ == opcode::text && !utf8_.complete()) return fail_invalid_text();
    return finish_message();
}

/// Gives the assembled message, or what is left of it if it was begun in parts.
event hybi_decoder::finish_message() {
    if (occasional_ && occasional_->begun) return give_part(true);
    return {.kind = event_kind::message, .type = message_type_, .assembled = true, .data = assembly_.view()};
}

/// Gives back the memory of a message that is not wanted any more.
void hybi_decoder::let_go() {
    assembly_.release();
    if (!occasional_) return;
    occasional_->inflater.reset();
    occasional_->compressed.release();
}

event hybi_decoder::finish_control_frame(std::string_view payload) {
    stage_ = message_open_ ? stage::header : stage::between_messages;
    switch (frame_type()) {
        case opcode::ping: return {.kind = event_kind::ping, .data = payload};
        case opcode::pong: return {.kind = event_kind::pong, .data = payload};
        default: return check_close(payload);
    }
}

event hybi_decoder::check_close(std::string_view payload) {
    stage_ = stage::ended;
    let_go();  // nothing follows a close frame, so an unfinished message stays so (RFC 6455 5.5.1)
    if (payload.empty()) return {.kind = event_kind::closing, .code = close_code::no_status, .data = {}};
    auto const high = static_cast<unsigned char>(payload[0]);
    auto const low = static_cast<unsigned char>(payload[1]);
    auto const code = static_cast<close_code>(high << 8 | low);
    if (!may_receive(*rules_, code))
        return fail(close_code::protocol_error, "close code may not be sent (RFC 6455 7.4)");
    auto const reason = payload.substr(2);
    if (!valid_utf8(reason))
        return fail(close_code::invalid_payload, "close reason is not valid UTF-8 (RFC 6455 5.5.1)");
    return {.kind = event_kind::closing, .code = code, .data = reason};
}

event hybi_decoder::fail(close_code code, std::string_view why) {
    stage_ = stage::ended;
    let_go();
    return {.kind = event_kind::failed, .code = code, .data = why};
}

event hybi_decoder::fail_broken_deflate() {
    return fail(close_code::invalid_payload, "compressed message is not valid DEFLATE data (RFC 7692 7.2.2)");
}

event hybi_decoder::fail_invalid_text() {
    return fail(close_code::invalid_payload, "text is not valid UTF-8 (RFC 6455 8.1)");
}

std::span<char> hybi_decoder::window() {
    if (stage_ != stage::payload || missing_ < window_threshold) return {};  // a control frame never lacks so much
    std::size_t most = std::min(missing_, std::size_t{256} << 10);
    if (in_parts()) {
        settle_part();
        // The inflater has to see them first, or the part is nearly full.
        if (compressed_ || assembly_.size() + window_threshold > max_part_size) return {};
        most = std::min(most, max_part_size - assembly_.size());
    }
    make_room(window_threshold);
    auto const room = assembly_.room();
    return room.first(std::min(room.size(), most));
}

event hybi_decoder::commit(std::size_t count) {
    char* const received = assembly_.room().data();
    unmask_part(received, received, count);
    return add_to_message(count);
}

}  // namespace wsio::protocol
