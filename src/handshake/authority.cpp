#include "handshake/authority.hpp"

#include "handshake/http_grammar.hpp"

#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <charconv>

namespace wsio::handshake {
namespace {

namespace ip = boost::asio::ip;

std::optional<std::string> parse_ipv6(std::string_view text) {
    // A zone ("%eth0") means something on one machine only and has no place in a request (RFC 6874 4).
    if (text.find('%') != std::string_view::npos) return std::nullopt;
    boost::system::error_code ec;
    auto const address = ip::make_address_v6(std::string(text), ec);
    if (ec) return std::nullopt;
    return address.to_string();
}

std::optional<std::string> parse_name(std::string_view text) {
    if (text.ends_with('.')) text.remove_suffix(1);  // "example.com." is the same host as "example.com"
    // Narrower than RFC 3986's reg-name: real host names need no more, and nothing here can change a URL's meaning.
    auto const allowed = [](char c) { return is_alphanumeric(c) || c == '-' || c == '.' || c == '_' || c == '~'; };
    if (text.empty() || !std::all_of(text.begin(), text.end(), allowed)) return std::nullopt;
    std::string name(text);
    std::transform(name.begin(), name.end(), name.begin(), to_lower);
    return name;
}

/// Reads what stands behind the host: nothing, ":" or ":" with a port.
bool parse_port(std::string_view text, std::optional<std::uint16_t>& port) {
    if (text.empty() || text == ":") return true;
    if (text.front() != ':') return false;
    std::uint16_t number = 0;
    auto const [end, ec] = std::from_chars(text.data() + 1, text.data() + text.size(), number);
    if (ec != std::errc() || end != text.data() + text.size()) return false;
    port = number;
    return true;
}

/// Gives what follows the scheme of an absolute URL that may be ours; nothing when the target is something else.
std::optional<std::string_view> behind_scheme(std::string_view target) {
    for (std::string_view scheme : {"http://", "https://", "ws://", "wss://"})
        if (equal_without_case(target.substr(0, scheme.size()), scheme)) return target.substr(scheme.size());
    return std::nullopt;
}

}  // namespace

bool authority::is_loopback() const {
    if (host == "localhost" || host.ends_with(".localhost")) return true;
    boost::system::error_code ec;
    auto const address = ip::make_address(host, ec);
    return !ec && address.is_loopback();
}

std::optional<authority> parse_authority(std::string_view text) {
    std::optional<std::string> host;
    std::string_view rest;
    if (text.starts_with('[')) {
        auto const end = text.find(']');
        if (end == std::string_view::npos) return std::nullopt;
        host = parse_ipv6(text.substr(1, end - 1));
        rest = text.substr(end + 1);
    } else {
        auto const end = std::min(text.find(':'), text.size());
        host = parse_name(text.substr(0, end));
        rest = text.substr(end);
    }
    if (!host) return std::nullopt;

    authority result{std::move(*host), std::nullopt};
    if (!parse_port(rest, result.port)) return std::nullopt;
    return result;
}

std::string_view host_problem(const request& request) {
    auto const count = request.headers().count("Host");
    if (count > 1) return "there is more than one Host field; send exactly one";
    if (count == 0) return request.http_minor() >= 1 ? "the Host field is missing; HTTP/1.1 requires exactly one" : "";
    // An empty Host stands for a target without a host (RFC 9110 7.2).
    auto const host = request.header("Host");
    if (!host.empty() && !parse_authority(host))
        return "the Host field is malformed; send a host name and, if needed, a port";
    return "";
}

std::string_view take_host_of_target(request& request) {
    auto const rest = behind_scheme(request.target());
    if (!rest || !host_problem(request).empty()) return "";  // two fields stay two, for who looks after this
    auto const host = rest->substr(0, rest->find_first_of("/?"));
    if (!parse_authority(host))
        return "the URL in the request line names no host, or none that can be; send a path alone";  // RFC 9110 4.2.1
    if (request.header("Host") != host) request.headers().set("Host", host);
    return "";
}

std::optional<std::string> origin_form(std::string_view target) {
    if (target.starts_with('/')) return std::string(target);
    auto rest = behind_scheme(target);
    if (!rest) return std::nullopt;
    rest->remove_prefix(std::min(rest->find_first_of("/?"), rest->size()));
    return rest->starts_with('/') ? std::string(*rest) : '/' + std::string(*rest);
}

std::string path_of(const request& request) {
    auto const target = origin_form(request.target());
    return target ? target->substr(0, target->find('?')) : std::string(request.path());
}

}  // namespace wsio::handshake
