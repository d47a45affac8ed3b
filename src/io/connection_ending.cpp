#include <boost/asio/post.hpp>

#include <sys/socket.h>

#include <exception>
#include <memory>
#include <new>
#include <utility>

#include "io/connection.hpp"
#include "io/server_state.hpp"
#include "protocol/hybi.hpp"

// How a connection ends, who is told, and with which cause.

namespace wsio::detail {

namespace asio = boost::asio;

void connection::note_end(ended_by who, close_code code, std::string_view reason, std::string cause, bool clean) {
    if (status_) return;  // the first cause is the one that counts
    status_ = std::make_unique<wsio::status>(
        wsio::status{who, code, std::string(reason.substr(0, 123)), std::move(cause), clean});
}

void connection::end(close_code code, std::string_view reason, ended_by who, std::string cause) {
    if (phase_ != phase::open) return;
    if (cause.empty()) cause = "the application closed the connection";
    bool const has_closing_handshake = strategy_->has_closing_handshake() && !frame_is_open();
    bool const has_codes = is_hybi(strategy_->version());
    note_end(who, has_codes ? code : close_code::no_status, has_codes ? reason : std::string_view(), std::move(cause),
             !has_closing_handshake && !frame_is_open());
    append_close(code, reason);
    if (phase_ == phase::ended) return;
    drop_held_back();
    wake_senders();
    // The peer's closing frame would stand behind a message that nobody takes.
    if (!has_closing_handshake || stream_ended_ || is_held()) {
        finish();
        return;
    }
    phase_ = phase::closing;
    limit_ending("the peer did not answer the closing handshake in time");
    if (input_is_left())
        process_later();
    else
        read_on();
}

void connection::append_close(close_code code, std::string_view reason) {
    if (frame_is_open()) return;
    if (masks()) {
        auto const payload = protocol::make_close_payload(protocol::rules_of(strategy_->version()), code, reason);
        append_frame(protocol::opcode::close, payload.view());
        return;
    }
    byte_buffer frame;
    strategy_->encode_close(code, reason, frame);
    append(frame.view(), {}, {});
}

void connection::fail(close_code code, std::string_view cause) {
    if (phase_ >= phase::finishing) return;
    note_end(ended_by::library, is_hybi(strategy_->version()) ? code : close_code::abnormal, cause, std::string(cause),
             false);
    // The hixie drafts have no way to say what was wrong; their answer to a violation is the end of the TCP connection.
    if (phase_ == phase::open && is_hybi(strategy_->version())) append_close(code, cause);
    finish();
}

void connection::interrupt() {
    interrupted_ = true;
    receiver_.wake_later();
}

void connection::finish() {
    if (phase_ >= phase::finishing) return;
    constexpr auto cause = "the TCP connection did not end in time";
    bool const is_limited = phase_ == phase::closing;  // one time for both
    phase_ = phase::finishing;
    unparsed_ = {};
    drop_held_back();
    if (is_limited)
        deadline_cause_ = cause;
    else
        limit_ending(cause);
    receiver_.wake_later();
    waiting_.wake_all_later();
    if (loop_.current() != this) loop_.flush_later(*this);
    read_on();
}

void connection::half_close() {
    if (leaves_the_end_to_the_peer()) return;
    if (!end_sent_) {
        if (tls_ && !tls_->end()) {
            wait_for_the_network();
            return;
        }
        ::shutdown(fd(), SHUT_WR);
    }
    end_sent_ = true;
    if (stream_ended_) end_now();
}

// After the closing handshake the server ends the TCP connection first, so that it is the one that remembers it for a while
// (RFC 6455 7.1.1).
bool connection::leaves_the_end_to_the_peer() const noexcept {
    return client_ && !stream_ended_ && status_ && status_->clean && strategy_->has_closing_handshake();
}

void connection::destroy(ended_by who, std::string cause) {
    if (phase_ == phase::ended) return;
    note_end(who, close_code::abnormal, {}, std::move(cause), false);
    end_now();
}

// To end takes a little memory, too.
void connection::out_of_memory() noexcept {
    if (phase_ == phase::ended) return;
    loop_.spend_reserve();
    try {
        destroy(ended_by::library, "no memory was left for it");
        loop_.renew_reserve();
    } catch (const std::bad_alloc&) {
        ::shutdown(fd(), SHUT_RDWR);
        unparsed_ = {};
        phase_ = phase::finishing;
        drop_output();                               // it may borrow from who is not told yet
        loop_.set_deadline(*this, deadlines::tick);  // again, when others have given some back
    }
}

// Nothing that was to be sent is sent any more.
void connection::drop_output() noexcept {
    outbox_change const change(*this);
    outbox_.clear();
    if (loop_.current() == this) loop_.cork().clear();
}

void connection::network_failed(std::string cause) {
    note_end(ended_by::network, close_code::abnormal, {}, std::move(cause), false);
    end_now();
}

void connection::end_now() {
    if (phase_ == phase::ended) return;
    operation const held(this);
    note_end(ended_by::network, close_code::abnormal, {},
             *deadline_cause_ == '\0' ? "the connection ended before it was open" : deadline_cause_, false);
    tell_ended_later();  // from here on no memory is needed; and Asio may hold an event until this has run
    phase_ = phase::ended;
    unparsed_ = {};
    drop_held_back();
    drop_output();
    if (auto* const own = hybi()) own->inflate_with(nullptr);
    counted = {};
    clear_deadline();
    loop_.sockets().close(*this);
    tls_.reset();
    if (side_) side_->ended(*this);
}

void connection::tell_ended_later() {
    asio::post(loop_.context(), [this, held = operation(this)] { tell_ended(); });
}

void connection::tell_ended() {
    try {
        receiver_.wake();
        waiting_.wake_all();
    } catch (...) {  // out of what the application does when its coroutine has ended: the others are still to be told
        tell_ended_later();
        throw;
    }
    deliver_last();
    auto const told = std::move(callbacks_);  // they may hold the socket itself
    if (!told) return;
    bool const is_error = status_->by == ended_by::library || status_->by == ended_by::network;
    if (is_error) tell(told->error);
    tell(told->close);
}

void connection::tell(const std::function<void(const wsio::status&)>& callback) {
    if (!callback) return;
    try {
        callback(*status_);
    } catch (...) {
        if (side_) side_->report(std::current_exception(), opening_.request());
    }
}

void connection::application_failed(std::exception_ptr exception) {
    if (side_) side_->report(std::move(exception), opening_.request());
    end(close_code::internal_error, "internal error", ended_by::application, "an exception left the handler");
}

void connection::session_failed(std::exception_ptr exception) {
    survive([&] {
        if (phase_ == phase::handshake || !side_)
            destroy(ended_by::library, "the handshake failed");
        else
            application_failed(std::move(exception));
    });
}

asio::awaitable<void> connection::wait_until_ended(connection& c) {
    waiting_list::place waiting(c.waiting_);
    c.close_awaited_ = true;
    if (c.phase_ == phase::closing) c.process_later();
    while (c.phase_ != phase::ended) co_await waiting.wait();
}

}  // namespace wsio::detail
