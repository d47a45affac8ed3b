#include "io/poller.hpp"

#include <sys/epoll.h>

namespace wsio::detail {

void polled::happened(std::uint32_t events) {
    constexpr std::uint32_t ends = EPOLLRDHUP | EPOLLERR | EPOLLHUP;
    if (fd_ < 0) return;
    if ((events & ends) != 0) end_is_near_ = true;
    bool const can_read = (events & (EPOLLIN | ends)) != 0;
    bool const readable = can_read && awaits_readable_;
    bool const writable = (events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0 && awaits_writable_;
    if (can_read && !readable) became_readable_ = true;
    if (readable) awaits_readable_ = false;
    if (writable) awaits_writable_ = false;
    if (readable || writable) ready(readable, writable);
}

}  // namespace wsio::detail
