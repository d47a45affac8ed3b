#include "io/poller.hpp"

#if !defined(WSIO_PORTABLE)

#include <boost/asio/execution_context.hpp>
#include <boost/system/system_error.hpp>

#include <sys/epoll.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace wsio::detail {

namespace {

using boost::asio::detail::reactor;

// The reactor has no function that gives its epoll instance. An explicit instantiation may name a private member.
template <int reactor::*Member>
struct member_of_reactor {
    friend int& epoll_instance(reactor& r) noexcept { return r.*Member; }
};
int& epoll_instance(reactor& r) noexcept;
template struct member_of_reactor<&reactor::epoll_fd_>;

constexpr std::uint32_t watched_events = EPOLLIN | EPOLLRDHUP | EPOLLET;

// The reactor takes what it finds here for one of its own operations, of which it uses no more than `event_source` has.
epoll_event watch(polled& owner, std::uint32_t events) noexcept {
    return {.events = events, .data = {.ptr = static_cast<boost::asio::detail::operation*>(&owner)}};
}

}  // namespace

poller::poller(boost::asio::io_context& context)
    : reactor_(boost::asio::use_service<reactor>(context)),
      scheduler_(boost::asio::use_service<boost::asio::detail::scheduler>(context)) {
    reactor_.init_task();
}

void poller::add(polled& owner, int fd) {
    auto wanted = watch(owner, watched_events);
    if (::epoll_ctl(epoll_instance(reactor_), EPOLL_CTL_ADD, fd, &wanted) != 0)
        throw boost::system::system_error(errno, boost::system::system_category(), "wsio: cannot watch a socket");
    owner.fd_ = fd;
    if (sockets_++ == 0) scheduler_.work_started();
}

void poller::await_writable(polled& owner) noexcept {
    owner.awaits_writable_ = true;
    if (std::exchange(owner.watched_writable_, true)) return;
    auto wanted = watch(owner, watched_events | EPOLLOUT);
    ::epoll_ctl(epoll_instance(reactor_), EPOLL_CTL_MOD, owner.fd_, &wanted);
}

void poller::close(polled& owner) noexcept {
    if (owner.fd_ < 0) return;
    // A child process may have a copy of the descriptor: closing ours would then not end the watch.
    ::epoll_ctl(epoll_instance(reactor_), EPOLL_CTL_DEL, owner.fd_, nullptr);
    ::close(std::exchange(owner.fd_, -1));
    if (--sockets_ == 0) scheduler_.work_finished();
}

// The scheduler is null when the io_context is being destroyed.
void event_source::completed(void* scheduler, boost::asio::detail::operation* base, const boost::system::error_code&,
                             std::size_t events) {
    if (scheduler == nullptr) return;
    // The scheduler counts each operation that it has run as work that is done. This one was not counted as work to do.
    static_cast<boost::asio::detail::scheduler*>(scheduler)->compensating_work_started();
    static_cast<polled&>(*static_cast<event_source*>(base)).happened(static_cast<std::uint32_t>(events));
}

}  // namespace wsio::detail

#endif
