#pragma once

// How a coroutine suspends inside this library. Two implementations of one small class, chosen by the build option
// WSIO_REACTOR: one that hands the coroutine from Asio's frame straight to the place where it waits, which costs neither a
// call of `async_initiate` nor a second coroutine frame for every wait, and one on public Asio API only. The tests run
// with both.
//
//     void start(Handle, Awaiter&);   for await_suspend: the coroutine waits at what `awaiter.place()` gives. The awaiter
//                                     holds the suspension and stays where it is.
//     void finish();                  for await_resume: throws when the wait was cancelled; nothing if there was none

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/version.hpp>

#if defined(WSIO_PORTABLE)
#include <optional>
#else
#include <boost/system/error_code.hpp>
#endif

namespace wsio::detail {

class waiter;  // io/waiter.hpp

// Tells whether the coroutine has been suspended since `co_spawn` started it. If it never was, Asio holds its result back for
// another turn, in which a race (`||`) may end without it.
template <typename Handle>
[[nodiscard]] bool was_suspended(Handle running) {
    return running.promise()
        .await_transform(boost::asio::detail::awaitable_thread_has_context_switched{})
        .await_resume();
}

#if defined(WSIO_PORTABLE)

class suspension {
public:
    template <typename Handle, typename Awaiter>
    void start(Handle suspended, Awaiter& awaiter) {
        waiting_.emplace(wait(awaiter.place()));
        waiting_->await_suspend(suspended);
    }
    void finish() {
        if (waiting_) waiting_->await_resume();
    }

private:
    [[nodiscard]] static boost::asio::awaitable<void> wait(waiter& at);

    std::optional<boost::asio::awaitable<void>> waiting_;
};

#else

#if BOOST_VERSION != 108100
#error "wsio: built for Boost 1.81; for another version configure it with -DWSIO_REACTOR=OFF"
#endif

class suspension {
public:
    template <typename Handle, typename Awaiter>
    void start(Handle suspended, Awaiter& awaiter) {
        frame_ = &suspended.promise();
        // Not before the coroutine is suspended may anybody hold it who could resume it.
        frame_->after_suspend(
            [](void* arg) {
                auto& self = *static_cast<Awaiter*>(arg);
                self.suspension_.suspended(self.place());
            },
            &awaiter);
    }
    void finish() const {
        if (result_ != nullptr && *result_) raise();
    }

private:
    void suspended(waiter& at);
    [[noreturn]] void raise() const;

    union {
        boost::asio::detail::awaitable_frame_base<boost::asio::any_io_executor>* frame_;
        boost::system::error_code* result_ = nullptr;  ///< Once the coroutine was woken: how the wait ended.
    };
};

#endif

}  // namespace wsio::detail
