#include "handshake/websocket_url.hpp"

#include "handshake/http_grammar.hpp"
#include "handshake/ip_grammar.hpp"
#include "handshake/keys.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url.hpp>
#include <boost/url/url_view.hpp>

#include <algorithm>
#include <charconv>
#include <optional>

namespace wsio::handshake {
namespace {

namespace urls = boost::urls;
using result = std::variant<websocket_url, std::string>;

std::string lower(std::string_view text) {
    std::string copy(text);
    std::transform(copy.begin(), copy.end(), copy.begin(), to_lower);
    return copy;
}

// Finds where the authority of a URL begins, which may be no right one.
std::size_t authority_begin(std::string_view text) {
    auto const first = text.find_first_of("/?#@");
    auto const at = std::min(first, text.size());
    if (!text.substr(at).starts_with("//")) return 0;
    return at == 0 || text[at - 1] == ':' ? at + 2 : 0;
}

// Finds the colon before the port, or before a password; those in an IPv6 address are neither.
std::size_t port_colon(std::string_view authority) {
    auto const colon = authority.rfind(':');
    auto const bracket = authority.find(']');
    bool const is_v6 = authority.starts_with('[') && bracket != std::string_view::npos &&
                       parse_address(authority.substr(1, bracket - 1)).has_value();
    return is_v6 && colon < bracket ? std::string_view::npos : colon;
}

// What is shown ends in logs.
std::string without_credentials(std::string_view text) {
    auto const found = find_credentials(text);
    if (!found) return std::string(text);
    return std::string(text.substr(0, found->begin)) + "***" + std::string(text.substr(found->end));
}

// What somebody wrote, in one line that is not too long.
std::string quoted(std::string_view text) {
    auto shown = '"' + without_credentials(text).substr(0, 200) + '"';
    std::ranges::replace_if(shown, is_control, '?');
    return shown;
}

constexpr std::uint16_t default_port(bool secure) noexcept { return secure ? 443 : 80; }

/// Tells whether a URL is what it seems to be: Boost.URL 1.81 takes what follows the digits of a port for a path.
bool is_whole(const urls::url_view& url) {
    std::string_view const path = url.encoded_path();
    return !url.has_authority() || path.empty() || path.starts_with('/');
}

std::optional<urls::url_view> parse(std::string_view text) {
    auto const parsed = urls::parse_uri(urls::string_view(text.data(), text.size()));
    if (!parsed || !is_whole(*parsed)) return std::nullopt;
    return *parsed;
}

/// Reads the host, which must be one that can stand in a Host field. A percent sign would have to be decoded, and what
/// comes out could be anything.
bool read_host(const urls::url_view& url, websocket_url& into) {
    if (url.host_type() == urls::host_type::ipvfuture || url.encoded_host().empty()) return false;
    auto const host = lower(std::string_view(url.encoded_host()));
    if (host.find('%') != std::string::npos) return false;
    bool const brackets = url.host_type() == urls::host_type::ipv6;
    if (!brackets && !is_host_name(host)) return false;
    into.host = brackets ? host.substr(1, host.size() - 2) : host;
    into.authority = host;
    return true;
}

/// Reads user and password, which may both be empty; gives what is wrong with them, or an empty text.
std::string_view read_credentials(const urls::url_view& url, websocket_url& into) {
    std::string const user = url.user();
    std::string const password = url.password();
    // RFC 7617 2: who reads it would cut such a user in two.
    if (user.find(':') != std::string::npos) return "user name with a colon";
    into.credentials = user + ':' + password;
    if (std::ranges::any_of(into.credentials, is_control)) return "control character in its user name or password";
    if (into.credentials == ":") into.credentials.clear();
    return {};
}

result read(const urls::url_view& url, std::string_view text, bool secure) {
    websocket_url parts;
    parts.secure = secure;
    if (!read_host(url, parts)) return "the URL " + quoted(text) + " names no host, or none that can be";
    parts.port = default_port(secure);
    if (std::string_view const port = url.port(); !port.empty()) {
        // Not Boost's own number, which 1.81 cuts to 16 bits.
        auto const [end, ec] = std::from_chars(port.data(), port.data() + port.size(), parts.port);
        if (ec != std::errc() || parts.port == 0)
            return "the URL " + quoted(text) + " has a port that is not from 1 to 65535";
    }
    if (parts.port != default_port(secure)) parts.authority += ':' + std::to_string(parts.port);
    parts.target = std::string_view(url.encoded_target());
    if (!parts.target.starts_with('/')) parts.target.insert(0, 1, '/');
    if (auto const problem = read_credentials(url, parts); !problem.empty())
        return "the URL " + quoted(text) + " has a " + std::string(problem);
    return parts;
}

/// Tells by the scheme whether TLS is spoken; nothing when it is none of a WebSocket's.
std::optional<bool> is_secure(std::string_view scheme) {
    if (equal_without_case(scheme, "ws") || equal_without_case(scheme, "http")) return false;
    if (equal_without_case(scheme, "wss") || equal_without_case(scheme, "https")) return true;
    return std::nullopt;
}

/// Takes off what would lead above the root (RFC 3986 5.2.4), which Boost.URL 1.81 leaves there.
void remove_steps_up(std::string& target) {
    while (target.starts_with("/../")) target.erase(0, 3);
    if (target == "/.." || target.starts_with("/..?")) target.erase(1, 2);
}

}  // namespace

std::optional<credentials_place> find_credentials(std::string_view text) {
    auto const begin = authority_begin(text);
    auto const authority = text.substr(begin, std::min(text.find_first_of("/?#", begin), text.size()) - begin);
    auto end = authority.rfind('@');
    auto const colon = port_colon(authority);
    if (end != std::string_view::npos)
        end += begin;
    else if (colon != std::string_view::npos && !std::ranges::all_of(authority.substr(colon + 1), is_digit))
        end = text.rfind('@');
    if (end == std::string_view::npos || end < begin) return std::nullopt;
    return credentials_place{begin, end};
}

bool is_host_name(std::string_view text) noexcept {
    constexpr std::size_t longest = 253;
    if (text.ends_with('.')) text.remove_suffix(1);
    auto const allowed = [](char c) { return is_alphanumeric(c) || c == '-' || c == '.' || c == '_' || c == '~'; };
    return !text.empty() && text.size() <= longest && std::ranges::all_of(text, allowed) && !text.starts_with('.') &&
           text.find("..") == std::string_view::npos;
}

result parse_url(std::string_view text) {
    auto const parsed = parse(text);
    if (!parsed) return quoted(text) + " is no URL; write one such as wss://example.com/chat";
    auto const secure = is_secure(std::string_view(parsed->scheme()));
    if (!secure)
        return "the URL " + quoted(text) + " begins with " + std::string(std::string_view(parsed->scheme())) +
               ":, not with ws:// or wss://";
    // RFC 6455 3: what it would mean is not defined.
    if (parsed->has_fragment()) return "the URL " + quoted(text) + " has a fragment; write %23 for a # in it";
    return read(*parsed, text, *secure);
}

result follow(const websocket_url& from, std::string_view location) {
    auto wrong = "the redirect to " + quoted(location) + " leads to no WebSocket URL";
    // Boost.URL knows nothing of the names of ours; what counts is that the base is hierarchical.
    auto const base_text = from.to_string();
    auto const base = parse(base_text);
    auto const reference = urls::parse_uri_reference(urls::string_view(location.data(), location.size()));
    if (!base || !reference || !is_whole(*reference)) return wrong;
    urls::url joined;
    if (!urls::resolve(*base, *reference, joined)) return wrong;
    joined.remove_fragment();
    auto parsed = parse_url(std::string_view(joined.data(), joined.size()));
    if (parsed.index() == 1) return wrong + ": " + std::get<std::string>(parsed);
    remove_steps_up(std::get<websocket_url>(parsed).target);
    return parsed;
}

result parse_proxy(std::string_view text) {
    auto const whole = text.find("://") == std::string_view::npos ? "http://" + std::string(text) : std::string(text);
    auto const parsed = parse(whole);
    if (!parsed) return quoted(text) + " is no URL of a proxy; write one such as http://proxy.example:3128";
    if (!equal_without_case(std::string_view(parsed->scheme()), "http"))
        return "the proxy " + quoted(text) + " is none that is spoken to with http://, which is all that is supported";
    return read(*parsed, text, false);
}

std::string basic_authorization(std::string_view credentials) { return "Basic " + base64(credentials); }

}  // namespace wsio::handshake
