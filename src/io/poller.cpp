#include "io/poller.hpp"

#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
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

// What a loop asks for at once. Others than sockets have their turn in between.
constexpr int most_events = 128;

constexpr std::uint32_t reading_events = EPOLLIN | EPOLLRDHUP | EPOLLERR | EPOLLHUP;
constexpr std::uint32_t writing_events = EPOLLOUT | EPOLLERR | EPOLLHUP;
constexpr std::uint32_t ending_events = EPOLLRDHUP | EPOLLERR | EPOLLHUP;
constexpr std::uint32_t watched_events = EPOLLIN | EPOLLRDHUP | EPOLLET;

}  // namespace

poller::poller(boost::asio::io_context& context)
    : context_(context), epoll_(make_epoll()), watched_(context, epoll_, *this) {}

poller::~poller() = default;

void poller::add(polled& owner, int fd) {
    watched_.wait_readable();
    epoll_event wanted{.events = watched_events, .data = {.ptr = &owner}};
    if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &wanted) != 0) {
        int const error = errno;
        if (sockets_ == 0) watched_.cancel();
        raise(error, "wsio: cannot watch a socket");
    }
    owner.fd_ = fd;
    ++sockets_;
}

void poller::wait_readable(polled& owner) {
    owner.awaits_readable_ = owner.fd_ >= 0;
    if (!owner.awaits_readable_ || !owner.became_readable_) return;
    news_.push_back({&owner, EPOLLIN});
    owner.became_readable_ = false;
    tell_later();
}

void poller::wait_writable(polled& owner) {
    owner.awaits_writable_ = owner.fd_ >= 0;
    if (!owner.awaits_writable_ || owner.watched_writable_) return;
    // Few sockets are ever found full. From now on this one says when there is room.
    owner.watched_writable_ = true;
    epoll_event wanted{.events = watched_events | EPOLLOUT, .data = {.ptr = &owner}};
    ::epoll_ctl(epoll_, EPOLL_CTL_MOD, owner.fd_, &wanted);
}

void poller::close(polled& owner) noexcept {
    if (owner.fd_ < 0) return;
    // A child process may have a copy of the descriptor: closing ours would then not end the watch.
    ::epoll_ctl(epoll_, EPOLL_CTL_DEL, owner.fd_, nullptr);
    ::close(std::exchange(owner.fd_, -1));
    owner.awaits_readable_ = owner.awaits_writable_ = false;
    for (auto i = told_; i != news_.size(); ++i)
        if (news_[i].who == &owner) news_[i].who = nullptr;
    if (--sockets_ == 0) watched_.cancel();  // an io_context without connections may have nothing to do
}

void poller::readable() {
    if (sockets_ == 0) return;
    watched_.wait_readable();  // first, because who is told may run the io_context, too
    collect();
    tell();
}

void poller::tell_later() {
    if (std::exchange(telling_posted_, true)) return;
    boost::asio::post(context_, [this] {
        telling_posted_ = false;
        collect();
        tell();
    });
}

void poller::collect() {
    news_.reserve(news_.size() + most_events);  // before the events are taken: they are told once
    std::array<epoll_event, most_events> events;
    int count;
    do {
        count = ::epoll_wait(epoll_, events.data(), most_events, 0);
    } while (count < 0 && errno == EINTR);
    for (int i = 0; i < count; ++i) news_.push_back({static_cast<polled*>(events[i].data.ptr), events[i].events});
    if (count == most_events) tell_later();  // there may be more, of which Asio has told already
}

// Tells what there is now. Who is ready again at once waits until the others have had their turn.
void poller::tell() {
    struct rest {
        poller& self;
        ~rest() {
            if (self.told_ != self.news_.size()) {
                self.tell_later();
            } else {
                self.news_.clear();
                self.told_ = 0;
            }
        }
    } const rest{*this};
    for (auto left = news_.size() - told_; left != 0 && told_ != news_.size(); --left) {
        auto const [who, events] = news_[told_++];
        if (who != nullptr) tell(*who, events);
    }
}

void poller::tell(polled& who, std::uint32_t events) {
    if ((events & ending_events) != 0) who.end_is_near_ = true;
    bool const readable = (events & reading_events) != 0;
    bool const read = readable && who.awaits_readable_;
    bool const write = (events & writing_events) != 0 && who.awaits_writable_;
    if (readable && !read) who.became_readable_ = true;
    if (read) {
        if (write) news_.push_back({&who, EPOLLOUT});  // in a moment: what it reads may be its end
        who.awaits_readable_ = false;
        who.readable();
    } else if (write) {
        who.awaits_writable_ = false;
        who.writable();
    }
}

}  // namespace wsio::detail
