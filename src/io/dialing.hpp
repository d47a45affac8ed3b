#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace wsio::detail {

/// Where to connect to, and how long that may take.
struct dialing {
    std::string host;  ///< A name or an address.
    std::uint16_t port = 0;
    std::chrono::milliseconds timeout{};
    std::chrono::milliseconds next_address_after{};
};

/// Puts addresses in the order in which they are tried (RFC 8305 4): the families take turns, beginning with that of the
/// first, and within each the order stays.
[[nodiscard]] std::vector<boost::asio::ip::tcp::endpoint> interleaved(
    const std::vector<boost::asio::ip::tcp::endpoint>& addresses);

/// Connects to the first of the addresses that answers (RFC 8305 5), trying them in their order until `deadline`. Throws
/// `connect_error`; `where` is who they belong to.
[[nodiscard]] boost::asio::awaitable<boost::asio::ip::tcp::socket> dial_any(
    const dialing& where, const std::vector<boost::asio::ip::tcp::endpoint>& addresses,
    std::chrono::steady_clock::time_point deadline);

/// Resolves the host and connects to the first of its addresses that answers (RFC 8305). Throws `connect_error`.
[[nodiscard]] boost::asio::awaitable<boost::asio::ip::tcp::socket> dial(const dialing& where);

}  // namespace wsio::detail
