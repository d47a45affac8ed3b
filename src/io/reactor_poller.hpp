#pragma once

#include <boost/asio/io_context.hpp>

// Behind io_context.hpp, without which they do not compile.
#include <boost/asio/detail/reactor.hpp>
#include <boost/asio/detail/scheduler.hpp>
#include <boost/version.hpp>

#include <cstddef>

// These are the files that touch the internals of Asio's reactor. Its own way to watch a socket takes 280 bytes of memory,
// which an idle connection does not need otherwise, and several locks for each event; besides, it either tries a receive
// first and meets EAGAIN, or arms each wait with epoll_ctl. Here the sockets stand in the reactor's epoll instance
// themselves, each with an operation that is put into the scheduler's queue at each event.
#if BOOST_VERSION != 108100 || !defined(BOOST_ASIO_HAS_EPOLL)
#error "wsio: the poller in Asio's reactor is tested with Boost 1.81 on Linux only; configure with -DWSIO_REACTOR=OFF"
#endif

namespace wsio::detail {

class polled;

/// What the reactor knows of a socket.
struct event_source : boost::asio::detail::scheduler_operation {
    event_source() noexcept : scheduler_operation(&completed) {}

private:
    static void completed(void* scheduler, boost::asio::detail::operation* base, const boost::system::error_code&,
                          std::size_t events);
};

class poller {
public:
    explicit poller(boost::asio::io_context& context);
    poller(const poller&) = delete;
    poller& operator=(const poller&) = delete;

    void add(polled& owner, int fd);
    void await_writable(polled& owner) noexcept;
    void close(polled& owner) noexcept;
    void shut_down() noexcept {}

private:
    boost::asio::detail::reactor& reactor_;
    boost::asio::detail::scheduler& scheduler_;
    std::size_t sockets_ = 0;
};

}  // namespace wsio::detail
