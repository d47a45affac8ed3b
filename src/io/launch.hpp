#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#if defined(WSIO_PORTABLE)
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#else
#include <boost/asio/detail/memory.hpp>
#include <boost/asio/detail/thread_context.hpp>
#include <boost/asio/detail/thread_info_base.hpp>
#endif

#include <utility>

namespace wsio::detail {

/// What the coroutine of a connection returns. It is the lowest frame of its stack: `co_spawn` would put one of 450 bytes
/// below it, for as long as the connection lives. No exception may leave it.
#if defined(WSIO_PORTABLE)
using lowest_frame = boost::asio::awaitable<void>;
#else
using lowest_frame = boost::asio::awaitable<boost::asio::detail::awaitable_thread_entry_point>;
#endif

/// Runs the coroutine up to its first wait. Called on the executor's own thread.
inline void launch(lowest_frame coroutine, const boost::asio::any_io_executor& executor) {
#if defined(WSIO_PORTABLE)
    boost::asio::co_spawn(executor, std::move(coroutine), boost::asio::detached);
#else
    boost::asio::detail::awaitable_thread<boost::asio::any_io_executor>(std::move(coroutine), executor, {}, {})
        .launch();
#endif
}

/// Gives back the memory that Asio keeps of frames which are gone. Those of the handshake are large, and what begins next
/// may live as long as the connection: in one of them it would hold three times what it needs.
inline void drop_kept_frames() noexcept {
#if !defined(WSIO_PORTABLE) && !defined(BOOST_ASIO_DISABLE_AWAITABLE_FRAME_RECYCLING)
    using info = boost::asio::detail::thread_info_base;
    using kept = info::awaitable_frame_tag;
    auto* const thread = boost::asio::detail::thread_context::top_of_thread_call_stack();
    if (thread == nullptr) return;
    // A kept piece is handed out for any size that it covers, and aligned_delete does not keep it again.
    for (int i = kept::begin_mem_index; i < kept::end_mem_index; ++i)
        boost::asio::aligned_delete(info::allocate(kept(), thread, 1));
#endif
}

}  // namespace wsio::detail
