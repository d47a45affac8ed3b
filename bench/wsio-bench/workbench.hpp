#pragma once

#include "clock.hpp"
#include "histogram.hpp"
#include "random_source.hpp"
#include "settings.hpp"
#include "traffic.hpp"

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <memory>

namespace wsio::bench {

/// Where to connect to, resolved.
struct address {
    sockaddr_storage storage{};
    socklen_t size = 0;

    [[nodiscard]] const sockaddr* data() const noexcept { return reinterpret_cast<const sockaddr*>(&storage); }
};

/// When the messages of --rate are due: one after the other, the connections taking turns.
struct schedule {
    nanoseconds start = 0;
    double gap = 0;  ///< Nanoseconds from one message of the thread to the next; 0 without --rate.
    std::size_t connections = 1;

    [[nodiscard]] nanoseconds due(std::uint64_t message) const noexcept {
        return start + static_cast<nanoseconds>(static_cast<double>(message) * gap);
    }
    /// Gives when the message `sequence` of the connection `index` is due.
    [[nodiscard]] nanoseconds due(std::size_t index, std::uint64_t sequence) const noexcept {
        return due(sequence * connections + index);
    }
};

/// What the connections of one thread share: buffers, prepared messages and results.
struct workbench {
    /// Large enough for what a server sends in one turn; an echo that is larger is checked piece by piece.
    static constexpr std::size_t block_size = 256 * 1024;

    workbench(const settings& all, const address& server, std::size_t first, std::size_t count)
        : wanted(all), target(server), messages(all, count, random), first_connection(first) {
        plan.connections = count;
    }

    const settings& wanted;
    const address& target;
    random_source random;
    traffic messages;
    std::size_t first_connection;  ///< The threads before this one have the connections up to here.
    std::unique_ptr<char[]> receive_block{new char[block_size]};
    std::unique_ptr<char[]> send_block{new char[block_size]};

    int epoll = -1;
    bool sending = false;  ///< Echoes are answered by new messages.
    schedule plan;

    histogram latencies;
    std::uint64_t received = 0;   ///< Bytes that came back, frames' headers included.
    std::uint64_t completed = 0;  ///< Echoes, or connections that were opened in the mode connect.
};

}  // namespace wsio::bench
