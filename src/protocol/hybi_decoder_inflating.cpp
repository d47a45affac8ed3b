#include "protocol/hybi_decoder.hpp"
#include "protocol/hybi_decoder_occasional.hpp"

#include <algorithm>
#include <utility>

// Compressed messages: small ones are inflated at once when they are there, large ones in steps, and those in parts as they come.

namespace wsio::protocol {
namespace {

/// A message that is compressed to more is not inflated at once: it may be made to take seconds.
constexpr std::size_t inflated_whole = std::size_t{64} << 10;

/// What one step of inflating takes, and makes, at most.
constexpr std::size_t taken_in_a_step = std::size_t{64} << 10;
constexpr std::size_t made_in_a_step = std::size_t{1} << 20;
constexpr std::size_t made_at_first = std::size_t{128} << 10;

}  // namespace

/// Makes the message of its payload, which is there whole (RFC 7692 7.2.2): the machinery that inflates can be shared by
/// all connections then, for none holds it between two reads.
event hybi_decoder::inflate(std::string_view payload) {
    if (payload.size() > inflated_whole && !in_parts()) {
        need_occasional();
        begin_inflating(payload, true);
        return inflate_step();
    }
    byte_buffer message;
    // What fills a part is given as one.
    auto const limit = in_parts() ? std::min(max_part_size - 1, occasional_->limit) : limits_.message_size;
    switch (codec_->inflate(payload, limit, message)) {
        case inflater::outcome::done: break;
        case inflater::outcome::too_big:
            need_occasional();
            begin_inflating(payload, true);
            return in_parts() ? inflate_on() : too_big("message is over the size limit when inflated");
        case inflater::outcome::broken: return fail_broken_deflate();
    }
    if (message_type_ == opcode::text && !valid_utf8(message.view())) return fail_invalid_text();
    assembly_ = std::move(message);
    return {.kind = event_kind::message, .type = message_type_, .assembled = true, .data = assembly_.view()};
}

/// Hands what came of a message to `inflate_on` or `inflate_step`. It may be the assembly, which is empty then.
void hybi_decoder::begin_inflating(std::string_view payload, bool complete) {
    auto& o = *occasional_;
    if (payload.data() == assembly_.data()) {
        o.compressed = std::move(assembly_);
    } else {
        o.compressed.clear();
        o.compressed.append(payload);
    }
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

/// Inflates a piece of a large message that is wanted whole. `next` goes on with the next one, so that others have their turn
/// meanwhile.
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

}  // namespace wsio::protocol
