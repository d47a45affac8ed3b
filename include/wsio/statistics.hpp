#pragma once

#include <wsio/close_code.hpp>
#include <wsio/protocol_version.hpp>
#include <wsio/status.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace wsio {

namespace detail {
class client_state;
struct counters;
class server_state;
}  // namespace detail

/// What a server has counted: a snapshot, or the sum of several. Totals only grow; `…_open` and `…_waiting` say how it is
/// now.
struct statistics {
    struct connection_counts {
        std::uint64_t open = 0;   ///< Open now.
        std::uint64_t total = 0;  ///< Opened since the server was made.

        friend bool operator==(const connection_counts&, const connection_counts&) = default;
    };

    /// Gives the connections of one protocol version.
    [[nodiscard]] const connection_counts& connections(protocol_version version) const noexcept {
        return by_version[static_cast<std::size_t>(version)];
    }
    /// Gives the connections of all versions.
    [[nodiscard]] connection_counts connections() const noexcept;

    /// Adds another snapshot.
    statistics& operator+=(const statistics& other);

    /// Gives the text format of Prometheus (version 0.0.4), for a page that is scraped. Every name begins with "wsio_".
    [[nodiscard]] std::string to_prometheus() const;

    friend bool operator==(const statistics&, const statistics&) = default;

    /// Connections, in the order of `protocol_version`.
    std::array<connection_counts, all_protocol_versions.size()> by_version{};

    std::uint64_t messages_received = 0;
    std::uint64_t messages_sent = 0;
    /// Messages that `options::when_full` dropped: given to `write`, and in `messages_sent` if they waited for a while.
    std::uint64_t messages_dropped = 0;
    /// Bytes of open connections: frames as they are on the wire, but without TLS. What was sent may begin with the 101.
    std::uint64_t bytes_received = 0;
    std::uint64_t bytes_sent = 0;

    /// Requests that became no WebSocket, by the HTTP status of the answer; 408 also when the peer left before the end.
    /// What `serve` and `listen` refuse before they know the path is in it, what an `http_server` refuses is not.
    std::map<unsigned, std::uint64_t> refusals;
    /// TLS handshakes that failed.
    std::uint64_t tls_failures = 0;
    /// Connections that were dropped before their request was read: no descriptors left, a bad PROXY header.
    std::uint64_t dropped = 0;

    /// Connections that have ended, by who ended them and the code in `status()`. The codes from 3000 to 3999 count as
    /// 3000, those from 4000 to 4999 as 4000, and what has no name as 0: a peer must not be able to make the table long.
    std::map<std::pair<ended_by, close_code>, std::uint64_t> endings;

    std::uint64_t messages_waiting = 0;  ///< Received, and not taken by `receive` yet; each part of a message counts.
    std::uint64_t bytes_waiting = 0;     ///< Sent, and not taken by the network yet.
    std::uint64_t sockets_waiting = 0;   ///< Open, and not taken by `accept` yet.
};

/// Adds up what all servers count whose options name it (`options::monitor`): the loops of `serve`, for example.
/// Thread safety: safe. It may be read while the servers run; each number is right, though not all at the same instant.
class monitor {
public:
    monitor();
    monitor(const monitor&) = delete;
    monitor& operator=(const monitor&) = delete;
    ~monitor();

    /// Gives the sum, including servers that are gone.
    [[nodiscard]] wsio::statistics statistics() const;

private:
    friend class detail::client_state;
    friend class detail::server_state;
    void add(const detail::counters& of_one);
    void remove(const detail::counters& of_one) noexcept;

    mutable std::mutex mutex_;
    std::vector<const detail::counters*> running_;
    std::unique_ptr<detail::counters> gone_;  ///< What those have counted that are no more.
};

}  // namespace wsio
