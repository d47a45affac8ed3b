#include <sys/socket.h>

#include <boost/asio/post.hpp>

#include <cerrno>
#include <cstring>
#include <utility>

#include "handshake/negotiation.hpp"
#include "io/connection.hpp"
#include "io/server_state.hpp"

// How bytes come in. connection_messages.cpp makes messages of them.

namespace wsio::detail {

namespace asio = boost::asio;

// How many receives one connection may do in one turn before others get theirs.
constexpr int receives_in_a_turn = 16;

void connection::ready(bool is_readable, bool is_writable) {
    operation const held(this);
    survive([&] {
        if (is_writable) writable();
        if (is_readable && phase_ != phase::ended) readable();
    });
}

void connection::readable() {
    loop::turn turn(loop_, *this);
    receive_some();
}

void connection::receive_some() {
    if (!can_read()) more_to_read_ = true;  // it was told that there is something, and will not be told again
    for (int i = 0; i < receives_in_a_turn && can_read(); ++i) {
        receive_once();
        settle_input();
        if (!more_to_read_) break;
    }
    if (blocked_ && tls_ && tls_->write_wants_to_read()) {
        blocked_ = false;
        flush();
    }
    read_on();
}

bool connection::can_read() const noexcept {
    if (stream_ended_ || write_first_ || phase_ == phase::ended) return false;
    // The session reads its HTTP on demand.
    if (phase_ == phase::handshake) return filling_;
    if (phase_ == phase::finishing) return true;
    // A connection whose application does not keep up is not read: TCP then holds the peer back.
    return unparsed_.empty() && (queued_bytes() < side_->settings().limits.read_ahead || dropping_ || nobody_takes()) &&
           !is_held() && !holds_more();
}

void connection::read_on() {
    if (!can_read() || reading_posted_ || (!more_to_read_ && await_readable())) return;
    asio::post(loop_.context(), [this, held = operation(this)] {
        reading_posted_ = false;
        survive([this] {
            if (phase_ != phase::ended) readable();
        });
    });
    reading_posted_ = true;
}

void connection::receive_once() {
    more_to_read_ = false;
    auto const window = phase_ == phase::open || phase_ == phase::closing ? decoder().window() : std::span<char>();
    auto const room = window.empty() ? loop_.block() : window;
    if (tls_) {
        receive_secure(room, !window.empty());
        return;
    }
    ssize_t count;
    do {
        count = ::recv(fd(), room.data(), room.size(), MSG_DONTWAIT);
    } while (count < 0 && errno == EINTR);
    if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
    if (count <= 0) {
        end_of_stream(count == 0 ? 0 : errno);
        return;
    }
    auto const size = static_cast<std::size_t>(count);
    more_to_read_ = size == room.size() || end_is_near();
    received(room.first(size), !window.empty());
}

void connection::received(std::span<char> bytes, bool in_window) {
    if (side_) side_->counts.bytes_received.add(bytes.size());
    heard_at_ = loop_.beat();
    if (phase_ == phase::handshake) {
        append_input({bytes.data(), bytes.size()});
        receiver_.wake();
    } else if (phase_ != phase::finishing) {
        if (in_window) {
            loop_.event() = decoder().commit(bytes.size());
            take_event();
        } else {
            unparsed_ = bytes;
        }
        process();
    }
}

void connection::receive_secure(std::span<char> room, bool in_window) {
    using outcome = tls_stream::outcome;
    auto const got = tls_->receive(room);
    more_to_read_ = got.more || (got.progress && end_is_near());
    switch (got.result) {
        case outcome::data: received(room.first(got.count), in_window); break;
        case outcome::would_block:
            if (phase_ == phase::handshake && tls_->is_client()) receiver_.wake_later();  // see secured()
            break;
        case outcome::wants_to_write:
            write_first_ = true;
            loop_.sockets().await_writable(*this);
            break;
        case outcome::ended: end_of_stream(0); break;
        case outcome::failed: tls_failed(); break;
    }
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
    tls_ = std::make_unique<tls_stream>(std::move(identities), fd(), input());
    more_to_read_ = !unparsed_.empty();
    unparsed_ = {};
    input_.release();
}

void connection::secure(std::shared_ptr<tls_expectation> expectation) {
    tls_ = std::make_unique<tls_stream>(std::move(expectation), fd(), input());
    more_to_read_ = true;  // not that there is anything, but the client speaks first
    unparsed_ = {};
    input_.release();
}

asio::awaitable<bool> connection::secured(connection& c) {
    while (c.phase_ == phase::handshake && !c.tls_->established() && !c.stream_ended_ && !c.timed_out_) {
        c.filling_ = true;
        c.read_on();
        co_await c.receiver_.wait();
        c.filling_ = false;
    }
    co_return c.phase_ == phase::handshake&& c.tls_->established();
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
            // The peer may still read. Who is busy with its last messages, or about to get them, may answer them, for a while.
            if ((receiver_.waiting() && !message_waits()) || callbacks_)
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

}  // namespace wsio::detail
