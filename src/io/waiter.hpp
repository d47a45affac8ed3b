#pragma once

#include <wsio/detail/suspension.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <optional>
#include <utility>

namespace wsio::detail {

// What `co_await waiter.wait()` gives: nothing. It names the specialisation of awaitable below.
struct woken {};

/// A place where one coroutine waits until it is woken.
class waiter {
public:
    using signature = void(boost::system::error_code);
#if defined(WSIO_PORTABLE)
    using handler = boost::asio::async_result<boost::asio::use_awaitable_t<>, signature>::handler_type;
#else
    using handler = boost::asio::detail::awaitable_async_op_handler<signature, boost::asio::any_io_executor>;
#endif

    [[nodiscard]] bool waiting() const noexcept { return handler_.has_value(); }

    /// Suspends the calling coroutine. Its cancellation wakes it with operation_aborted. The waiter must stay where it is
    /// meanwhile.
    [[nodiscard]] boost::asio::awaitable<woken> wait();

    /// Resumes the coroutine, if there is one, before this returns. Only for the loop's own events: from within an
    /// application's call use `wake_later`.
    void wake() {
        if (!handler_) return;
        handler resumed = std::move(*handler_);
        handler_.reset();
        std::move(resumed)(boost::system::error_code());
    }

    /// Resumes the coroutine, if there is one, in a turn of its own.
    void wake_later(boost::system::error_code ec = {}) {
        if (!handler_) return;
        resume_posted posted{std::move(*handler_), ec};
        handler_.reset();
        auto const executor = posted.resumed.get_executor();
        boost::asio::post(executor, std::move(posted));
    }

    /// Destroys the coroutine.
    void drop() { std::exchange(handler_, std::nullopt); }

private:
    friend class suspension;

    struct resume_posted {
        handler resumed;
        boost::system::error_code ec;
        void operator()() { std::move(resumed)(ec); }
    };

    struct cancel {
        waiter* self;
        void operator()(boost::asio::cancellation_type) { self->wake_later(boost::asio::error::operation_aborted); }
    };

    void hold(handler&& suspended) {
        auto slot = boost::asio::get_associated_cancellation_slot(suspended);
        handler_.emplace(std::move(suspended));
        if (slot.is_connected()) slot.assign(cancel{this});
    }

#if defined(WSIO_PORTABLE)
    struct start {
        waiter* self;
        void operator()(handler&& suspended) { self->hold(std::move(suspended)); }
    };

    [[nodiscard]] boost::asio::awaitable<void> wait_portably() {
        boost::asio::use_awaitable_t<> token;
        return boost::asio::async_initiate<boost::asio::use_awaitable_t<>, signature>(start{this}, token);
    }
#endif

    std::optional<handler> handler_;
};

}  // namespace wsio::detail

namespace boost::asio {

template <>
class [[nodiscard]] awaitable<wsio::detail::woken, any_io_executor> {
public:
    explicit awaitable(wsio::detail::waiter& at) noexcept : at_(&at) {}

    [[nodiscard]] bool await_ready() const noexcept { return false; }
    template <typename Handle>
    void await_suspend(Handle suspended) {
        suspension_.start(suspended, *this);
    }
    void await_resume() { suspension_.finish(); }

private:
    friend class wsio::detail::suspension;
    [[nodiscard]] wsio::detail::waiter& place() const noexcept { return *at_; }

    wsio::detail::waiter* at_;
    wsio::detail::suspension suspension_;
};

}  // namespace boost::asio

namespace wsio::detail {

inline boost::asio::awaitable<woken> waiter::wait() { return boost::asio::awaitable<woken>(*this); }

}  // namespace wsio::detail
