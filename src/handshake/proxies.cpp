#include "handshake/proxies.hpp"

#include "handshake/http_grammar.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>

namespace wsio::handshake {
namespace {

namespace ip = boost::asio::ip;

/// IPv4 as mapped IPv6, so that "10.0.0.1" and "::ffff:10.0.0.1", which a dual-stack listener sees, are one address.
ip::address_v6 as_v6(const ip::address& address) {
    return address.is_v6() ? address.to_v6() : ip::make_address_v6(ip::v4_mapped, address.to_v4());
}

bool equal_bits(const ip::address_v6::bytes_type& a, const ip::address_v6::bytes_type& b, unsigned count) noexcept {
    auto const whole = count / 8;
    if (!std::equal(a.begin(), a.begin() + whole, b.begin())) return false;
    auto const rest = count % 8;
    return rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0;
}

/// Tells whether the first element of a list, which the client's own proxy wrote, is one of `values`.
bool first_is(const headers& fields, std::string_view name, std::initializer_list<std::string_view> values) {
    auto list = fields[name];
    auto const first = trimmed(take_element(list, ','));
    return std::any_of(values.begin(), values.end(),
                       [&](std::string_view value) { return equal_without_case(first, value); });
}

}  // namespace

trusted_proxies::trusted_proxies(const std::vector<std::string>& entries) {
    for (auto const& entry : entries) {
        auto const slash = std::min(entry.find('/'), entry.size());
        boost::system::error_code ec;
        auto const address = ip::make_address(entry.substr(0, slash), ec);
        unsigned const bits = address.is_v4() ? 32 : 128;
        unsigned prefix = bits;
        bool valid = !ec;
        if (valid && slash != entry.size()) {
            auto const* const last = entry.data() + entry.size();
            auto const [end, error] = std::from_chars(entry.data() + slash + 1, last, prefix);
            valid = error == std::errc() && end == last && prefix <= bits;
        }
        if (!valid)
            throw std::invalid_argument("wsio: the trusted proxy \"" + entry +
                                        "\" is neither an address nor a network such as \"10.0.0.0/8\"");
        networks_.push_back({as_v6(address), prefix + (128 - bits)});
    }
}

bool trusted_proxies::contains(const ip::address& address) const noexcept {
    if (networks_.empty()) return false;
    auto const bytes = as_v6(address).to_bytes();
    return std::any_of(networks_.begin(), networks_.end(), [&](const network& candidate) {
        return equal_bits(bytes, candidate.base.to_bytes(), candidate.prefix);
    });
}

void apply_forwarded_proto(request& request, const trusted_proxies& proxies) {
    if (!proxies.contains(request.remote_endpoint().address)) return;
    auto const& fields = request.headers();
    // Traefik writes "wss" for a WebSocket request. Only these values count: some servers take any value for TLS.
    if (first_is(fields, "X-Forwarded-Proto", {"https", "wss"}) ||
        first_is(fields, "X-Forwarded-Scheme", {"https", "wss"}) || first_is(fields, "X-Forwarded-Ssl", {"on"}))
        request.secure(true);
}

}  // namespace wsio::handshake
