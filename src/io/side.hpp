#pragma once

#include <wsio/compression.hpp>
#include <wsio/options.hpp>
#include <wsio/protocol/decoder.hpp>
#include <wsio/request.hpp>

#include <exception>

#include "io/counters.hpp"

namespace wsio::detail {

class connection;

/// The rules for connections, which servers and clients have alike.
struct connection_settings {
    struct limits limits {};
    enum when_full when_full = wsio::when_full::close;
    struct timeouts timeouts {};
    struct compression compression {};
};

/// The near side of a connection: the server that it was made to, or the client that made it. Says what the rules are,
/// counts, and learns of what happens.
class side {
public:
    side(const side&) = delete;
    side& operator=(const side&) = delete;
    virtual ~side() = default;

    [[nodiscard]] protocol::role role() const noexcept { return role_; }
    [[nodiscard]] const connection_settings& settings() const noexcept { return settings_; }

    /// The connection, which was open, has ended.
    virtual void ended(connection& c) = 0;

    /// An exception has left the application's code. `r` is the request that began the connection.
    virtual void report(std::exception_ptr exception, const request& r) const = 0;

    counters counts;

protected:
    side(protocol::role role, const connection_settings& settings) : settings_(settings), role_(role) {}

private:
    connection_settings settings_;
    protocol::role role_;
};

}  // namespace wsio::detail
