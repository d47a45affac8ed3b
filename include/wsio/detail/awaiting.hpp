#pragma once

// How `co_await socket.receive()` and `co_await socket.send(…)` cost no suspension when nothing has to be waited for.
// boost::asio::awaitable is specialised for two result types of this library. Asio hands such an object through to the
// compiler unchanged, so `await_ready` can take a message that is there. The slow path delegates to an ordinary inner
// awaitable, which needs nothing of Asio's internals.

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

// Tells whether `take_message` has an answer at once. A null connection has: nothing.
[[nodiscard]] bool message_ready(awaited* c);
[[nodiscard]] std::optional<message> take_message(awaited* c);
[[nodiscard]] boost::asio::awaitable<void> wait_for_message(awaited* c);

// What became of a message that was handed to a connection.
enum class sent : unsigned char { refused, accepted, waiting };
[[nodiscard]] boost::asio::awaitable<void> wait_for_room(awaited* c);
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
template <typename Executor>
class [[nodiscard]] awaitable<wsio::receive_result, Executor> {
public:
    using value_type = wsio::receive_result;
    using executor_type = Executor;

    explicit awaitable(wsio::detail::awaited* c) noexcept : operation_(c) {}

    bool await_ready() {
        if (wsio::detail::message_ready(operation_.get())) return true;
        waiting_.emplace(wsio::detail::wait_for_message(operation_.get()));
        return false;
    }
    template <typename Handle>
    void await_suspend(Handle handle) {
        waiting_->await_suspend(handle);
    }
    std::optional<wsio::message> await_resume() {
        if (waiting_) waiting_->await_resume();
        return wsio::detail::take_message(operation_.get());
    }

private:
    wsio::detail::operation operation_;
    std::optional<awaitable<void, Executor>> waiting_;
};

/// Awaits room for one message. See `wsio::socket::send`.
template <typename Executor>
class [[nodiscard]] awaitable<wsio::send_result, Executor> {
public:
    using value_type = wsio::send_result;
    using executor_type = Executor;

    awaitable(wsio::detail::awaited* c, wsio::detail::sent outcome) noexcept : operation_(c), outcome_(outcome) {}
    awaitable(awaitable&&) noexcept = default;
    // A send that is dropped or cancelled before its end still goes out whole, from memory of the connection's own.
    ~awaitable() {
        if (outcome_ == wsio::detail::sent::waiting && operation_.get() != nullptr)
            wsio::detail::abandon_send(operation_.get());
    }

    bool await_ready() {
        if (outcome_ != wsio::detail::sent::waiting) return true;
        waiting_.emplace(wsio::detail::wait_for_room(operation_.get()));
        return false;
    }
    template <typename Handle>
    void await_suspend(Handle handle) {
        waiting_->await_suspend(handle);
    }
    bool await_resume() {
        if (!waiting_) return outcome_ == wsio::detail::sent::accepted;
        waiting_->await_resume();
        outcome_ = wsio::detail::sent::accepted;
        return wsio::detail::was_sent(operation_.get());
    }

private:
    wsio::detail::operation operation_;
    wsio::detail::sent outcome_;
    std::optional<awaitable<void, Executor>> waiting_;
};

}  // namespace boost::asio
