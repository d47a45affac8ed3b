#include "io/outbox.hpp"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <utility>

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

// So many bytes of waiting frames are given to the network at a time; what is given can no longer be dropped.
constexpr std::size_t frames_at_once = 64 * 1024;

void outbox::append(std::string_view head, std::string_view payload, std::string_view tail) {
    if (waiting_) {
        wait(head, payload, tail, false);
        return;
    }
    auto& end = own_end();
    end.append(head);
    end.append(payload);
    end.append(tail);
}

void outbox::append_droppable(std::string_view head, std::string_view payload, std::string_view tail) {
    if (empty())
        append(head, payload, tail);
    else
        wait(head, payload, tail, true);
}

void outbox::wait(std::string_view head, std::string_view payload, std::string_view tail, bool droppable) {
    std::string bytes;
    bytes.reserve(head.size() + payload.size() + tail.size());
    bytes.append(head).append(payload).append(tail);
    auto const size = bytes.size();
    if (!waiting_) waiting_ = std::make_unique<frames_waiting>();
    waiting_->frames.push_back({std::move(bytes), droppable});
    waiting_->bytes += size;
}

bool outbox::drop_oldest() {
    while (waiting_) {
        auto const& oldest = waiting_->frames.front();
        if (!oldest.droppable) {
            take_frame();  // so that it is not passed again and again
            continue;
        }
        waiting_->bytes -= oldest.bytes.size();
        waiting_->frames.pop_front();
        if (waiting_->frames.empty()) waiting_.reset();
        return true;
    }
    return false;
}

void outbox::take_frame() {
    auto const& first = waiting_->frames.front();
    own_end().append(first.bytes);
    waiting_->bytes -= first.bytes.size();
    waiting_->frames.pop_front();
    if (waiting_->frames.empty()) waiting_.reset();
}

void outbox::take_frames() {
    front_.release();
    written_ = 0;
    while (waiting_ && front_.size() < frames_at_once) take_frame();
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
    waiting_.reset();
}

}  // namespace wsio::detail
