#pragma once

#include <wsio/request.hpp>

#include <boost/asio/ip/address.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace wsio::handshake {

/// Holds the addresses of proxies whose forwarding headers are believed.
class trusted_proxies {
public:
    trusted_proxies() = default;

    /// Takes addresses and networks: "127.0.0.1", "::1", "10.0.0.0/8", "fd00::/8". Throws `std::invalid_argument`
    /// that names the entry which is neither.
    explicit trusted_proxies(const std::vector<std::string>& entries);

    [[nodiscard]] bool contains(const boost::asio::ip::address& address) const noexcept;

private:
    struct network {
        boost::asio::ip::address_v6 base;  // IPv4 as mapped IPv6
        unsigned prefix;
    };
    std::vector<network> networks_;
};

/// Sets `request.secure()` when its sender is trusted and says that the client used TLS: the first element of
/// X-Forwarded-Proto is "https" (or X-Forwarded-Ssl: on, X-Forwarded-Scheme: https). Never clears it.
void apply_forwarded_proto(request& request, const trusted_proxies& proxies);

}  // namespace wsio::handshake
