#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "io/client_state.hpp"
#include "io/connection.hpp"
#include "io/mask_source.hpp"
#include "protocol/hybi.hpp"
#include "protocol/mask.hpp"

// How frames leave.

namespace wsio::detail {

namespace asio = boost::asio;

// From this size on a payload is not copied: it goes out from where it lies.
constexpr std::size_t large_payload = 16 * 1024;

sent connection::send(protocol::opcode type, std::string_view payload, send_options how) {
    if (phase_ != phase::open) return sent::refused;
    if (cork_short(type, payload)) return sent::accepted;
    if (streaming_) return hold_back(type, payload, how, false);
    survive([&] { append_message(type, payload, how, true); });
    if (phase_ == phase::ended) return sent::refused;
    return has_room() ? sent::accepted : sent::waiting;
}

bool connection::has_room() const noexcept {
    if (!side_) return outbox_.empty();
    return !outbox_.borrows() && outbox_.size() + held_back_bytes() <= side_->settings().limits.outbox;
}

void connection::write(protocol::opcode type, std::string_view payload, send_options how) {
    if (phase_ != phase::open) return;
    survive([&] {
        if (outbox_.empty() && !streaming_)
            append_message(type, payload, how, false);
        else
            write_behind(type, payload, how);
    });
}

void connection::note_sent() noexcept {
    active_at_ = loop_.beat();
    side_->counts.messages_sent.add();
}

// A message that others wait before. Those that may be dropped stay whole frames until the network takes them.
void connection::write_behind(protocol::opcode type, std::string_view payload, send_options how) {
    auto const& settings = side_->settings();
    auto const policy = settings.when_full;
    auto const bound = 4 * settings.limits.outbox;
    auto const frame = wrap(type, payload.size());
    auto const size = frame.head().size() + payload.size() + frame.tail().size();
    bool const droppable = policy == when_full::drop_oldest || policy == when_full::keep_newest;
    auto const fits = [&] {
        auto const waits = outbox_.cost() + held_back_cost();
        auto const overhead = streaming_ || (droppable && blocked_) ? outbox::frame_overhead : 0;
        return waits == 0 || waits + overhead + size <= bound;
    };
    // Perhaps nobody has asked the network yet; and what it does not take of the bytes that are here cannot be dropped.
    if (!blocked_ && (!fits() || (droppable && outbox_.fills_a_write()))) {
        flush();
        if (phase_ != phase::open) return;
    }
    if (!fits()) {
        if (policy == when_full::close) {
            end(close_code::try_again_later, "too much is waiting to be sent", ended_by::library,
                "the peer reads too slowly: write() found too much waiting to be sent");
            return;
        }
        auto& dropped = side_->counts.messages_dropped;
        if (droppable) {
            outbox_change const change(*this);
            while ((policy == when_full::keep_newest || !fits()) && (outbox_.drop_oldest() || drop_oldest_held_back()))
                dropped.add();
        }
        if (!fits()) {
            dropped.add();
            return;
        }
    }
    if (streaming_) {
        static_cast<void>(hold_back(type, payload, how, droppable));
        return;
    }
    // One that was compressed with the connection's own compressor could not be dropped: the next would refer to it.
    if (!droppable || !blocked_) {
        append_message(type, payload, how, false);
        return;
    }
    outbox_change const change(*this);
    mask(frame, outbox_.append_droppable(frame.head(), payload, frame.tail()), payload.size());
    note_sent();
}

void connection::append_message(protocol::opcode type, std::string_view payload, send_options how, bool may_borrow) {
    std::optional<std::string_view> compressed;
    if (is_compressed() && how.compress) compressed = hybi()->codec()->compress(payload);
    note_sent();
    auto frame = wrap(type, compressed ? compressed->size() : payload.size());
    if (compressed) {
        frame.prefix[0] = static_cast<char>(frame.prefix[0] | 0x40);  // RSV1 (RFC 7692 6.1)
        payload = *compressed;
        may_borrow = false;  // it lies with the compressor, which others will use
    }
    append_payload(frame, payload, may_borrow);
}

void connection::append_payload(const protocol::envelope& frame, std::string_view payload, bool may_borrow) {
    if (payload.size() < large_payload)
        mask(frame, append(frame.head(), payload, frame.tail()), payload.size());
    else if (masks())
        write_large_masked(frame, payload, may_borrow);
    else
        write_large(frame, payload, may_borrow);
}

void connection::ping(std::string_view payload) {
    if (payload.size() > 125) throw std::length_error("wsio: a ping carries at most 125 bytes (RFC 6455 5.5)");
    if (phase_ == phase::open && strategy_->has_binary()) append_frame(protocol::opcode::ping, payload);
}

void connection::append_frame(protocol::opcode type, std::string_view payload) {
    auto const frame = wrap(type, payload.size());
    mask(frame, append(frame.head(), payload, frame.tail()), payload.size());
}

protocol::envelope connection::wrap(protocol::opcode type, std::size_t size) {
    auto frame = strategy_->wrap(type, size);
    if (masks()) protocol::add_mask(frame, loop_.masks().next());
    return frame;
}

// What a client sends is masked where its copy lies (RFC 6455 5.3).
void connection::mask(const protocol::envelope& frame, char* payload, std::size_t size) const noexcept {
    if (masks()) protocol::unmask(payload, payload, size, protocol::mask_of(frame), 0);
}

// The short way for small messages of the connection whose turn it is: straight into the cork.
bool connection::cork_short(protocol::opcode type, std::string_view payload) {
    auto& cork = loop_.cork();
    if (!corks_short_ || payload.size() > longest_short || loop_.current() != this || !outbox_.empty() ||
        loop::cork_size - cork.size() < 2 + longest_short)
        return false;
    char* const at = cork.room().data();
    at[0] = static_cast<char>(0x80U | static_cast<unsigned>(type));
    at[1] = static_cast<char>(payload.size());
    if (!payload.empty()) std::memcpy(at + 2, payload.data(), payload.size());
    cork.commit(2 + payload.size());
    note_sent();
    return true;
}

char* connection::append(std::string_view head, std::string_view payload, std::string_view tail) {
    auto const size = head.size() + payload.size() + tail.size();
    if (loop_.current() == this && outbox_.empty()) {
        auto& cork = loop_.cork();
        if (cork.size() + size > loop::cork_size) flush_cork();
        if (outbox_.empty() && size <= loop::cork_size) {
            cork.append(head);
            char* const copy = cork.room().data();  // the cork never grows
            cork.append(payload);
            cork.append(tail);
            return copy;
        }
    }
    outbox_change const change(*this);
    char* const copy = outbox_.append(head, payload, tail);
    if (!blocked_) loop_.flush_later(*this);
    return copy;
}

void connection::write_large(const protocol::envelope& frame, std::string_view payload, bool may_borrow) {
    if (!outbox_.empty()) {
        append(frame.head(), payload, frame.tail());
        return;
    }
    auto const corked = loop_.current() == this ? loop_.cork().view() : std::string_view();
    auto const written = transmit(corked, frame.head(), payload, frame.tail());
    if (written < 0) {
        transmission_failed();
        return;
    }
    // What the socket did not take waits: a copy of the small pieces, the payload itself if it stays where it is.
    auto left = static_cast<std::size_t>(written);
    auto const rest_of = [&left](std::string_view piece) {
        auto const gone = std::min(left, piece.size());
        left -= gone;
        return piece.substr(gone);
    };
    outbox_change const change(*this);
    outbox_.append(rest_of(corked));
    outbox_.append(rest_of(frame.head()));
    auto const rest = rest_of(payload);
    if (may_borrow && !loop_.lends(payload.data()))
        outbox_.borrow(rest);
    else
        outbox_.append(rest);
    outbox_.append(rest_of(frame.tail()));
    if (loop_.current() == this) loop_.cork().clear();
    if (!outbox_.empty()) wait_for_the_network();
}

// A client's large payload is masked in parts, as the network takes them.
void connection::write_large_masked(const protocol::envelope& frame, std::string_view payload, bool may_borrow) {
    if (loop_.current() == this) flush_cork();
    if (phase_ == phase::ended) return;
    if (!outbox_.empty()) {
        mask(frame, append(frame.head(), payload, frame.tail()), payload.size());
        return;
    }
    {
        outbox_change const change(*this);
        outbox_.append(frame.head());
        outbox_.borrow(payload);
    }
    client().borrowed = {protocol::mask_of(frame), payload.size()};
    flush();
    if (!may_borrow || loop_.lends(payload.data())) abandon_send();
}

std::ptrdiff_t connection::transmit_masked(std::string_view front, std::string_view payload, std::string_view back) {
    auto const room = loop_.masks().room();
    auto const part = payload.substr(0, room.size());
    auto const [key, size] = client().borrowed;
    protocol::unmask(room.data(), part.data(), part.size(), key, size - payload.size());
    bool const last = part.size() == payload.size();
    return transmit(front, {room.data(), part.size()}, last ? back : std::string_view());
}

void connection::abandon_send() noexcept {
    survive([this] {
        auto const copy = outbox_.own_borrowed();
        if (copy.empty() || !masks()) return;
        auto const [key, size] = client().borrowed;
        protocol::unmask(copy.data(), copy.data(), copy.size(), key, size - copy.size());
    });
}

client_state& connection::client() const noexcept { return static_cast<client_state&>(*side_); }

std::ptrdiff_t connection::transmit(std::string_view a, std::string_view b, std::string_view c, std::string_view d) {
    auto const written = tls_ ? tls_->write(a, b, c, d) : write_pieces(fd(), a, b, c, d);
    if (written > 0 && side_) side_->counts.bytes_sent.add(static_cast<std::uint64_t>(written));
    return written;
}

void connection::transmission_failed() { network_failed(tls_ ? tls_->failure() : std::strerror(errno)); }

outbox::result connection::transmit_outbox() {
    outbox_change const change(*this);
    return outbox_.write_with([this](auto front, auto borrowed, auto back) {
        return borrowed.empty() || !masks() ? transmit(front, borrowed, back) : transmit_masked(front, borrowed, back);
    });
}

connection::outbox_change::~outbox_change() {
    auto& c = connection_;
    if (c.side_) c.side_->counts.bytes_waiting.add(c.outbox_.size() - before_);  // modulo 2^64, so also when it shrank
}

void connection::wait_for_the_network() {
    blocked_ = true;
    if (!tls_ || !tls_->write_wants_to_read()) loop_.sockets().await_writable(*this);
}

void connection::flush_cork() noexcept {
    survive([this] {
        auto& cork = loop_.cork();
        if (!cork.empty()) {
            auto const written = transmit(cork.view());
            if (written < 0) {
                cork.clear();
                transmission_failed();
                return;
            }
            outbox_change const change(*this);
            outbox_.append(cork.view().substr(static_cast<std::size_t>(written)));
            cork.clear();
            if (!outbox_.empty()) wait_for_the_network();
        }
        if (phase_ == phase::finishing && outbox_.empty()) half_close();
    });
}

void connection::flush() {
    if (phase_ == phase::ended || blocked_) return;
    after_flush(transmit_outbox());
}

void connection::writable() {
    loop::turn turn(loop_, *this);
    if (phase_ == phase::ended) return;
    blocked_ = false;
    heard_at_ = loop_.beat();  // it takes what waits for it
    after_flush(transmit_outbox());
    if (write_first_) {
        write_first_ = false;
        receive_some();
    }
}

void connection::after_flush(outbox::result result) {
    if (result == outbox::result::failed) {
        transmission_failed();
        return;
    }
    if (result == outbox::result::blocked) wait_for_the_network();
    if (pong_over_limit_ && outbox_.size() < side_->settings().limits.outbox) pong_over_limit_ = false;
    wake_senders();
    if (phase_ == phase::finishing && outbox_.empty()) half_close();
}

void connection::wake_senders() {
    if (!waiting_.empty() && !sender_has_to_wait(true)) waiting_.wake_all_later();
}

asio::awaitable<void> connection::wait_for_room(connection& c, bool for_a_piece) {
    waiting_list::place waiting(c.waiting_);
    while (c.sender_has_to_wait(for_a_piece)) co_await waiting.wait();
}

bool connection::sender_has_to_wait(bool for_a_piece) const noexcept {
    if (phase_ == phase::ended) return false;
    if (phase_ == phase::finishing) return outbox_.borrows();  // the rest still goes out from the sender's memory
    return !(for_a_piece ? has_room_for_a_piece() : has_room());
}

asio::awaitable<bool> connection::drained(connection& c, operation) {
    if (c.phase_ != phase::ended && c.loop_.current() == &c) c.flush_cork();
    waiting_list::place waiting(c.waiting_);
    while (c.phase_ != phase::ended && c.buffered_amount() != 0) co_await waiting.wait();
    co_return c.phase_ != phase::ended;
}

asio::awaitable<void> connection::written(connection& c) {
    waiting_list::place waiting(c.waiting_);
    while (c.phase_ == phase::handshake && !c.outbox_.empty()) co_await waiting.wait();
}

std::size_t connection::buffered_amount() const noexcept {
    return outbox_.size() + held_back_bytes() + (loop_gone_ || loop_.current() != this ? 0 : loop_.cork().size());
}

}  // namespace wsio::detail
