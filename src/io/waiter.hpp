#pragma once

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

/// A place where one coroutine waits until it is woken.
class waiter {
public:
    using signature = void(boost::system::error_code);
    using handler = boost::asio::async_result<boost::asio::use_awaitable_t<>, signature>::handler_type;

    [[nodiscard]] bool waiting() const noexcept { return handler_.has_value(); }

    /// Suspends the calling coroutine. Its cancellation wakes it with operation_aborted. The waiter must stay where it is
    /// meanwhile.
    [[nodiscard]] boost::asio::awaitable<void> wait() {
        boost::asio::use_awaitable_t<> token;
        return boost::asio::async_initiate<boost::asio::use_awaitable_t<>, signature>(start{this}, token);
    }

    /// Resumes the coroutine, if there is one, before this returns. Only for the loop's own events: from within an
    /// application's call use `wake_later`.
    void wake() {
        if (!handler_) return;
        handler woken = std::move(*handler_);
        handler_.reset();
        std::move(woken)(boost::system::error_code());
    }

    /// Resumes the coroutine, if there is one, in a turn of its own.
    void wake_later(boost::system::error_code ec = {}) {
        if (!handler_) return;
        resume_posted posted{std::move(*handler_), ec};
        handler_.reset();
        auto const executor = posted.woken.get_executor();
        boost::asio::post(executor, std::move(posted));
    }

    /// Destroys the coroutine.
    void drop() { std::exchange(handler_, std::nullopt); }

private:
    struct resume_posted {
        handler woken;
        boost::system::error_code ec;
        void operator()() { std::move(woken)(ec); }
    };

    struct cancel {
        waiter* self;
        void operator()(boost::asio::cancellation_type) { self->wake_later(boost::asio::error::operation_aborted); }
    };

    struct start {
        waiter* self;
        void operator()(handler&& suspended) {
            auto slot = boost::asio::get_associated_cancellation_slot(suspended);
            self->handler_.emplace(std::move(suspended));
            if (slot.is_connected()) slot.assign(cancel{self});
        }
    };

    std::optional<handler> handler_;
};

}  // namespace wsio::detail
