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

// So many bytes that are gone already may stand before those that wait, if the others are more.
constexpr std::size_t most_written = 64 * 1024;

char* outbox::append(std::string_view head, std::string_view payload, std::string_view tail) {
    if (head.empty() && payload.empty() && tail.empty()) return nullptr;
    auto& all = held();
    if (all.waiting) return wait(head, payload, tail, false);
    auto& end = all.own_end();
    end.grow_by(head.size() + payload.size() + tail.size());  // all of it or nothing: a torn frame could not be mended
    end.append(head);
    end.append(payload);
    end.append(tail);
    return end.data() + end.size() - tail.size() - payload.size();
}

char* outbox::append_droppable(std::string_view head, std::string_view payload, std::string_view tail) {
    return empty() ? append(head, payload, tail) : wait(head, payload, tail, true);
}

char* outbox::wait(std::string_view head, std::string_view payload, std::string_view tail, bool droppable) {
    std::string bytes;
    bytes.reserve(head.size() + payload.size() + tail.size());
    bytes.append(head).append(payload).append(tail);
    auto const size = bytes.size();
    auto& waiting = held().waiting;
    if (!waiting) waiting = std::make_unique<frames_waiting>();
    waiting->frames.push_back({std::move(bytes), droppable});
    waiting->bytes += size;
    return waiting->frames.back().bytes.data() + head.size();
}

bool outbox::drop_oldest() {
    while (holds_ && holds_->waiting) {
        auto& waiting = *holds_->waiting;
        auto const& oldest = waiting.frames.front();
        if (!oldest.droppable) {
            take_frame();  // so that it is not passed again and again
            continue;
        }
        waiting.bytes -= oldest.bytes.size();
        waiting.frames.pop_front();
        if (waiting.frames.empty()) holds_->waiting.reset();
        return true;
    }
    return false;
}

void outbox::take_frame() {
    auto& waiting = *holds_->waiting;
    auto const& first = waiting.frames.front();
    holds_->own_end().append(first.bytes);
    waiting.bytes -= first.bytes.size();
    waiting.frames.pop_front();
    if (waiting.frames.empty()) holds_->waiting.reset();
}

void outbox::take_frames() {
    holds_->front.release();
    holds_->written = 0;
    while (holds_->waiting && holds_->front.size() < frames_at_once) take_frame();
}

std::span<char> outbox::own_borrowed() {
    if (!borrows()) return {};
    auto& all = *holds_;
    if (all.front.size() == all.written) {
        all.front.clear();
        all.written = 0;
    }
    auto const at = all.front.size();
    auto const size = all.borrowed.size();
    all.front.append(all.borrowed);
    all.borrowed = {};
    all.front.append(all.back.view());
    all.back.release();
    return {all.front.data() + at, size};
}

void outbox::consume(std::size_t count) noexcept {
    auto& all = *holds_;
    auto const from_front = std::min(count, all.front.size() - all.written);
    all.written += from_front;
    // A peer that is always a little behind never empties the outbox: what is gone must not add up.
    if (all.written >= most_written && all.written >= all.front.size() / 2) {
        all.front.drop_front(all.written);
        all.written = 0;
    }
    count -= from_front;
    auto const from_borrowed = std::min(count, all.borrowed.size());
    all.borrowed.remove_prefix(from_borrowed);
    count -= from_borrowed;
    if (all.written == all.front.size() && all.borrowed.empty()) {
        all.front = std::move(all.back);
        all.back.release();
        all.written = count;
        if (all.written == all.front.size()) {  // all at once: nothing must be left that looks as if it waited
            all.front.release();
            all.written = 0;
        }
    }
}

bool outbox::fills_a_write() const noexcept { return size() >= frames_at_once; }

}  // namespace wsio::detail
