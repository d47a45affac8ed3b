#include "protocol/hybi_decoder.hpp"
#include "protocol/hybi_decoder_occasional.hpp"
#include "protocol/utf8.hpp"

#include <algorithm>
#include <limits>
#include <utility>

// Messages in parts: what came of one is given before the rest is there.

namespace wsio::protocol {

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
        auto const resumed = stage_;
        begin_inflating(assembly_.view(), false);
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

/// Takes a message for a failure that can be taken back: it is too big to be given whole.
event hybi_decoder::too_big(std::string_view why) {
    if (in_parts()) return fail(close_code::message_too_big, why);
    auto& o = need_occasional();
    o.held = true;
    o.held_in = std::exchange(stage_, stage::ended);
    return {.kind = event_kind::failed, .resumable = true, .code = close_code::message_too_big, .data = why};
}

}  // namespace wsio::protocol
