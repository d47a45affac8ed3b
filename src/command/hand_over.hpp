#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace wsio::command {

/// Passes lines from a thread to a coroutine. The thread waits while there are too many: more than one, and 1 MiB of them.
/// Thread safety: `put` and `close` are safe on every thread, `next` belongs to the executor.
class hand_over {
public:
    explicit hand_over(const boost::asio::any_io_executor& executor)
        : arrival_(executor, boost::asio::steady_timer::time_point::max()) {}

    /// Gives a line, or nothing for the end of them. False when nobody will take it.
    bool put(std::optional<std::string> line) {
        std::unique_lock lock(mutex_);
        auto const size = size_of(line);
        room_.wait(lock, [&] { return closed_ || lines_.empty() || bytes_ + size <= most_bytes; });
        if (closed_) return false;
        bytes_ += size;
        lines_.push_back(std::move(line));
        boost::asio::post(arrival_.get_executor(), [this] { arrival_.cancel(); });
        return true;
    }

    /// Waits for the next line.
    [[nodiscard]] boost::asio::awaitable<std::optional<std::string>> next() {
        for (;;) {
            if (auto line = take()) co_return std::move(*line);
            boost::system::error_code ignored;  // each arrival ends the wait
            co_await arrival_.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, ignored));
        }
    }

    /// Lets the thread go: what it has is not wanted any more.
    void close() {
        std::lock_guard const lock(mutex_);
        closed_ = true;
        room_.notify_all();
    }

private:
    static constexpr std::size_t most_bytes = std::size_t{1} << 20;

    // What holds an empty line takes memory, too.
    static std::size_t size_of(const std::optional<std::string>& line) noexcept {
        return sizeof line + (line ? line->size() : 0);
    }

    std::optional<std::optional<std::string>> take() {
        std::lock_guard const lock(mutex_);
        if (lines_.empty()) return std::nullopt;
        auto line = std::move(lines_.front());
        lines_.pop_front();
        bytes_ -= size_of(line);
        room_.notify_all();
        return line;
    }

    std::mutex mutex_;
    std::condition_variable room_;
    std::deque<std::optional<std::string>> lines_;
    std::size_t bytes_ = 0;
    bool closed_ = false;
    boost::asio::steady_timer arrival_;
};

}  // namespace wsio::command
