#pragma once

// How `co_await socket.receive()` and `co_await socket.send(…)` cost no suspension when nothing has to be waited for.
// boost::asio::awaitable is specialised for two result types of this library. Asio hands such an object through to the
// compiler unchanged, so `await_ready` can take a message that is there. For the slow path see suspension.hpp.

#include <wsio/detail/suspension.hpp>
#include <wsio/message.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <optional>
#include <utility>

namespace wsio {

namespace detail {

class connection;

// The part of a connection that awaiting touches at every message.
struct awaited {
    // How many operations are under way. They run on the connection's executor only, so the count needs no atomic.
    unsigned operations = 0;
};

// Called when the last operation is over and the connection may have to be closed or destroyed.
void operations_over(awaited* c) noexcept;

// Keeps a connection alive while an operation on it is under way. May be null.
class operation {
public:
    explicit operation(awaited* c) noexcept : connection_(c) {
        if (connection_ != nullptr) ++connection_->operations;
    }
    operation(operation&& other) noexcept : connection_(std::exchange(other.connection_, nullptr)) {}
    operation& operator=(operation&&) = delete;
    ~operation() {
        if (connection_ != nullptr && --connection_->operations == 0) operations_over(connection_);
    }
    [[nodiscard]] awaited* get() const noexcept { return connection_; }

private:
    awaited* connection_;
};

// Tells whether `take_message` has an answer at once. A null connection has: nothing. Throws std::logic_error when there is
// none yet and another coroutine waits for it.
[[nodiscard]] bool message_ready(awaited* c);
[[nodiscard]] std::optional<message> take_message(awaited* c);
// Tells whether what `take_message` has is a message.
[[nodiscard]] bool message_waits(awaited* c) noexcept;
// Wakes whoever waits for the message that is there, in a turn of its own.
void hand_over_later(awaited* c);
[[nodiscard]] waiter& message_waiter(awaited* c) noexcept;

// What became of a message, or a piece of one, that was handed to a connection.
enum class sent : unsigned char { refused, accepted, waiting, piece_waiting };
[[nodiscard]] boost::asio::awaitable<void> wait_for_room(awaited* c, sent outcome);
[[nodiscard]] bool was_sent(awaited* c) noexcept;
// From here on the payload's memory is no longer the caller's promise.
void abandon_send(awaited* c);

}  // namespace detail

/// The result of a receive, where a name is needed: in the operators `||` and `&&`, callbacks and futures. It is an
/// optional message.
struct receive_result : std::optional<message> {
    using std::optional<message>::optional;
    receive_result(std::optional<message> other) : std::optional<message>(std::move(other)) {}
};

/// The result of a send, where a name is needed: true when the message was accepted, false when the connection is over.
struct send_result {
    bool accepted = false;
    send_result() = default;
    send_result(bool value) : accepted(value) {}
    operator bool() const noexcept { return accepted; }
};

}  // namespace wsio

namespace boost::asio {

/// Awaits one message. See `wsio::socket::receive`.
template <>
class [[nodiscard]] awaitable<wsio::receive_result, any_io_executor> {
public:
    using value_type = wsio::receive_result;
    using executor_type = any_io_executor;

    explicit awaitable(wsio::detail::awaited* c) noexcept : operation_(c) {}

    bool await_ready() const noexcept { return false; }
    // A message is not taken for a result that Asio would hold back: should the race be lost meanwhile, so would the message.
    template <typename Handle>
    bool await_suspend(Handle suspended) {
        if (wsio::detail::message_ready(operation_.get())) {
            if (wsio::detail::was_suspended(suspended) || !wsio::detail::message_waits(operation_.get())) return false;
            wsio::detail::hand_over_later(operation_.get());
        }
        suspension_.start(suspended, *this);
        return true;
    }
    std::optional<wsio::message> await_resume() {
        suspension_.finish();
        return wsio::detail::take_message(operation_.get());
    }

private:
    friend class wsio::detail::suspension;
    [[nodiscard]] wsio::detail::waiter& place() const noexcept {
        return wsio::detail::message_waiter(operation_.get());
    }

    wsio::detail::operation operation_;
    wsio::detail::suspension suspension_;
};

/// Awaits room for one message. See `wsio::socket::send`.
template <>
class [[nodiscard]] awaitable<wsio::send_result, any_io_executor> {
public:
    using value_type = wsio::send_result;
    using executor_type = any_io_executor;

    awaitable(wsio::detail::awaited* c, wsio::detail::sent outcome) noexcept : operation_(c), outcome_(outcome) {}
    awaitable(awaitable&&) noexcept = default;
    // A send that is dropped or cancelled before its end still goes out whole, from memory of the connection's own.
    ~awaitable() {
        if (outcome_ >= wsio::detail::sent::waiting && operation_.get() != nullptr)
            wsio::detail::abandon_send(operation_.get());
    }

    bool await_ready() {
        if (outcome_ < wsio::detail::sent::waiting) return true;
        waiting_ = wsio::detail::wait_for_room(operation_.get(), outcome_);
        return false;
    }
    template <typename Handle>
    void await_suspend(Handle handle) {
        waiting_.await_suspend(handle);
    }
    bool await_resume() {
        if (!waiting_.valid()) return outcome_ == wsio::detail::sent::accepted;
        waiting_.await_resume();
        outcome_ = wsio::detail::sent::accepted;
        return wsio::detail::was_sent(operation_.get());
    }

private:
    wsio::detail::operation operation_;
    awaitable<void> waiting_;  ///< Empty unless the send waits.
    wsio::detail::sent outcome_;
};

}  // namespace boost::asio
