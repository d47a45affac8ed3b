#pragma once

#include <boost/asio/ip/address.hpp>

#include <cstdint>
#include <string>

namespace wsio {

/// One end of a connection: an IP address and a port.
struct endpoint {
    boost::asio::ip::address address;
    std::uint16_t port = 0;

    /// Gives "127.0.0.1:3000" or "[::1]:3000".
    [[nodiscard]] std::string to_string() const;

    friend bool operator==(const endpoint&, const endpoint&) = default;
};

}  // namespace wsio
