#include <boost/asio/post.hpp>

#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>

#include "io/connection.hpp"
#include "io/large_messages.hpp"
#include "io/patience.hpp"
#include "io/server_state.hpp"
#include "protocol/hybi_rules.hpp"

// How received bytes become messages, and who gets them.

namespace wsio::detail {

namespace asio = boost::asio;

// What a message costs beyond its payload while it waits; part of `limits::read_ahead`.
constexpr std::size_t queued_overhead = 64;

std::size_t connection::queued_bytes() const noexcept { return last_queued_ == nullptr ? 0 : last_queued_->total; }

void connection::take_event() {
    using protocol::event_kind;
    auto const& event = loop_.event();
    switch (event.kind) {
        case event_kind::need_more: break;
        case event_kind::message:
            event_pending_ = true;
            active_at_ = loop_.beat();
            side_->counts.messages_received.add();
            break;
        case event_kind::ping:
            if (phase_ == phase::open) answer_ping(event.data);
            break;
        case event_kind::pong:
            if (callbacks_ && callbacks_->pong) peer_ponged(event.data);
            break;
        case event_kind::closing: peer_closed(event); break;
        case event_kind::failed:
            if (!hold(event)) fail(event.code, event.data);
            break;
        case event_kind::part:
            event_pending_ = true;
            active_at_ = loop_.beat();
            if (event.last) side_->counts.messages_received.add();
            break;
    }
}

// A peer that pings and does not read gets no more pongs than its outbox holds, and one: who is busy taking a large message
// wants to know that we are alive.
void connection::answer_ping(std::string_view payload) {
    bool const full = outbox_.size() >= side_->settings().limits.outbox;
    if (full && pong_over_limit_) return;
    pong_over_limit_ = full;
    append_frame(protocol::opcode::pong, payload);
}

bool connection::next_event() {
    if (event_pending_) return true;
    try {
        while (input_is_left()) {
            if (loop_.turn_is_spent()) {
                process_later();
                break;
            }
            auto& event = loop_.event();
            if (auto* const own = hybi(); own == nullptr || !own->next_short(unparsed_, event))
                event = decoder().next(unparsed_);
            loop_.spend(event.data.size());
            take_event();
            if (event.kind == protocol::event_kind::need_more && holds_more())
                loop_.spend_all();  // it is being inflated
            if (event_pending_) {
                if (!dropping_) return true;
                drop_event();
            }
            if (is_held()) break;
        }
    } catch (const std::bad_alloc&) {
        out_of_memory();  // bytes that the decoder has taken are lost
    }
    return false;
}

// A code is typically echoed (RFC 6455 5.5.1), but 1010 is a client's to send (7.4.1), and what is not sent on 7 and 8 must
// not come back as its substitute, which would tell the peer something that nobody meant.
namespace {

bool may_echo(protocol_version version, close_code code) {
    if (code == close_code::no_status) return true;
    return code != close_code::mandatory_extension && protocol::sendable(protocol::rules_of(version), code) == code;
}

}  // namespace

void connection::peer_closed(const protocol::event& event) {
    if (phase_ == phase::closing) {
        status_->clean = true;
    } else {
        note_end(ended_by::peer, event.code, event.data, "the peer closed the connection", true);
        append_close(may_echo(strategy_->version(), event.code) ? event.code : close_code::normal, {});
    }
    finish();
}

void connection::process() {
    while (phase_ != phase::ended && large_ == nullptr && (last_queued_ != nullptr || next_event())) {
        if (calls_back()) {
            if (auto received = take_message()) call_back(*received);
        } else if (receiver_.waiting()) {
            receiver_.wake();
        } else if (!event_pending_ && !next_event()) {
            break;
        } else if (queued_bytes() < side_->settings().limits.read_ahead) {
            queue_message();
        } else if (nobody_takes()) {
            dropping_ = true;
            drop_event();
        } else {
            break;
        }
    }
    if (large_ != nullptr) process_large();
}

// Behind our own closing frame messages are still given, in order and up to where nobody takes them any more: there the peer's
// closing frame counts for more.
bool connection::nobody_takes() const noexcept {
    if (phase_ != phase::closing || receiver_.waiting()) return false;
    return close_awaited_ || (second_half_ && !taken_since_end_);
}

// To a callback that was set late; but what was dropped is dropped.
void connection::deliver_last() {
    if (status_->by == ended_by::application && status_->code == close_code::abnormal) return;
    while (calls_back() && (large_ == nullptr ? last_queued_ != nullptr : join_parts())) {
        auto const received = take_message();
        if (!received) break;
        call_back(*received);
    }
}

void connection::process_now() {
    if (phase_ == phase::ended || phase_ == phase::handshake) return;
    loop::turn turn(loop_, *this);
    process();
    settle_input();
    read_on();
}

void connection::process_later() {
    if (process_posted_) return;
    asio::post(loop_.context(), [this, held = operation(this)] {
        process_posted_ = false;
        survive([this] { process_now(); });
    });
    process_posted_ = true;
}

void connection::settle_input() {
    if (event_pending_) queue_message();
    loop_.settle();
    loop_.settle_from(input_);
    if (unparsed_.empty()) {
        if (input_.capacity() != 0) input_.release();
    } else if (loop_.in_block(unparsed_.data())) {
        input_.clear();
        input_.append({unparsed_.data(), unparsed_.size()});
        unparsed_ = {input_.data(), input_.size()};
    }
}

// The message is built where it is to live, because one that borrows would make a copy of its payload to move.
void connection::take_event_into(std::optional<message>& taken) {
    event_pending_ = false;
    auto const& event = loop_.event();
    bool const binary = event.type == protocol::opcode::binary;
    if (event.assembled) {
        taken.emplace(own_payload{decoder().take_payload(), binary});
        return;
    }
    try {
        taken.emplace(loop_.lend(event.data, binary));
    } catch (const std::bad_alloc&) {
        out_of_memory();
    }
}

void connection::drop_event() {
    event_pending_ = false;
    if (loop_.event().assembled) static_cast<void>(decoder().take_payload());
}

void connection::queue_message() {
    std::unique_ptr<queued> owned(new (std::nothrow) queued);
    if (!owned) {
        drop_event();  // it is the loop's, and the next one's
        out_of_memory();
        return;
    }
    auto const& event = loop_.event();
    if (event.kind == protocol::event_kind::part) {
        owned->first = event.first;
        owned->last = event.last;
    }
    take_event_into(owned->message);
    if (!owned->message) return;
    loop_.settle();  // it must not borrow from the block while it waits
    auto* const last = owned.release();
    last->next = last_queued_ == nullptr ? last : std::exchange(last_queued_->next, last);
    last->total = queued_bytes() + last->message->size() + queued_overhead;
    last_queued_ = last;
    side_->counts.messages_waiting.add();
}

std::optional<message> connection::take_queued() {
    std::unique_ptr<queued> const first(last_queued_->next);
    if (first.get() == last_queued_)
        last_queued_ = nullptr;
    else
        last_queued_->next = first->next;
    if (last_queued_ != nullptr) last_queued_->total -= first->message->size() + queued_overhead;
    taken_since_end_ = phase_ == phase::closing;
    if (side_) side_->counts.messages_waiting.subtract();
    return std::move(first->message);
}

// A handle may take them at any time, but from here on they are not the server's.
void connection::queue_is_nobodys() noexcept {
    if (last_queued_ == nullptr || !side_) return;
    std::uint64_t left = 1;
    for (auto const* at = last_queued_->next; at != last_queued_; at = at->next) ++left;
    side_->counts.messages_waiting.subtract(left);
}

bool connection::message_ready() {
    if (large_ != nullptr) [[unlikely]]
        return whole_message_ready();
    if (last_queued_ != nullptr || next_event()) return true;
    return large_ != nullptr ? whole_message_ready() : nothing_will_come();
}

// There is no message. Tells whether that is all there is to say.
bool connection::nothing_will_come() {
    if (phase_ >= phase::finishing) return true;
    if (stream_ended_ && !input_is_left()) {
        finish();
        return true;
    }
    require_nobody_waits();
    read_on();
    return false;
}

void connection::require_nobody_waits() const {
    if (receiver_.waiting())
        throw std::logic_error("wsio: another coroutine is waiting in receive() on this socket already");
}

void connection::hand_over_later() {
    require_nobody_waits();
    if (event_pending_) queue_message();  // the loop's event is for others, too
    asio::post(loop_.context(), [this, held = operation(this)] {
        if (message_waits()) receiver_.wake();  // unless somebody has taken it
    });
}

std::optional<message> connection::take_message() {
    // Two functions: where a function returns one object only, it is made in its place, and a message that borrows need not be
    // copied to be moved.
    return large_ != nullptr ? take_whole_message() : take_next();
}

std::optional<message> connection::take_next() {
    std::optional<message> taken;
    if (last_queued_ != nullptr) {
        taken = take_queued();
        read_on();
    } else if (event_pending_) {
        take_event_into(taken);
    }
    return taken;
}

asio::awaitable<std::optional<message>> connection::receive_within(connection& c, std::chrono::milliseconds timeout,
                                                                   operation) {
    if (c.message_ready()) {
        // See awaitable<receive_result>::await_suspend.
        if (co_await asio::detail::awaitable_thread_has_context_switched{} || !c.message_waits())
            co_return c.take_message();
        c.hand_over_later();
        co_await c.receiver_.wait();
        if (c.message_ready()) co_return c.take_message();
    }
    patience const limit(c, timeout);
    while (!limit.over()) {
        co_await c.receiver_.wait();
        if (c.message_ready()) co_return c.take_message();
    }
    co_return std::nullopt;
}

void connection::call_back(const message& received) {
    // The callback may replace itself, so it must not be the one in place while it runs. One that threw is not called
    // again.
    auto callback = std::exchange(callbacks_->message, nullptr);
    callbacks_->message_was_set = false;
    try {
        callback(received);
    } catch (...) {
        application_failed(std::current_exception());
        return;
    }
    if (callbacks_ && !callbacks_->message_was_set) callbacks_->message = std::move(callback);
}

// In a turn of its own, because the decoder is not done with what was received. Who floods with pongs is told of once a turn.
void connection::peer_ponged(std::string_view payload) {
    if (std::exchange(callbacks_->last_pong, std::string(payload))) return;
    asio::post(loop_.context(), [this, held = operation(this)] {
        if (!callbacks_) return;
        auto const last = std::exchange(callbacks_->last_pong, std::nullopt);
        auto const callback = callbacks_->pong;  // it may replace itself
        if (!callback || !last) return;
        try {
            callback(*last);
        } catch (...) {
            application_failed(std::current_exception());
        }
    });
}

}  // namespace wsio::detail
