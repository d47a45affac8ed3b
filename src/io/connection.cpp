#include "io/connection.hpp"

#include <boost/asio/post.hpp>

#include <unistd.h>

#include <array>
#include <cstddef>
#include <functional>
#include <mutex>
#include <utility>

#include "io/addresses.hpp"
#include "io/large_messages.hpp"
#include "io/server_state.hpp"

// The life of a connection: references, phases, deadlines. connection_ending.cpp, connection_receive.cpp,
// connection_messages.cpp, connection_parts.cpp, connection_send.cpp, connection_stream.cpp and connection_keepalive.cpp have
// the rest.

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
    side_->counts.bytes_waiting.add(outbox_.size());  // the response, perhaps
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

connection::callbacks& connection::listen() {
    if (!callbacks_) callbacks_ = std::make_unique<callbacks>();
    if (phase_ == phase::ended && !loop_gone_)
        tell_ended_later();
    else if (!loop_gone_)
        process_later();  // messages may wait already
    return *callbacks_;
}

}  // namespace wsio::detail
