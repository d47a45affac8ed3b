#pragma once

#include "command.hpp"
#include "console.hpp"

#include <wsio/client.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstddef>
#include <deque>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wsio::command {

/// What `wsio connect` was asked for, beside the way to the server.
struct conversation_settings {
    std::vector<std::string> messages;  ///< What to send in place of what is read.
    bool hex = false;                   ///< Lines are the bytes of binary messages.
    std::optional<std::size_t> count;   ///< When so many messages have come, it is over.
    /// How long a silence of the server is waited for when there is nothing more to send; for ever when not set.
    std::optional<std::chrono::milliseconds> wait;
};

/// The talk between a console and a server.
class conversation {
public:
    conversation(socket to, console& with, const conversation_settings& settings);

    /// Talks until the connection has ended.
    boost::asio::awaitable<exit_code> run();

    /// Ends it because of a signal.
    void interrupt();

private:
    boost::asio::awaitable<void> hear();
    boost::asio::awaitable<void> speak();
    boost::asio::awaitable<void> guard(boost::asio::awaitable<void> half);
    boost::asio::awaitable<void> say_all();
    boost::asio::awaitable<void> say_what_is_read();
    boost::asio::awaitable<bool> say(std::string_view line);
    boost::asio::awaitable<bool> say_typed(std::string_view line);
    boost::asio::awaitable<void> wait_for_silence();
    void ping(std::string_view payload);
    void pong(std::string_view payload);
    [[nodiscard]] exit_code outcome() const;

    using clock = std::chrono::steady_clock;
    struct sent_ping {
        std::string payload;
        clock::time_point at;
    };
    static constexpr std::size_t most_pings = 100;

    socket socket_;
    console& console_;
    const conversation_settings& settings_;
    boost::asio::steady_timer timer_;
    clock::time_point heard_at_ = clock::now();
    std::deque<sent_ping> pings_;  ///< Those typed that have no pong yet.
    std::size_t heard_ = 0;
    bool shows_ = false;  ///< A message is being shown.
    bool nobody_looks_ = false;
    std::exception_ptr thrown_;
    bool interrupted_ = false;
};

}  // namespace wsio::command
