#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "io/connection.hpp"
#include "io/large_messages.hpp"
#include "io/server_state.hpp"

// Sending one message in pieces: fragments on hybi (RFC 6455 5.4), one frame of text on the hixie drafts. Until it is finished
// other messages wait here as they are, because a compressor takes messages in the order of the wire.

namespace wsio::detail {

bool connection::start_stream(protocol::opcode type, send_options how) {
    if (phase_ != phase::open) return false;
    if (streaming_)
        throw std::logic_error("wsio: a message is being sent in pieces on this socket already; finish it first");
    need_large().outgoing.emplace(type, how);
    streaming_ = true;
    choose_corking();
    return true;
}

// A server's small messages go the short way on hybi, if none is to be compressed and none has to wait.
void connection::choose_corking() noexcept {
    auto* const own = hybi();
    corks_short_ = own != nullptr && !client_ && !streaming_ &&
                   (own->codec() == nullptr || own->codec()->threshold() > longest_short);
}

sent connection::send_piece(std::string_view piece, bool last) {
    if (phase_ != phase::open || !streaming_) return sent::refused;
    auto& out = *large_->outgoing;
    if (!strategy_->has_binary()) {
        auto checked = out.utf8;
        if (!checked.feed(piece) || (last && !checked.complete()))
            throw std::invalid_argument("wsio: the " + std::string(to_string(strategy_->version())) +
                                        " protocol cannot carry text that is not UTF-8");
        out.utf8 = checked;
    }
    survive([&] {
        if (last && !out.begun) {
            auto const type = out.type;
            auto const how = out.how;
            append_message(type, piece, how, true);
        } else if (last || !piece.empty()) {
            append_piece(piece, last);
        }
        if (last) finish_stream();
    });
    if (phase_ == phase::ended) return sent::refused;
    return has_room_for_a_piece() ? sent::accepted : sent::piece_waiting;
}

void connection::append_piece(std::string_view piece, bool last) {
    auto& out = *large_->outgoing;
    bool const compressed = is_compressed() && out.how.compress;
    if (compressed) piece = hybi()->codec()->compress_piece(piece, last, out.alone);
    auto frame = wrap(out.begun && strategy_->has_binary() ? protocol::opcode::continuation : out.type, piece.size());
    if (strategy_->has_binary()) {
        unsigned const first = static_cast<unsigned char>(frame.prefix[0]);
        unsigned const fin = last ? 0x80 : 0;
        unsigned const rsv1 = compressed && !out.begun ? 0x40 : 0;  // on the first frame alone (RFC 7692 6)
        frame.prefix[0] = static_cast<char>((first & 0x0F) | fin | rsv1);
    } else {
        if (out.begun) frame.prefix_size = 0;
        if (!last) frame.suffix_size = 0;
    }
    out.begun = true;
    active_at_ = loop_.beat();
    if (last) side_->counts.messages_sent.add();
    append_payload(frame, piece, !compressed);  // what is compressed lies with the compressor, which others will use
}

// The message is over: those that waited for it go out.
void connection::finish_stream() {
    auto const finished = std::exchange(large_->outgoing, std::nullopt);
    streaming_ = false;
    choose_corking();
    if (side_) side_->counts.bytes_waiting.subtract(finished->bytes_behind);
    for (auto const& each : finished->behind) {
        if (phase_ != phase::open) break;
        append_message(each.type, each.payload, each.how, false);
    }
    waiting_.wake_all_later();
}

void connection::abandon_stream() {
    if (phase_ != phase::open || !streaming_) return;
    survive([this] {
        end(close_code::internal_error, "a message was left unfinished", ended_by::application,
            "a message_stream was destroyed before finish()");
    });
}

// On hixie a closing frame inside the text would end it, as if it were whole.
bool connection::frame_is_open() const noexcept {
    return streaming_ && large_->outgoing->begun && !strategy_->has_binary();
}

sent connection::hold_back(protocol::opcode type, std::string_view payload, send_options how, bool droppable) {
    auto& out = *large_->outgoing;
    out.behind.push_back({type, std::string(payload), how, droppable});
    out.bytes_behind += payload.size();
    side_->counts.bytes_waiting.add(payload.size());
    return has_room() ? sent::accepted : sent::waiting;
}

bool connection::drop_oldest_held_back() {
    if (!streaming_) return false;
    auto& out = *large_->outgoing;
    for (auto at = out.behind.begin(); at != out.behind.end(); ++at) {
        if (!at->droppable) continue;
        out.bytes_behind -= at->payload.size();
        side_->counts.bytes_waiting.subtract(at->payload.size());
        out.behind.erase(at);
        return true;
    }
    return false;
}

// The message will never be finished.
void connection::drop_held_back() noexcept {
    if (!streaming_) return;
    auto& out = *large_->outgoing;
    if (side_) side_->counts.bytes_waiting.subtract(out.bytes_behind);
    out.bytes_behind = 0;
    out.behind.clear();
}

bool connection::has_room_for_a_piece() const noexcept {
    if (!side_) return outbox_.empty();
    return !outbox_.borrows() && outbox_.size() <= side_->settings().limits.outbox;
}

std::size_t connection::held_back_bytes() const noexcept { return streaming_ ? large_->outgoing->bytes_behind : 0; }

std::size_t connection::held_back_cost() const noexcept {
    return streaming_ ? large_->outgoing->bytes_behind + large_->outgoing->behind.size() * outbox::frame_overhead : 0;
}

}  // namespace wsio::detail
