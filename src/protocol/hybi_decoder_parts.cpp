#include "protocol/hybi_decoder.hpp"
#include "protocol/hybi_decoder_occasional.hpp"
#include "protocol/utf8.hpp"

#include <algorithm>
#include <limits>
#include <utility>

// Messages in parts: what came of one is given before the rest is there, inflated piece by piece where it is compressed. And
// large compressed messages that are wanted whole, inflated in steps.

namespace wsio::protocol {
namespace {

/// What one step of inflating takes, and makes, at most.
constexpr std::size_t taken_in_a_step = std::size_t{64} << 10;
constexpr std::size_t made_in_a_step = std::size_t{1} << 20;
constexpr std::size_t made_at_first = std::size_t{128} << 10;

}  // namespace

event hybi_decoder::give_part(bool last) {
    auto& o = *occasional_;
    bool const first = !o.begun;
    if (!last && message_type_ == opcode::text) {
        auto const cut = assembly_.view().substr(size_of_whole_characters(assembly_.view()));
        o.carried_size = static_cast<std::uint8_t>(cut.copy(o.carried.data(), o.carried.size()));
        assembly_.truncate(assembly_.size() - cut.size());
    }
    if (compressed_) {
        o.inflated += assembly_.size();
        codec_->remember(assembly_.view());
    } else {
        o.received += assembly_.size();
    }
    fit_assembly();
    o.begun = true;
    o.given = !last;
    fragments_ = 1;
    return {.kind = event_kind::part,
            .type = message_type_,
            .assembled = true,
            .first = first,
            .last = last,
            .data = assembly_.view()};
}

/// Gives back the room of what may wait, and is counted by its size.
void hybi_decoder::fit_assembly() {
    if (assembly_.capacity() / 2 <= assembly_.size()) return;
    byte_buffer fitting;
    fitting.append(assembly_.view());
    assembly_.swap(fitting);
}

/// Makes the assembly the beginning of the next part, once one was given.
void hybi_decoder::settle_part() {
    auto& o = *occasional_;
    if (!o.given) return;
    o.given = false;
    assembly_.clear();
    assembly_.append({o.carried.data(), std::exchange(o.carried_size, std::uint8_t{0})});
}

event hybi_decoder::receive_in_parts(std::size_t limit) {
    auto& o = need_occasional();
    if (o.parts) return {};
    bool const length_known = o.held && o.held_in == stage::header;
    o.parts = true;
    o.limit = std::max(limit, limits_.message_size);
    if (std::exchange(o.held, false)) stage_ = o.held_in;
    if (stage_ == stage::inflating) inflate_again();
    if (compressed_ && message_under_way() && !assembly_.empty()) {
        auto const received = std::exchange(assembly_, {});
        auto const resumed = stage_;
        begin_inflating(received.view(), false);
        o.after = resumed;
    }
    bool const never = missing_ == std::numeric_limits<std::size_t>::max();
    if (length_known && (never || missing_ > payload_limit() - received_so_far()))
        return fail(close_code::message_too_big, "message is over the size limit");
    return {};
}

event hybi_decoder::part_so_far() {
    if (!message_under_way()) return {};
    settle_part();
    auto const text = message_type_ == opcode::text;
    if ((text ? size_of_whole_characters(assembly_.view()) : assembly_.size()) == 0) return {};
    return give_part(false);
}

/// Hands what came of a message in parts to `inflate_on`.
void hybi_decoder::begin_inflating(std::string_view payload, bool complete) {
    auto& o = *occasional_;
    o.compressed.clear();
    o.compressed.append(payload);
    o.compressed_taken = 0;
    o.received += payload.size();
    o.complete = complete;
    o.after = missing_ == 0 ? stage::header : stage::payload;
    stage_ = stage::inflating;
}

/// Inflates a message in parts until a part is full, all that was received is used, or the message ends.
event hybi_decoder::inflate_on() {
    auto& o = *occasional_;
    if (!o.inflater) o.inflater = codec_->inflate_in_parts();
    for (;;) {
        settle_part();
        assembly_.reserve(max_part_size);
        // One byte beyond the limit shows that it is passed. What lies behind it must not count, for how much of that
        // is made at once depends on how the payload came.
        auto const left = o.limit - o.inflated - assembly_.size();
        auto const most = max_part_size - assembly_.size();
        auto const room = assembly_.room().first(left < most ? left + 1 : most);
        auto rest = o.compressed.view().substr(o.compressed_taken);
        auto const step = o.inflater->inflate(rest, room);
        o.compressed_taken = o.compressed.size() - rest.size();
        assembly_.commit(step.made);
        if (message_type_ == opcode::text && !utf8_.feed({room.data(), step.made})) return fail_invalid_text();
        if (step.made > left) return fail(close_code::message_too_big, "message is over the size limit when inflated");
        if (step.broken) return fail_broken_deflate();
        if (assembly_.size() == max_part_size) return give_part(false);
        o.compressed.release();
        o.compressed_taken = 0;
        if (!o.complete) {
            stage_ = o.after;
            return {};
        }
        if (o.tail_given || o.received == 0 || o.inflater->stream_ended()) return finish_inflating();
        o.compressed.append(flush_tail);
        o.tail_given = true;
    }
}

/// Begins to inflate a large message that is wanted whole: `next` goes on with it, a step each time, so that others have their
/// turn meanwhile. The payload may be the assembly.
event hybi_decoder::inflate_in_steps(std::string_view payload) {
    auto& o = need_occasional();
    o.begin_message();
    if (payload.data() == assembly_.data()) {
        o.compressed.swap(assembly_);
        o.compressed_taken = 0;
        o.received = payload.size();
        stage_ = stage::inflating;
    } else {
        begin_inflating(payload, true);
    }
    assembly_.release();
    return inflate_step();
}

event hybi_decoder::inflate_step() {
    auto& o = *occasional_;
    if (!o.inflater) o.inflater = codec_->inflate_in_parts();
    auto const left = limits_.message_size - assembly_.size();
    auto const wanted = std::clamp(assembly_.size() / 2, made_at_first, made_in_a_step);
    auto const most = left < wanted ? left + 1 : wanted;  // one beyond the limit shows that it is passed
    assembly_.grow_by(most);
    auto const room = assembly_.room().first(most);
    auto piece = o.compressed.view().substr(o.compressed_taken, taken_in_a_step);
    auto const taken = piece.size();
    auto const step = o.inflater->inflate(piece, room);
    o.compressed_taken += taken - piece.size();
    assembly_.commit(step.made);
    if (step.made > left) {
        inflate_again();
        return too_big("message is over the size limit when inflated");
    }
    if (message_type_ == opcode::text && !utf8_.feed({room.data(), step.made})) return fail_invalid_text();
    if (step.broken) return fail_broken_deflate();
    if (o.compressed_taken != o.compressed.size() || step.made == room.size()) return {};
    if (o.tail_given || o.inflater->stream_ended()) return finish_inflating();
    o.compressed.append(flush_tail);
    o.tail_given = true;
    return {};
}

/// Begins the message that is being inflated anew.
void hybi_decoder::inflate_again() {
    auto& o = *occasional_;
    if (std::exchange(o.tail_given, false)) o.compressed.truncate(o.compressed.size() - flush_tail.size());
    o.compressed_taken = 0;
    o.inflater.reset();
    assembly_.release();
    utf8_.reset();
}

event hybi_decoder::finish_inflating() {
    auto& o = *occasional_;
    // Nothing at all stands for an empty message, as it does for `inflater`.
    if (o.received != 0 && !o.inflater->at_end_of_block()) return fail_broken_deflate();
    o.inflater.reset();
    o.compressed.release();
    stage_ = stage::between_messages;
    if (message_type_ == opcode::text && !utf8_.complete()) return fail_invalid_text();
    if (!o.begun) {
        codec_->remember(assembly_.view());
        fit_assembly();
    }
    return finish_message();
}

/// Takes a message for a failure that can be taken back: it is too big to be given whole.
event hybi_decoder::too_big(std::string_view why) {
    if (in_parts()) return fail(close_code::message_too_big, why);
    auto& o = need_occasional();
    o.held = true;
    o.held_in = std::exchange(stage_, stage::ended);
    return {.kind = event_kind::failed, .resumable = true, .code = close_code::message_too_big, .data = why};
}

}  // namespace wsio::protocol
