#include "protocol/hixie_decoder.hpp"

#include "protocol/utf8.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace wsio::protocol {
namespace {

/// The drafts put no bound on the number of length bytes: a run of 80 is an endless zero. Ten hold any 64-bit length.
constexpr std::uint8_t max_length_size = 10;

constexpr char text_end = '\xFF';

/// So many bytes of text make a part: repaired, it is at most three times as long.
constexpr std::size_t part_size = max_part_size / 3;

}  // namespace

hixie_decoder::hixie_decoder(protocol_version version, decoder_limits limits) noexcept
    : message_size_(limits.message_size), has_closing_frame_(version == protocol_version::hixie_76) {}

event hixie_decoder::next(std::span<char>& input) {
    event found;
    while (!input.empty() && found.kind == event_kind::need_more) {
        switch (stage_) {
            case stage::type: take_type(input); break;
            case stage::text: found = streamed_size_ != 0 ? take_text_in_parts(input) : take_text(input); break;
            case stage::discarded_text: found = take_text(input); break;
            case stage::length: found = take_length(input); break;
            case stage::discarded_bytes: discard_bytes(input); break;
            case stage::ended: input = input.last(0); break;
        }
    }
    return found;
}

void hixie_decoder::take_type(std::span<char>& input) {
    auto const type = static_cast<unsigned char>(input.front());
    input = input.subspan(1);
    count_ = 0;
    if ((type & 0x80) != 0) {
        stage_ = stage::length;
        length_size_ = 0;
        closing_type_ = type == 0xFF;
    } else if (type != 0) {
        stage_ = stage::discarded_text;
    } else {
        stage_ = stage::text;
        assembly_.clear();  // a payload that nobody took
        begun_ = given_ = false;
        carried_size_ = 0;
    }
}

/// Takes the bytes up to the FF that ends the frame, for a message as for a discarded frame.
event hixie_decoder::take_text(std::span<char>& input) {
    std::size_t const allowed = message_size_ - count_;
    std::size_t const searched = input.size() > allowed ? allowed + 1 : input.size();
    auto const* const end = static_cast<const char*>(std::memchr(input.data(), text_end, searched));
    if (end == nullptr && input.size() > allowed) {
        if (stage_ == stage::text) keep({input.data(), searched});
        count_ += searched;
        input = input.subspan(searched);
        return too_big();
    }
    std::size_t const size = end != nullptr ? static_cast<std::size_t>(end - input.data()) : input.size();
    std::string_view const part{input.data(), size};
    input = input.subspan(end != nullptr ? size + 1 : size);
    bool const whole = count_ == 0 && end != nullptr;
    count_ += size;
    if (stage_ == stage::text && !whole) keep(part);
    if (end == nullptr) return {};
    bool const discarded = stage_ == stage::discarded_text;
    stage_ = stage::type;
    if (discarded) return {};
    return whole ? finish_text(part, false) : finish_text(assembly_.view(), true);
}

/// Appends to the message. Its end is not announced, so memory grows by halves, up to the limit.
void hixie_decoder::keep(std::string_view part) {
    std::size_t const needed = assembly_.size() + part.size();
    if (needed > assembly_.capacity()) {
        std::size_t const generous = assembly_.capacity() + assembly_.capacity() / 2;
        assembly_.reserve(std::max(needed, std::min(generous, message_size_)));
    }
    assembly_.append(part);
}

/// Takes the bytes up to the FF that ends the text, but no more than fill a part.
event hixie_decoder::take_text_in_parts(std::span<char>& input) {
    settle_part();
    std::size_t const room = part_size - std::min(part_size, assembly_.size());
    std::size_t const searched = std::min(input.size(), room + 1);
    auto const* const end = static_cast<const char*>(std::memchr(input.data(), text_end, searched));
    std::size_t const size = end != nullptr ? static_cast<std::size_t>(end - input.data()) : std::min(searched, room);
    if (std::size_t const allowed = streamed_size_ - count_; size > allowed) {
        input = input.subspan(allowed + 1);
        return fail(close_code::message_too_big, "message is over the size limit");
    }
    std::string_view const part{input.data(), size};
    input = input.subspan(end != nullptr ? size + 1 : size);
    bool const whole = count_ == 0 && end != nullptr;
    count_ += size;
    if (!whole) keep(part);
    // A full part waits for the next byte, which says whether it is the last.
    if (end == nullptr) return searched > room ? give_part(false) : event{};
    stage_ = stage::type;
    if (begun_) return give_part(true);
    return whole ? finish_text(part, false) : finish_text(assembly_.view(), true);
}

event hixie_decoder::give_part(bool last) {
    if (!last) {
        auto const cut = assembly_.view().substr(size_of_whole_characters(assembly_.view()));
        carried_size_ = static_cast<std::uint8_t>(cut.copy(carried_.data(), carried_.size()));
        assembly_.truncate(assembly_.size() - cut.size());
    }
    if (!valid_utf8(assembly_.view())) repair(assembly_.view());
    given_ = !last;
    return {.kind = event_kind::part,
            .type = opcode::text,
            .assembled = true,
            .first = !std::exchange(begun_, true),
            .last = last,
            .data = assembly_.view()};
}

/// Makes the assembly the beginning of the next part, once one was given.
void hixie_decoder::settle_part() {
    if (!std::exchange(given_, false)) return;
    assembly_.clear();
    assembly_.append({carried_.data(), std::exchange(carried_size_, std::uint8_t{0})});
}

event hixie_decoder::receive_in_parts(std::size_t limit) {
    if (streamed_size_ != 0) return {};
    streamed_size_ = std::max(limit, message_size_);
    if (!std::exchange(held_, false)) return {};
    stage_ = stage::text;
    return count_ > streamed_size_ ? fail(close_code::message_too_big, "message is over the size limit") : event{};
}

event hixie_decoder::part_so_far() {
    if (stage_ != stage::text) return {};
    settle_part();
    return size_of_whole_characters(assembly_.view()) == 0 ? event{} : give_part(false);
}

/// Puts U+FFFD in the place of what is not UTF-8. `received` may lie in the assembly, and the outcome does.
void hixie_decoder::repair(std::string_view received) {
    byte_buffer repaired;
    repaired.reserve(received.size());
    replace_invalid_utf8(received, repaired);
    assembly_.swap(repaired);
}

event hixie_decoder::finish_text(std::string_view received, bool assembled) {
    if (!valid_utf8(received)) {
        repair(received);
        received = assembly_.view();
        assembled = true;
    }
    return {.kind = event_kind::message, .type = opcode::text, .assembled = assembled, .data = received};
}

event hixie_decoder::take_length(std::span<char>& input) {
    while (!input.empty()) {
        auto const next = static_cast<unsigned char>(input.front());
        input = input.subspan(1);
        // Compared before it is shifted: `count_` never gets over the limit by more than 127, and cannot wrap.
        if (count_ > message_size_ / 128) return fail(close_code::message_too_big, "frame is over the size limit");
        count_ = count_ * 128 + (next & 0x7FU);
        if (count_ > message_size_) return fail(close_code::message_too_big, "frame is over the size limit");
        if (++length_size_ > max_length_size)
            return fail(close_code::protocol_error, "length of a frame has more than ten bytes");
        if ((next & 0x80) == 0) return finish_length();
    }
    return {};
}

event hixie_decoder::finish_length() {
    if (count_ != 0) {
        stage_ = stage::discarded_bytes;
        return {};
    }
    // FF with length 0, however that is written, closes draft 76 (hixie-76 5.3). `80 00` is not a close. In draft 75
    // FF 00 means nothing; pywebsocket skips it too.
    if (closing_type_ && has_closing_frame_) {
        stage_ = stage::ended;
        return {.kind = event_kind::closing, .code = close_code::no_status, .data = {}};
    }
    stage_ = stage::type;
    return {};
}

void hixie_decoder::discard_bytes(std::span<char>& input) {
    std::size_t const size = std::min(count_, input.size());
    input = input.subspan(size);
    count_ -= size;
    if (count_ == 0) stage_ = stage::type;
}

/// Ends with a failure that can be taken back if it is a text that is too big to be given whole.
event hixie_decoder::too_big() {
    constexpr std::string_view why = "message is over the size limit";
    if (stage_ != stage::text) return fail(close_code::message_too_big, why);
    held_ = true;
    stage_ = stage::ended;
    return {.kind = event_kind::failed, .resumable = true, .code = close_code::message_too_big, .data = why};
}

event hixie_decoder::fail(close_code code, std::string_view why) {
    stage_ = stage::ended;
    assembly_.release();
    return {.kind = event_kind::failed, .code = code, .data = why};
}

}  // namespace wsio::protocol
