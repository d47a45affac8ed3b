#include "connection.hpp"

#include <sys/epoll.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace wsio::bench {
namespace {

/// Frames up to this size are copied together, so that several leave at once; larger ones are sent from where they lie.
constexpr std::size_t small_frame = 16 * 1024;

}  // namespace

void connection::send_due(nanoseconds time) {
    auto const& plan = bench_->plan;
    while (in_flight() < bench_->wanted.depth) {
        if (plan.gap == 0) {
            begun_at(begun_) = time;
        } else {
            if (begun_ == due_) break;
            // Not when it leaves but when it should have left, or a slow answer would hide the wait of those behind it.
            begun_at(begun_) = plan.due(index_, begun_);
        }
        ++begun_;
    }
    flush();
}

std::uint64_t connection::waiting_since(nanoseconds time) const noexcept {
    auto const end = bench_->plan.gap == 0 ? begun_ : due_;
    auto first_later = echoed_;
    while (first_later != end && waits_since(first_later) <= time) ++first_later;
    return first_later - echoed_;
}

void connection::flush() {
    while (!control_.empty() || sent_ != begun_) {
        ssize_t sent = 0;
        if (!control_.empty() && frame_position_ == 0)
            sent = send_control();
        else
            sent = bench_->messages.sent_size() <= small_frame ? send_small() : send_large();
        if (sent < 0) {
            // A connection that was reset shows in receiving, which also has what the server said before.
            if (errno == EAGAIN || errno == EWOULDBLOCK) return watch(EPOLLIN | EPOLLOUT);
            if (errno != EINTR) return watch(EPOLLIN);
        }
    }
    watch(EPOLLIN);
}

ssize_t connection::send_control() {
    auto const sent = ::send(socket_, control_.data(), control_.size(), MSG_NOSIGNAL);
    if (sent > 0) control_.drop_front(static_cast<std::size_t>(sent));
    return sent;
}

ssize_t connection::send_small() {
    auto const size = bench_->messages.sent_size();
    auto const count = std::min<std::uint64_t>(begun_ - sent_, workbench::block_size / size);
    auto* const block = bench_->send_block.get();
    for (std::uint64_t i = 0; i < count; ++i)
        bench_->messages.write(index_, traffic::number_of(id(), sent_ + i), block + i * size);
    auto const sent = ::send(socket_, block + frame_position_, count * size - frame_position_, MSG_NOSIGNAL);
    if (sent > 0) count_sent(static_cast<std::size_t>(sent));
    return sent;
}

ssize_t connection::send_large() {
    auto frame = bench_->messages.split(index_, traffic::number_of(id(), sent_));
    auto const in_head = std::min(frame_position_, frame.head_size);
    auto const tail = frame.tail.substr(frame_position_ - in_head);
    std::array<iovec, 2> pieces{iovec{frame.head.data() + in_head, frame.head_size - in_head},
                                iovec{const_cast<char*>(tail.data()), tail.size()}};
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = pieces.size();
    auto const sent = ::sendmsg(socket_, &message, MSG_NOSIGNAL);
    if (sent > 0) count_sent(static_cast<std::size_t>(sent));
    return sent;
}

void connection::count_sent(std::size_t bytes) noexcept {
    frame_position_ += bytes;
    auto const size = bench_->messages.sent_size();
    if (frame_position_ == size) {  // nearly always
        ++sent_;
        frame_position_ = 0;
        return;
    }
    sent_ += frame_position_ / size;
    frame_position_ %= size;
}

/// Asks epoll for these events, if that is news.
void connection::watch(std::uint32_t events) {
    if (events == watched_) return;
    epoll_event wish{};
    wish.events = events;
    wish.data.ptr = this;
    int const action = watched_ == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    if (::epoll_ctl(bench_->epoll, action, socket_, &wish) != 0)
        throw failure(exit_code::system, std::string("epoll: ") + std::strerror(errno));
    watched_ = events;
}

}  // namespace wsio::bench
