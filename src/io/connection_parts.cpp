#include <memory>
#include <stdexcept>
#include <utility>

#include "io/connection.hpp"
#include "io/large_messages.hpp"
#include "io/patience.hpp"
#include "io/server_state.hpp"
#include "protocol/utf8.hpp"

// Receiving in parts. A connection whose application has asked for a part once gets its large messages in parts for good, so
// that no more of them is kept than `limits::read_ahead`; for who asks for a whole one they are put together again.

namespace wsio::detail {

namespace asio = boost::asio;

connection::large_messages& connection::need_large() {
    if (!large_) large_ = std::make_unique<large_messages>();
    return *large_;
}

// A message, or a part of one.
bool connection::message_waits() const noexcept {
    return !loop_gone_ && (last_queued_ != nullptr || event_pending_ || (large_ != nullptr && !large_->before.empty()));
}

bool connection::is_held() const noexcept { return large_ != nullptr && !large_->held.empty(); }

// A message that is too big to be given whole waits until somebody says whether it is wanted whole or in parts: the peer may
// be quicker than the first call of the application.
bool connection::hold(const protocol::event& event) {
    if (!event.resumable || phase_ != phase::open || calls_back() || receiver_.waiting()) return false;
    need_large().held = event.data;
    return true;
}

// As `process`, for a connection that has had to do with large messages.
void connection::process_large() {
    while (phase_ != phase::ended) {
        if (calls_back()) {
            if (!join_parts()) break;
            auto const received = take_message();
            if (!received) break;
            call_back(*received);
        } else if (receiver_.waiting()) {
            if (!(large_->part_awaited ? part_available() : join_parts())) break;
            receiver_.wake();
        } else if (!event_pending_ && (is_held() || !next_event())) {
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
}

bool connection::whole_message_ready() {
    if (receiver_.waiting()) return nothing_will_come();
    if (large_->inside && (phase_ < phase::finishing || last_queued_ != nullptr || !large_->before.empty()))
        throw std::logic_error(
            "wsio: receive() inside a message that receive_part() has begun; take its last part first");
    return join_parts() || nothing_will_come();
}

// Brings the next message to the front, whole; false when it is not there yet. True also when it is too big: it was refused.
bool connection::join_parts() {
    auto& large = *large_;
    if (large.inside && !large.before.empty()) {  // the rest of what was begun in parts, see below
        large.inside = !large.before.complete;
        large.before = {};
    }
    while (!large.before.complete) {
        if (last_queued_ == nullptr) {
            if (!event_pending_ && (is_held() || !next_event())) {
                if (!is_held()) return false;
                refuse_large();
                return true;
            }
            queue_message();
            if (last_queued_ == nullptr) return false;  // out of memory
        }
        auto& next = *last_queued_->next;
        auto const size = large.before.bytes.size() + next.message->size();
        // On hixie the size is that after repair, where the limit else is for what was received.
        if (side_ && size > side_->settings().limits.message_size && strategy_->has_binary()) {
            refuse_large();
            return true;
        }
        if (next.is_whole()) return true;
        bool const last = next.last;
        auto const part = take_queued();
        if (large.inside) {  // the rest of one that was begun in parts, and callbacks want whole ones
            large.inside = !last;
            continue;
        }
        large.before.bytes.append(part->text());
        large.before.binary = part->is_binary();
        large.before.complete = last;
    }
    return true;
}

void connection::refuse_large() {
    while (last_queued_ != nullptr) static_cast<void>(take_queued());
    large_->before = {};
    large_->held = {};
    fail(close_code::message_too_big, "message is over the size limit");
}

std::optional<message> connection::take_whole_message() {
    auto& before = large_->before;
    std::optional<message> taken;
    if (before.complete) {
        taken.emplace(own_payload{std::move(before.bytes), before.binary});
        before = {};
    } else if (last_queued_ != nullptr && last_queued_->next->is_whole()) {
        taken = take_queued();
    }
    read_on();
    return taken;
}

// From here on the decoder gives messages in parts. One that was held goes on.
void connection::want_parts() {
    auto& large = need_large();
    if (large.parts || (phase_ != phase::open && phase_ != phase::closing)) return;
    large.parts = true;
    large.held = {};
    auto const found = decoder().receive_in_parts(side_->settings().limits.streamed_message_size);
    if (found.kind == protocol::event_kind::failed) fail(found.code, found.data);
}

bool connection::part_ready() {
    if (receiver_.waiting()) return nothing_will_come();
    want_parts();
    return part_available() || nothing_will_come();
}

bool connection::part_available() {
    if (!large_->before.empty() || last_queued_ != nullptr || next_event()) return true;
    if (phase_ != phase::open && phase_ != phase::closing) return false;
    loop_.event() = decoder().part_so_far();
    take_event();
    return event_pending_;
}

std::optional<message_part> connection::take_part() {
    auto& large = *large_;
    auto& before = large.before;
    std::optional<message> payload;
    bool first = true;
    bool last = true;
    if (before.empty()) {
        if (event_pending_) queue_message();
        if (last_queued_ == nullptr) return std::nullopt;
        first = last_queued_->next->first;
        last = last_queued_->next->last;
        payload = take_queued();
        if (payload->size() > message_part::max_size) {
            before.bytes.append(payload->text());
            before.binary = payload->is_binary();
            before.begun = !first;
            before.complete = last;
        }
    }
    if (!before.empty()) {
        auto rest = before.bytes.view().substr(before.given);
        if (rest.size() > message_part::max_size) {
            rest = rest.substr(0, message_part::max_size);
            if (!before.binary) rest = rest.substr(0, protocol::size_of_whole_characters(rest));
        }
        first = !std::exchange(before.begun, true);
        before.given += rest.size();
        bool const exhausted = before.given == before.bytes.size();
        last = exhausted && before.complete;
        payload = before.binary ? message::binary(bytes(rest)) : message::text(rest);
        if (exhausted) before = {};
    }
    large.inside = !last;
    read_on();
    return message_part(std::move(*payload), first, last);
}

namespace {

// Says that the receiver that waits wants a part.
class part_wait {
public:
    explicit part_wait(bool& awaited) noexcept : awaited_(awaited) { awaited_ = true; }
    part_wait(const part_wait&) = delete;
    part_wait& operator=(const part_wait&) = delete;
    ~part_wait() { awaited_ = false; }

private:
    bool& awaited_;
};

}  // namespace

asio::awaitable<std::optional<message_part>> connection::receive_part(connection& c,
                                                                      std::optional<std::chrono::milliseconds> timeout,
                                                                      operation) {
    bool const ready = c.part_ready();
    if (ready && (co_await asio::detail::awaitable_thread_has_context_switched{} || !c.message_waits()))
        co_return c.take_part();
    part_wait const wanted(c.need_large().part_awaited);
    if (ready) {
        c.hand_over_later();  // see awaitable<receive_result>::await_suspend
        co_await c.receiver_.wait();
        if (c.part_ready()) co_return c.take_part();
    }
    std::optional<patience> limit;
    if (timeout) limit.emplace(c, *timeout);
    while (!limit || !limit->over()) {
        co_await c.receiver_.wait();
        if (c.part_ready()) co_return c.take_part();
    }
    co_return std::nullopt;
}

}  // namespace wsio::detail
