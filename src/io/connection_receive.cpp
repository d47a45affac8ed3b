#include <sys/socket.h>

#include <boost/asio/post.hpp>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "handshake/negotiation.hpp"
#include "io/connection.hpp"
#include "io/server_state.hpp"

// How bytes become messages, and who gets them.

namespace wsio::detail {

namespace asio = boost::asio;

// How many receives one connection may do in one turn before others get theirs.
constexpr int receives_in_a_turn = 16;

// What a message costs beyond its payload while it waits; part of `limits::read_ahead`.
constexpr std::size_t queued_overhead = 64;

struct connection::queued {
    std::optional<wsio::message> message;
    queued* next = nullptr;
};

void connection::readable() {
    loop::turn turn(loop_, *this);
    receive_some();
}

void connection::receive_some() {
    bool received_any = false;
    for (int i = 0; i < receives_in_a_turn && can_read(); ++i) {
        received_any = receive_once() || received_any;
        settle_input();
        if (!more_to_read_) break;
    }
    if (blocked_ && tls_ && tls_->write_wants_to_read()) {
        blocked_ = false;
        flush();
    }
    if (readiness::misses_end_of_stream && received_any && !more_to_read_) loop_.look_again(*this);
    read_on();
}

bool connection::can_read() const noexcept {
    if (stream_ended_ || write_first_ || phase_ == phase::ended) return false;
    // The session reads its HTTP on demand.
    if (phase_ == phase::handshake) return filling_;
    // A connection whose application does not keep up is not read: TCP then holds the peer back.
    return phase_ != phase::open || (unparsed_.empty() && queued_bytes_ < server_->settings().limits.read_ahead);
}

void connection::read_on() {
    if (!can_read()) return;
    if (!more_to_read_) {
        readiness_.wait_readable();
    } else if (!reading_posted_) {
        reading_posted_ = true;
        asio::post(loop_.context(), [this, held = operation(this)] {
            reading_posted_ = false;
            if (phase_ != phase::ended) readable();
        });
    }
}

bool connection::receive_once() {
    more_to_read_ = false;
    auto const window = phase_ == phase::open || phase_ == phase::closing ? decoder_->window() : std::span<char>();
    auto const room = window.empty() ? loop_.block() : window;
    if (tls_) return receive_secure(room, !window.empty());
    ssize_t count;
    do {
        count = ::recv(readiness_.fd(), room.data(), room.size(), MSG_DONTWAIT);
    } while (count < 0 && errno == EINTR);
    if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return false;
    if (count <= 0) {
        end_of_stream(count == 0 ? 0 : errno);
        return false;
    }
    auto const size = static_cast<std::size_t>(count);
    more_to_read_ = size == room.size();
    received(room.first(size), !window.empty());
    return true;
}

void connection::received(std::span<char> bytes, bool in_window) {
    if (server_) server_->counts.bytes_received.add(bytes.size());
    if (phase_ == phase::handshake) {
        append_input({bytes.data(), bytes.size()});
        receiver_.wake();
    } else if (phase_ != phase::finishing) {
        if (in_window) {
            event_ = decoder_->commit(bytes.size());
            take_event();
        } else {
            unparsed_ = bytes;
        }
        process();
    }
}

bool connection::receive_secure(std::span<char> room, bool in_window) {
    using outcome = tls_stream::outcome;
    auto const got = tls_->receive(room);
    more_to_read_ = got.more;
    switch (got.result) {
        case outcome::data: received(room.first(got.count), in_window); break;
        case outcome::would_block: break;
        case outcome::wants_to_write:
            write_first_ = true;
            readiness_.wait_writable();
            break;
        case outcome::ended: end_of_stream(0); break;
        case outcome::failed: tls_failed(); break;
    }
    return got.progress;
}

void connection::tls_failed() {
    if (tls_->established()) {
        if (phase_ == phase::finishing && outbox_.empty())
            end_now();
        else
            transmission_failed();
        return;
    }
    // OpenSSL has told the peer why. A socket that is closed with bytes unread takes that back (RFC 1122 4.2.2.13), so the
    // rest is read, as plain bytes that nobody looks at. Nothing was queued that could leave in plain.
    note_end(ended_by::network, close_code::abnormal, {}, tls_->failure(), false);
    bool const plain_http = tls_->plain_http();
    tls_.reset();
    tls_refused_ = true;
    if (plain_http) write_raw(handshake::reject_response({400, "this port speaks TLS: use https or wss"}));
    finish();
}

void connection::secure(std::shared_ptr<const tls_identities> identities) {
    tls_ = std::make_unique<tls_stream>(std::move(identities), readiness_.fd(), input());
    more_to_read_ = !unparsed_.empty();
    unparsed_ = {};
    input_.release();
}

void connection::append_input(std::string_view bytes) {
    byte_buffer joined;
    joined.append(input());
    joined.append(bytes);
    input_ = std::move(joined);
    unparsed_ = {input_.data(), input_.size()};
}

asio::awaitable<bool> connection::fill(connection& c) {
    auto const before = c.unparsed_.size();
    while (c.phase_ == phase::handshake && !c.stream_ended_ && !c.timed_out_ && !c.interrupted_ &&
           c.unparsed_.size() == before) {
        c.filling_ = true;
        c.read_on();
        co_await c.receiver_.wait();
        c.filling_ = false;
    }
    co_return c.phase_ == phase::handshake&& c.unparsed_.size() != before;
}

void connection::end_of_stream(int error) {
    stream_ended_ = true;
    more_to_read_ = false;
    if (error != 0) {
        if (phase_ == phase::finishing && outbox_.empty())
            end_now();  // the peer had nothing more to say and did not wait for us: not worth an error
        else
            network_failed(std::strerror(error));
        return;
    }
    switch (phase_) {
        case phase::handshake: receiver_.wake_later(); break;
        case phase::open: {
            bool const no_handshake = !strategy_->has_closing_handshake();
            note_end(ended_by::peer, no_handshake ? close_code::no_status : close_code::abnormal, {},
                     no_handshake ? "the peer ended the TCP connection"
                                  : "the peer ended the TCP connection without a closing handshake",
                     no_handshake);
            // The peer may still read. Who is busy with its last messages may answer them, for a while.
            if (receiver_.waiting() || callbacks_)
                finish();
            else
                set_deadline(close_timeout(), "the peer ended the TCP connection");
            break;
        }
        case phase::closing: finish(); break;
        case phase::finishing:  // the end of the turn sees to it, when all is written
        case phase::ended: break;
    }
}

void connection::take_event() {
    using protocol::event_kind;
    switch (event_.kind) {
        case event_kind::need_more: break;
        case event_kind::message:
            event_pending_ = true;
            server_->counts.messages_received.add();
            break;
        case event_kind::ping:
            // A peer that pings and does not read gets no more pongs than its outbox holds.
            if (phase_ == phase::open && outbox_.size() < server_->settings().limits.outbox)
                append_frame(protocol::opcode::pong, event_.data);
            break;
        case event_kind::pong: break;
        case event_kind::closing: peer_closed(event_); break;
        case event_kind::failed: fail(event_.code, event_.data); break;
    }
}

bool connection::next_event() {
    if (event_pending_) return true;
    while (!unparsed_.empty() && (phase_ == phase::open || phase_ == phase::closing)) {
        if (!hybi_ || !hybi_->next_short(unparsed_, event_)) event_ = decoder_->next(unparsed_);
        take_event();
        if (event_pending_) return true;
    }
    return false;
}

// A code is typically echoed (RFC 6455 5.5.1), but 1010 is a client's to send (7.4.1), and clients of 7 and 8 that send
// 1004 take it for an error when it comes back.
namespace {

bool may_echo(close_code code) { return code != close_code::mandatory_extension && to_number(code) != 1004; }

}  // namespace

void connection::peer_closed(const protocol::event& event) {
    if (phase_ == phase::closing) {
        status_->clean = true;
    } else {
        note_end(ended_by::peer, event.code, event.data, "the peer closed the connection", true);
        append_close(may_echo(event.code) ? event.code : close_code::normal, {});
    }
    finish();
}

void connection::process() {
    while (last_queued_ != nullptr || next_event()) {
        if (callbacks_ && callbacks_->message) {
            if (auto received = take_message()) call_back(*received);
        } else if (receiver_.waiting()) {
            receiver_.wake();
        } else if (!event_pending_ && !next_event()) {
            break;
        } else if (queued_bytes_ < server_->settings().limits.read_ahead) {
            queue_message();
        } else if (phase_ == phase::closing) {
            drop_event();  // nobody takes it, and the closing frame may be behind it
        } else {
            break;
        }
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
    asio::post(loop_.context(), [this, held = operation(this)] { process_now(); });
}

void connection::settle_input() {
    if (event_pending_) queue_message();
    loop_.settle();
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
    bool const binary = event_.type == protocol::opcode::binary;
    if (event_.assembled)
        taken.emplace(own_payload{decoder_->take_payload(), binary});
    else
        taken.emplace(loop_.lend(event_.data, binary));
}

void connection::drop_event() {
    event_pending_ = false;
    if (event_.assembled) static_cast<void>(decoder_->take_payload());
}

void connection::queue_message() {
    auto* const last = new queued;
    take_event_into(last->message);
    loop_.settle();  // it must not borrow from the block while it waits
    last->next = last_queued_ == nullptr ? last : std::exchange(last_queued_->next, last);
    last_queued_ = last;
    queued_bytes_ += last->message->size() + queued_overhead;
    server_->counts.messages_waiting.add();
}

std::optional<message> connection::take_queued() {
    std::unique_ptr<queued> const first(last_queued_->next);
    if (first.get() == last_queued_)
        last_queued_ = nullptr;
    else
        last_queued_->next = first->next;
    queued_bytes_ -= first->message->size() + queued_overhead;
    if (server_) server_->counts.messages_waiting.subtract();
    return std::move(first->message);
}

// A handle may take them at any time, but from here on they are not the server's.
void connection::queue_is_nobodys() noexcept {
    if (last_queued_ == nullptr || !server_) return;
    std::uint64_t left = 1;
    for (auto const* at = last_queued_->next; at != last_queued_; at = at->next) ++left;
    server_->counts.messages_waiting.subtract(left);
}

bool connection::message_ready() {
    if (last_queued_ != nullptr || next_event()) return true;
    if (phase_ >= phase::finishing) return true;
    if (stream_ended_) {
        finish();
        return true;
    }
    if (receiver_.waiting())
        throw std::logic_error("wsio: another coroutine is waiting in receive() on this socket already");
    read_on();
    return false;
}

std::optional<message> connection::take_message() {
    std::optional<message> taken;
    if (last_queued_ != nullptr) {
        taken = take_queued();
        read_on();
    } else if (event_pending_) {
        take_event_into(taken);
    }
    return taken;
}

namespace {

// The end of one receive's patience. It lies in the frame of the coroutine that waits.
class patience final : public deadline {
public:
    patience(connection& c, std::chrono::milliseconds time) : connection_(c), over_(time.count() <= 0) {
        if (!over_) c.home().set_deadline(*this, time);
    }
    ~patience() override { connection_.home().clear_deadline(*this); }
    [[nodiscard]] bool over() const noexcept { return over_; }

private:
    void deadline_passed() override {
        over_ = true;
        connection_.message_waiter().wake_later();
    }

    connection& connection_;
    bool over_;
};

}  // namespace

asio::awaitable<std::optional<message>> connection::receive_within(connection& c, std::chrono::milliseconds timeout,
                                                                   operation) {
    if (c.message_ready()) co_return c.take_message();
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
    try {
        callback(received);
    } catch (...) {
        application_failed(std::current_exception());
        return;
    }
    if (callbacks_ && !callbacks_->message) callbacks_->message = std::move(callback);
}

}  // namespace wsio::detail
