#include "handshake/proxies.hpp"

#include "handshake/http_grammar.hpp"
#include "handshake/ip_grammar.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <utility>

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

/// What one proxy says of its sender.
struct hop {
    std::string_view from;   ///< "192.0.2.1", "192.0.2.1:4711", "2001:db8::1", "[2001:db8::1]:4711"; or anything else.
    std::string_view proto;  ///< Only in Forwarded.
};

/// Reads a node (RFC 7239 6), also an IPv6 address without brackets, as X-Forwarded-For has it.
std::optional<endpoint> parse_node(std::string_view node) {
    std::string_view port;
    bool has_port = false;
    if (node.starts_with('[')) {
        auto const end = node.find(']');
        if (end == std::string_view::npos) return std::nullopt;
        port = node.substr(end + 1);
        node = node.substr(1, end - 1);
        if (node.find(':') == std::string_view::npos) return std::nullopt;
        has_port = !port.empty();
    } else if (std::count(node.begin(), node.end(), ':') == 1) {
        auto const colon = node.find(':');
        port = node.substr(colon);
        node = node.substr(0, colon);
        has_port = true;
    }
    auto const address = parse_address(node);
    if (!address) return std::nullopt;
    endpoint result{unmapped(*address), 0};
    if (!has_port) return result;
    if (!port.starts_with(':')) return std::nullopt;
    port.remove_prefix(1);
    if (port.starts_with('_')) return result;  // a name that stands for a port (RFC 7239 6.3)
    auto const number = parse_port(port);
    if (!number) return std::nullopt;
    result.port = *number;
    return result;
}

/// Takes what is left of a quoted string off `text`, its closing quote included; false when there is none.
bool take_quoted_end(std::string_view& text) {
    std::size_t end = 0;
    while (end < text.size() && text[end] != '"') end += text[end] == '\\' ? 2 : 1;
    bool const closed = end < text.size();
    text.remove_prefix(std::min(end + 1, text.size()));
    return closed;
}

/// As `take_element`, but a separator in a quoted string is not one.
std::string_view take_quoted_element(std::string_view& list, char separator) {
    auto rest = list;
    while (!rest.empty() && rest.front() != separator) {
        bool const quote = rest.front() == '"';
        rest.remove_prefix(1);
        if (quote) static_cast<void>(take_quoted_end(rest));
    }
    auto const element = list.substr(0, list.size() - rest.size());
    list = rest.substr(std::min<std::size_t>(rest.size(), 1));
    return element;
}

/// Tells whether a value is a token or one whole quoted string (RFC 9110 5.6.4). A quote that a client left open in its
/// own field would otherwise swallow what the proxy wrote behind it.
bool is_whole(std::string_view value) {
    if (!value.starts_with('"')) return value.find('"') == std::string_view::npos;
    value.remove_prefix(1);
    return take_quoted_end(value) && value.empty();
}

/// Gives a token, or what is between the quotes. Backslashes stay: no address has one.
std::string_view unquoted(std::string_view value) {
    return value.starts_with('"') ? value.substr(1, value.size() - 2) : value;
}

// RFC 7239 4: [ name=value ] *( ";" [ name=value ] ). A malformed name or value, or a parameter that comes twice, makes the
// element void.
hop parse_forwarded_element(std::string_view element) {
    hop result;
    int fors = 0;
    int protos = 0;
    while (!element.empty()) {
        auto value = take_quoted_element(element, ';');
        auto const name = trimmed(take_element(value, '='));
        value = trimmed(value);
        if (!name.empty() && !is_token(name)) return {};
        if (!is_whole(value)) return {};
        if (equal_without_case(name, "for") && ++fors == 1) result.from = unquoted(value);
        if (equal_without_case(name, "proto") && ++protos == 1) result.proto = unquoted(value);
    }
    return fors > 1 || protos > 1 ? hop() : result;
}

/// Gives what the proxies say, the nearest one last.
std::vector<hop> hops_of(const headers& fields, forwarding_header header) {
    bool const standard = header == forwarding_header::forwarded;
    std::vector<hop> hops;
    for (auto const& field : fields) {
        if (!equal_without_case(field.name, standard ? "Forwarded" : "X-Forwarded-For")) continue;
        for (std::string_view list = field.value; !list.empty();) {
            auto const element = trimmed(standard ? take_quoted_element(list, ',') : take_element(list, ','));
            if (element.empty()) continue;  // RFC 9110 5.6.1.2
            hops.push_back(standard ? parse_forwarded_element(element) : hop{element, {}});
        }
    }
    return hops;
}

bool is_tls(std::string_view proto) { return equal_without_case(proto, "https") || equal_without_case(proto, "wss"); }

/// Tells whether the proxy says that its client came by TLS, in one of the fields that proxies have for it. Traefik writes
/// "wss" for a WebSocket request. Only these values count: some servers take any value for TLS.
bool says_tls(const headers& fields) {
    // A proxy that writes this one passes the others on, and so they are the client's.
    if (fields.contains("X-Forwarded-Proto")) return first_is(fields, "X-Forwarded-Proto", {"https", "wss"});
    return first_is(fields, "X-Forwarded-Scheme", {"https", "wss"}) || first_is(fields, "X-Forwarded-Ssl", {"on"});
}

}  // namespace

trusted_proxies::trusted_proxies(const std::vector<std::string>& entries) {
    for (auto const& entry : entries) {
        if (entry == "unix:") {
            unix_ = true;
            continue;
        }
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

bool trusted_proxies::contains(const endpoint& peer) const noexcept {
    if (peer.is_unix()) return unix_;
    if (networks_.empty()) return false;
    auto const bytes = as_v6(peer.address).to_bytes();
    return std::any_of(networks_.begin(), networks_.end(), [&](const network& candidate) {
        return equal_bits(bytes, candidate.base.to_bytes(), candidate.prefix);
    });
}

void apply_forwarded(request& request, const endpoint& sender, const trusted_proxies& proxies,
                     forwarding_header header) {
    if (!proxies.contains(sender)) return;
    auto const& fields = request.headers();
    auto const hops = hops_of(fields, header);
    std::optional<endpoint> client;
    std::string_view proto;
    for (auto hop = hops.rbegin(); hop != hops.rend(); ++hop) {
        proto = hop->proto;
        auto from = parse_node(hop->from);
        if (!from) break;
        client = std::move(from);
        if (!proxies.contains(*client)) break;
    }
    if (client) request.client_endpoint(std::move(*client));

    if (header == forwarding_header::forwarded ? is_tls(proto) : says_tls(fields)) request.secure(true);
}

}  // namespace wsio::handshake
