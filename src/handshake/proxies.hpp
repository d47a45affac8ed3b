#pragma once

#include <wsio/endpoint.hpp>
#include <wsio/forwarding_header.hpp>
#include <wsio/request.hpp>

#include <boost/asio/ip/address_v6.hpp>

#include <string>
#include <vector>

namespace wsio::handshake {

/// Holds the addresses of proxies that are believed.
class trusted_proxies {
public:
    trusted_proxies() = default;

    /// Takes addresses and networks: "127.0.0.1", "::1", "10.0.0.0/8", "fd00::/8", and "unix:" for whoever connects over a
    /// Unix socket. Throws `std::invalid_argument` that names the entry which is none of these.
    explicit trusted_proxies(const std::vector<std::string>& entries);

    [[nodiscard]] bool empty() const noexcept { return networks_.empty() && !unix_; }
    [[nodiscard]] bool contains(const endpoint& peer) const noexcept;

private:
    struct network {
        boost::asio::ip::address_v6 base;  // IPv4 as mapped IPv6
        unsigned prefix;
    };
    std::vector<network> networks_;
    bool unix_ = false;
};

/// Sets `request.client_endpoint()` and `request.secure()` to what trusted proxies say in the request's header fields.
///
/// `sender` is who sent the request as far as the connection tells. While it is trusted, what it says of its own sender
/// counts: the list of addresses is walked from the right, because everything to the left of a trusted proxy's entry may
/// be forged. The walk ends at the first address that is not trusted, at an entry that is no address ("unknown"), or at
/// the beginning of the list. `secure` is never cleared.
void apply_forwarded(request& request, const endpoint& sender, const trusted_proxies& proxies,
                     forwarding_header header);

}  // namespace wsio::handshake
