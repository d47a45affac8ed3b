#pragma once

#include <wsio/client.hpp>
#include <wsio/error.hpp>
#include <wsio/socket.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

namespace wsio {

/// Says when a client connects again.
struct reconnect_options {
    /// How long to wait at least before an attempt that follows another: the first time a random time from half of this to
    /// this, each further time twice as long. The randomness keeps many clients of a server that has come back from
    /// arriving together.
    std::chrono::milliseconds first{500};
    /// Beyond this the time does not grow.
    std::chrono::milliseconds most{30'000};
    /// A connection that lasted for so long makes the time begin anew.
    std::chrono::milliseconds steady{60'000};
    /// After so many attempts in a row without success it gives up; 0 for never.
    unsigned attempts = 0;
    /// Tells whether another attempt makes sense after an error; by default `is_temporary`.
    std::function<bool(const connect_error&)> retry = {};
    /// Learns of each attempt that failed and is followed by another, and how long the wait is.
    std::function<void(const connect_error&, std::chrono::milliseconds wait)> on_failure = {};
};

/// Tells whether an error may go away by itself: the network, a server that restarts or is busy. A wrong URL, certificate or
/// handshake does not.
[[nodiscard]] bool is_temporary(const connect_error& e) noexcept;

/// Gives the times between attempts, each a random one from half to all of a time that doubles.
/// Thread safety: distinct objects safe, shared objects unsafe.
class backoff {
public:
    /// Throws `std::invalid_argument` unless 0 < `first` <= `most`.
    backoff(std::chrono::milliseconds first, std::chrono::milliseconds most);

    /// Gives the next time to wait.
    [[nodiscard]] std::chrono::milliseconds next();

    /// Begins anew.
    void reset() noexcept { present_ = first_; }

private:
    std::chrono::milliseconds first_;
    std::chrono::milliseconds most_;
    std::chrono::milliseconds present_;
    std::uint64_t random_;
};

/// Connects again whenever a connection has ended:
///
///     wsio::reconnecting connections("wss://example.org/feed", options);
///     for (;;) {
///         auto socket = co_await connections.next();
///         while (auto message = co_await socket.receive()) …
///     }
///
/// Thread safety: distinct objects safe, shared objects unsafe.
class reconnecting {
public:
    /// Copies what it is given. Throws `std::invalid_argument` when an option makes no sense.
    explicit reconnecting(std::string_view url, const client_options& options = {}, const reconnect_options& when = {});

    /// Connects, as often as it takes: at once for the first time, and then after the time that `reconnect_options` say,
    /// counted from this call. Throws the `connect_error` after which no other attempt makes sense. Cancellation ends it as
    /// it does `connect`. One call at a time.
    [[nodiscard]] boost::asio::awaitable<socket> next();

private:
    struct state;
    static boost::asio::awaitable<socket> next(std::shared_ptr<state> s);

    std::shared_ptr<state> state_;
};

}  // namespace wsio
