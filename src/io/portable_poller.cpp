#include "io/poller.hpp"

#if defined(WSIO_PORTABLE)

#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>

#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace wsio::detail {

namespace {

[[noreturn]] void raise(int error, const char* what) {
    throw boost::system::system_error(error, boost::system::system_category(), what);
}

int make_epoll() {
    int const fd = ::epoll_create1(EPOLL_CLOEXEC);
    if (fd < 0) raise(errno, "wsio: cannot make an epoll instance");
    return fd;
}

// What a round asks for at most. Others than sockets have their turn between two rounds.
constexpr int most_events = 128;

constexpr std::uint32_t watched_events = EPOLLIN | EPOLLRDHUP | EPOLLET;

}  // namespace

poller::poller(boost::asio::io_context& context) : context_(context), epoll_(context, make_epoll()) {}

void poller::add(polled& owner, int fd) {
    wait();
    epoll_event wanted{.events = watched_events, .data = {.ptr = &owner}};
    if (::epoll_ctl(epoll_.native_handle(), EPOLL_CTL_ADD, fd, &wanted) != 0) {
        int const error = errno;
        if (sockets_ == 0) epoll_.cancel();
        raise(error, "wsio: cannot watch a socket");
    }
    owner.fd_ = fd;
    ++sockets_;
}

void poller::await_writable(polled& owner) noexcept {
    owner.awaits_writable_ = true;
    if (std::exchange(owner.watched_writable_, true)) return;
    epoll_event wanted{.events = watched_events | EPOLLOUT, .data = {.ptr = &owner}};
    ::epoll_ctl(epoll_.native_handle(), EPOLL_CTL_MOD, owner.fd_, &wanted);
}

void poller::close(polled& owner) noexcept {
    if (owner.fd_ < 0) return;
    // A child process may have a copy of the descriptor: closing ours would then not end the watch.
    if (epoll_.is_open()) ::epoll_ctl(epoll_.native_handle(), EPOLL_CTL_DEL, owner.fd_, nullptr);
    ::close(std::exchange(owner.fd_, -1));
    for (auto i = told_; i != news_.size(); ++i)
        if (news_[i].who == &owner) news_[i].who = nullptr;
    boost::system::error_code ignored;
    if (--sockets_ == 0) epoll_.cancel(ignored);
}

void poller::shut_down() noexcept {
    boost::system::error_code ignored;
    epoll_.close(ignored);
}

void poller::wait() {
    if (std::exchange(waiting_, true)) return;
    epoll_.async_wait(boost::asio::posix::descriptor_base::wait_read, [this](const boost::system::error_code&) {
        waiting_ = false;
        if (sockets_ == 0) return;
        wait();  // first, because who is told may run the io_context, too
        round();
    });
}

void poller::round() {
    collect();
    tell();
}

void poller::round_later() {
    if (std::exchange(round_posted_, true)) return;
    boost::asio::post(context_, [this] {
        round_posted_ = false;
        round();
    });
}

void poller::collect() {
    news_.reserve(news_.size() + most_events);  // before the events are taken: they are told once
    std::array<epoll_event, most_events> events;
    int count;
    do {
        count = ::epoll_wait(epoll_.native_handle(), events.data(), most_events, 0);
    } while (count < 0 && errno == EINTR);
    for (int i = 0; i < count; ++i) news_.push_back({static_cast<polled*>(events[i].data.ptr), events[i].events});
    if (count == most_events) round_later();  // there may be more, of which Asio has told already
}

void poller::tell() {
    // Whoever throws is not to keep the others from their news.
    struct rest {
        poller& self;
        ~rest() {
            if (self.told_ != self.news_.size()) {
                self.round_later();
            } else {
                self.news_.clear();
                self.told_ = 0;
            }
        }
    } const rest{*this};
    while (told_ != news_.size()) {
        auto const [who, events] = news_[told_++];
        if (who != nullptr) who->happened(events);
    }
}

}  // namespace wsio::detail

#endif
