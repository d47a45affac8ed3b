#pragma once

#include <boost/asio/ip/address.hpp>

#include <cstdint>
#include <string>

namespace wsio {

/// One end of a connection: an IP address and a port, or a Unix socket.
struct endpoint {
    boost::asio::ip::address address;
    std::uint16_t port = 0;  ///< 0 when it is not known, as of a client that only a proxy's header names.
    /// For a Unix socket "unix:" and its path, as in `options::host`; just "unix:" for one without a name, as the sockets
    /// of clients are. Empty for IP.
    std::string unix_name = {};

    [[nodiscard]] bool is_unix() const noexcept { return !unix_name.empty(); }

    /// Gives "127.0.0.1:3000" or "[::1]:3000"; the address alone when the port is 0; "unix:/run/echo.sock" or "unix:".
    [[nodiscard]] std::string to_string() const;

    friend bool operator==(const endpoint&, const endpoint&) = default;
};

}  // namespace wsio
