#pragma once

#include "clock.hpp"
#include "histogram.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace wsio::bench {

/// What the server used, when it was to be watched.
struct server_usage {
    double cpu_per_completed = 0;        ///< Seconds for each message, or each connection in the mode connect.
    double cpu_share = 0;                ///< 1 is one core.
    std::uint64_t resident = 0;          ///< Bytes of memory at the end.
    double resident_per_connection = 0;  ///< What it grew by since no connection was open.
};

/// What was measured.
struct result {
    double seconds = 0;
    std::uint64_t completed = 0;   ///< Echoes, or connections that were opened in the mode connect.
    std::uint64_t total = 0;       ///< The same, with those before and after the measurement.
    std::uint64_t received = 0;    ///< Bytes that came back in the measurement, frames' headers included.
    histogram latencies;           ///< Of echoes, or from the beginning of a connection to the end of its handshake.
    std::size_t open = 0;          ///< Connections at the end.
    std::size_t lost = 0;          ///< In the mode idle: connections that the server closed.
    std::string why_lost;          ///< What became of the first of them.
    std::uint64_t unanswered = 0;  ///< Messages that waited for more than a second at the end.
    nanoseconds longest_wait = 0;
    double generator_cpu_share = 0;  ///< Of its threads: 1 is all their time, so that they may be what limits.
    std::optional<server_usage> server;
    bool interrupted = false;

    /// Gives what a message took on the way back, in bytes; 0 when none came.
    [[nodiscard]] double received_per_message() const noexcept {
        return completed > 0 ? static_cast<double>(received) / static_cast<double>(completed) : 0;
    }
    [[nodiscard]] double per_second() const noexcept {
        return seconds > 0 ? static_cast<double>(completed) / seconds : 0;
    }
};

}  // namespace wsio::bench
