#pragma once

#include <wsio/byte_buffer.hpp>
#include <wsio/protocol/strategy.hpp>

#include <cstddef>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace wsio::detail {

/// The bytes of one connection that wait for the network, in order: a run of our own bytes, then perhaps a payload in
/// its sender's memory, then another run of our own, then perhaps whole frames, of which some may still be dropped. Frames
/// never wait alone: the first is moved to the bytes when there are no others. An empty outbox is one pointer.
class outbox {
public:
    [[nodiscard]] bool empty() const noexcept { return !holds_ || (holds_->front.empty() && holds_->borrowed.empty()); }
    [[nodiscard]] std::size_t size() const noexcept { return holds_ ? holds_->size() : 0; }
    [[nodiscard]] bool borrows() const noexcept { return holds_ && !holds_->borrowed.empty(); }

    /// Gives what the outbox costs: its bytes, and 64 more for each frame that may be dropped or waits behind one.
    [[nodiscard]] std::size_t cost() const noexcept {
        return size() + (holds_ && holds_->waiting ? holds_->waiting->frames.size() * frame_overhead : 0);
    }
    static constexpr std::size_t frame_overhead = 64;

    /// Appends a copy of `bytes`, which are one frame or a part of one; behind frames that wait, only whole ones. Gives
    /// where the copy of `payload` lies until the outbox is touched again.
    char* append(std::string_view head, std::string_view payload = {}, std::string_view tail = {});

    /// Appends a copy of a frame that may be dropped until its first byte is about to be written. Gives the same.
    char* append_droppable(std::string_view head, std::string_view payload, std::string_view tail);

    /// Drops the oldest frame that may be; false when there is none.
    bool drop_oldest();

    /// Appends `payload` without a copy: it must stay valid until it is written or `own_borrowed` is called. Only one
    /// payload may be borrowed at a time.
    void borrow(std::string_view payload) {
        if (!payload.empty()) held().borrowed = payload;
    }

    /// Copies what is still borrowed. Gives where the copy lies until the outbox is touched again.
    std::span<char> own_borrowed();

    enum class result { empty, blocked, failed };

    /// Writes as much as `write` takes: a function that is called like `write_pieces`, but for the descriptor.
    template <typename Write>
    result write_with(Write write) {
        while (!empty()) {
            auto const written =
                write(holds_->front.view().substr(holds_->written), holds_->borrowed, holds_->back.view());
            if (written < 0) return result::failed;
            if (written == 0) return result::blocked;
            consume(static_cast<std::size_t>(written));
            if (empty() && holds_->waiting) take_frames();
        }
        clear();
        return result::empty;
    }

    /// Tells whether there is as much as is given to the network at a time.
    [[nodiscard]] bool fills_a_write() const noexcept;

    /// Drops everything.
    void clear() noexcept { holds_.reset(); }

private:
    void consume(std::size_t count) noexcept;
    char* wait(std::string_view head, std::string_view payload, std::string_view tail, bool droppable);
    void take_frame();
    void take_frames();

    struct frame {
        std::string bytes;
        bool droppable;
    };
    struct frames_waiting {
        std::deque<frame> frames;
        std::size_t bytes = 0;
    };

    struct contents {
        byte_buffer front;
        std::size_t written = 0;  ///< How much of `front` is gone already.
        std::string_view borrowed;
        byte_buffer back;
        std::unique_ptr<frames_waiting> waiting;  ///< Null when no frames wait.

        [[nodiscard]] std::size_t size() const noexcept {
            return (front.size() - written) + borrowed.size() + back.size() + (waiting ? waiting->bytes : 0);
        }
        [[nodiscard]] byte_buffer& own_end() noexcept { return borrowed.empty() && back.empty() ? front : back; }
    };
    [[nodiscard]] contents& held() {
        if (!holds_) holds_ = std::make_unique<contents>();
        return *holds_;
    }

    std::unique_ptr<contents> holds_;
};

/// Writes up to three pieces in one system call; gives how many bytes the socket took, 0 when it is full, -1 when it
/// failed.
[[nodiscard]] std::ptrdiff_t write_pieces(int fd, std::string_view a, std::string_view b = {}, std::string_view c = {},
                                          std::string_view d = {}) noexcept;

}  // namespace wsio::detail
