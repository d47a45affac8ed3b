#include "io/connection.hpp"

#include <boost/asio/post.hpp>

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <mutex>
#include <utility>

#include "io/addresses.hpp"
#include "io/large_messages.hpp"
#include "io/server_state.hpp"
#include "protocol/hybi.hpp"

// The life of a connection: references, phases, endings. connection_receive.cpp, connection_messages.cpp,
// connection_parts.cpp, connection_send.cpp, connection_stream.cpp and connection_keepalive.cpp have the rest.

namespace wsio::detail {

namespace asio = boost::asio;

namespace {

// Brings the release of a handle to the connection's own thread. Runs even if the loop never does: then it is destroyed.
class release_elsewhere {
public:
    explicit release_elsewhere(connection& c) noexcept : connection_(&c) {}
    release_elsewhere(release_elsewhere&& other) noexcept : connection_(std::exchange(other.connection_, nullptr)) {}
    release_elsewhere& operator=(release_elsewhere&&) = delete;
    ~release_elsewhere() {
        if (connection_ != nullptr) connection_->release_here();
    }
    void operator()() { std::exchange(connection_, nullptr)->release_here(); }

private:
    connection* connection_;
};

// Who gives a handle back on another thread touches the loop, which must not go away meanwhile. Loops seldom share one of these,
// and a connection that ends would not feel it.
std::mutex& door_of(const loop& l) noexcept {
    static std::array<std::mutex, 64> doors;
    return doors[std::hash<const void*>()(&l) / alignof(std::max_align_t) % doors.size()];
}

}  // namespace

connection& connection::make(loop& l, int fd, endpoint remote) {
    try {
        return *new connection(l, fd, std::move(remote));
    } catch (...) {
        ::close(fd);
        throw;
    }
}

connection::connection(loop& l, int fd, endpoint remote)
    : loop_(l), unopened_(new unopened{.remote = std::move(remote)}) {
    loop_.sockets().add(*this, fd);
    loop_.add(*this);
}

connection::~connection() {
    while (last_queued_ != nullptr) static_cast<void>(take_queued());
    if (loop_gone_) return;
    loop_.settle_from(input_);  // a message outlives its connection
    loop_.remove(*this);
}

void connection::release() noexcept {
    auto count = references_.load(std::memory_order_relaxed);
    while (count > 2)
        if (references_.compare_exchange_weak(count, count - 1, std::memory_order_acq_rel)) return;
    // Perhaps the last handle: what follows touches the connection, so it belongs on its thread, if it still has one.
    {
        std::lock_guard const lock(door_of(loop_));
        if (!loop_gone_ && !loop_.context().get_executor().running_in_this_thread()) {
            asio::post(loop_.context(), release_elsewhere(*this));
            return;
        }
    }
    release_here();
}

void connection::release_here() noexcept {
    // Looked at first: behind the end of the loop, whoever has the other reference may destroy the connection at any time.
    bool const loop_may_see_to_it = !loop_gone_ && !let_go_;
    auto const left = references_.fetch_sub(1, std::memory_order_acq_rel) - 1;
    if (left == 0) {
        if (operations == 0) delete this;
    } else if (left == 1 && loop_may_see_to_it && operations == 0) {
        survive([this] { abandoned(); });
    }
}

void connection::operations_over() noexcept {
    if (let_go_) {  // something was begun after the end, and may have outlived the last handle
        if (references_.load(std::memory_order_acquire) == 0) delete this;
        return;
    }
    if (references_.load(std::memory_order_relaxed) == 1 && !let_go_) survive([this] { abandoned(); });
    maybe_let_go();
}

void connection::abandoned() {
    if (phase_ == phase::handshake) finish();
    if (phase_ == phase::closing && !dropping_ && !calls_back()) {
        dropping_ = true;  // what still comes is nobody's
        process_later();
    }
    if (phase_ != phase::open || (callbacks_ && callbacks_->are_set())) return;
    end(close_code::normal, {}, ended_by::application, "the last handle went away");
}

void connection::maybe_let_go() noexcept {
    if (let_go_ || phase_ != phase::ended || operations != 0 || dirty_) return;
    let_go_ = true;
    queue_is_nobodys();
    side_.reset();  // handles may outlive the server's io_context
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
}

void connection::loop_is_gone() {
    operation const held(this);
    loop_.settle_from(input_);
    note_end(ended_by::application, close_code::abnormal, {}, "the io_context that it lived on was destroyed", false);
    phase_ = phase::ended;
    {
        std::lock_guard const lock(door_of(loop_));
        loop_gone_ = true;
    }
    dirty_ = false;
    unparsed_ = {};
    loop_.sockets().close(*this);
    receiver_.drop();
    waiting_.drop_all();
    outbox_.clear();  // it may borrow from somebody who goes away with the loop
    callbacks_.reset();
    if (auto* const own = hybi()) own->inflate_with(nullptr);
    if (client_ && side_) side_->counts.nothing_is_left();
    side_.reset();
}

void connection::set_deadline(std::chrono::milliseconds from_now, const char* cause) {
    if (phase_ == phase::ended) return;  // nobody would clear it
    deadline_cause_ = cause;
    loop_.set_deadline(*this, from_now);
}

void connection::deadline_passed() {
    survive([this] { stage_is_over(); });
}

void connection::stage_is_over() {
    switch (phase_) {
        case phase::handshake:
            // The session answers when it waits for input; should the peer take no answer, the next deadline drops it.
            if (unopened_->late_answer != nullptr) {
                write_raw(*unopened_->late_answer);
                finish();
            } else if (timed_out_) {
                end_now();
            } else {
                timed_out_ = true;
                set_deadline(close_timeout(), deadline_cause_);
                receiver_.wake_later();
            }
            break;
        case phase::open:
            if (stream_ended_)
                finish();  // nobody has asked for messages since
            else
                look_after();
            break;
        case phase::closing:
        case phase::finishing:
            if (!second_half_) {
                second_half_ = true;
                note_delivery();
                auto const left =
                    close_timeout() - close_timeout() / 2 - loop_.late_by(*this);  // the clock may have leapt
                if (left.count() > 0) {
                    set_deadline(left, deadline_cause_);
                    if (phase_ == phase::closing) process_later();  // see nobody_takes()
                    return;
                }
            }
            if (phase_ == phase::closing) (status_->cause += "; ") += deadline_cause_;
            if (takes_nothing()) leave_nothing_behind();
            end_now();
            break;
        case phase::ended: break;
    }
}

void connection::open(const protocol::strategy& strategy, opening agreed, std::shared_ptr<side> near) {
    auto const& limits = near->settings().limits;
    auto const role = near->role();
    client_ = role == protocol::role::client;
    strategy_ = &strategy;
    protocol::decoder_limits const bounds{limits.message_size, limits.fragments};
    if (is_hybi(strategy.version())) {
        decoder_.emplace<protocol::hybi_decoder>(protocol::rules_of(strategy.version()), role, bounds);
    } else {
        decoder_ = strategy.make_decoder(role, bounds);
    }
    choose_corking();
    opening_ = std::move(agreed);
    unopened_.reset();
    side_ = std::move(near);
    count_waiting(0);  // the response, perhaps
    phase_ = phase::open;
    heard_at_ = active_at_ = pinged_at_ = loop_.beat();
    if (stream_ended_)
        set_deadline(close_timeout(), "the peer ended the TCP connection");
    else
        look_after();
    if (unparsed_.empty())
        read_on();
    else
        process_later();  // the first frames came with the handshake
}

std::chrono::milliseconds connection::close_timeout() const noexcept {
    return side_ ? side_->settings().timeouts.close : std::chrono::milliseconds(close_within_);
}

void connection::compress(const protocol::deflate_parameters& agreed) {
    hybi()->inflate_with(compressor::make(loop_, side_->role(), agreed, side_->settings().compression));
    choose_corking();
}

wsio::ready_state connection::ready_state() const noexcept {
    switch (phase_) {
        case phase::handshake: return ready_state::opening;
        case phase::open: return ready_state::open;
        case phase::closing:
        case phase::finishing: return ready_state::closing;
        case phase::ended: break;
    }
    return ready_state::closed;
}

server_state* connection::server() const noexcept {
    return client_ ? nullptr : static_cast<server_state*>(side_.get());
}

endpoint connection::local_endpoint() const { return fd() < 0 ? endpoint{} : local_endpoint_of(fd()); }

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
        auto const waiting = outbox_.size();
        outbox_.clear();  // it may borrow from who is not told yet
        if (loop_.current() == this) loop_.cork().clear();
        count_waiting(waiting);
        loop_.set_deadline(*this, deadlines::tick);  // again, when others have given some back
    }
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
    if (loop_.current() == this) loop_.cork().clear();
    auto const waiting = outbox_.size();
    outbox_.clear();
    count_waiting(waiting);
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

connection::callbacks& connection::listen() {
    if (!callbacks_) callbacks_ = std::make_unique<callbacks>();
    if (phase_ == phase::ended && !loop_gone_)
        tell_ended_later();
    else if (!loop_gone_)
        process_later();  // messages may wait already
    return *callbacks_;
}

}  // namespace wsio::detail
