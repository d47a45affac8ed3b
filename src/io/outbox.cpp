#include "io/outbox.hpp"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>

namespace wsio::detail {

std::ptrdiff_t write_pieces(int fd, std::string_view a, std::string_view b, std::string_view c,
                            std::string_view d) noexcept {
    iovec pieces[4];
    std::size_t count = 0;
    for (auto piece : {a, b, c, d})
        if (!piece.empty()) pieces[count++] = {const_cast<char*>(piece.data()), piece.size()};
    if (count == 0) return 0;
    for (;;) {
        ssize_t written;
        if (count == 1) {
            written = ::send(fd, pieces[0].iov_base, pieces[0].iov_len, MSG_NOSIGNAL | MSG_DONTWAIT);
        } else {
            msghdr header{};
            header.msg_iov = pieces;
            header.msg_iovlen = count;
            written = ::sendmsg(fd, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
        }
        if (written >= 0) return written;
        if (errno == EINTR) continue;
        return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;
    }
}

void outbox::own_borrowed() {
    if (borrowed_.empty()) return;
    if (front_.size() == written_) {
        front_.clear();
        written_ = 0;
    }
    front_.append(borrowed_);
    borrowed_ = {};
    front_.append(back_.view());
    back_.release();
}

void outbox::consume(std::size_t count) noexcept {
    auto const from_front = std::min(count, front_.size() - written_);
    written_ += from_front;
    count -= from_front;
    auto const from_borrowed = std::min(count, borrowed_.size());
    borrowed_.remove_prefix(from_borrowed);
    count -= from_borrowed;
    if (written_ == front_.size() && borrowed_.empty()) {
        front_ = std::move(back_);
        back_.release();
        written_ = count;
    }
}

void outbox::clear() noexcept {
    front_.release();
    written_ = 0;
    borrowed_ = {};
    back_.release();
}

}  // namespace wsio::detail
