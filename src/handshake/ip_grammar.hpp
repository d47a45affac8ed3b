#pragma once

#include <boost/asio/ip/address.hpp>

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// IP addresses and ports as proxies write them.
namespace wsio::handshake {

/// Gives an IPv4 address that is in IPv6 form ("::ffff:192.0.2.1") as plain IPv4: it is the same machine.
[[nodiscard]] inline boost::asio::ip::address unmapped(const boost::asio::ip::address& address) {
    namespace ip = boost::asio::ip;
    if (address.is_v6() && address.to_v6().is_v4_mapped()) return ip::make_address_v4(ip::v4_mapped, address.to_v6());
    return address;
}

/// Reads an address without a zone, which means something on one machine only.
[[nodiscard]] inline std::optional<boost::asio::ip::address> parse_address(std::string_view text) {
    if (text.find_first_not_of("0123456789abcdefABCDEF:.") != std::string_view::npos) return std::nullopt;
    boost::system::error_code ec;
    auto address = boost::asio::ip::make_address(std::string(text), ec);
    if (ec) return std::nullopt;
    return address;
}

/// Reads a decimal number up to 65535 without sign or leading zero.
[[nodiscard]] inline std::optional<std::uint16_t> parse_port(std::string_view text) {
    if (text.size() > 1 && text.front() == '0') return std::nullopt;
    std::uint16_t number = 0;
    auto const [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (ec != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

}  // namespace wsio::handshake
