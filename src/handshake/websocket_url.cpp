#include "handshake/websocket_url.hpp"

#include "handshake/http_grammar.hpp"
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

// What somebody wrote, in one line that is not too long.
std::string quoted(std::string_view text) {
    auto shown = '"' + std::string(text.substr(0, 200)) + '"';
    std::ranges::replace_if(shown, is_control, '?');
    return shown;
}

constexpr std::uint16_t default_port(bool secure) noexcept { return secure ? 443 : 80; }

/// Parses a URL whole. Boost.URL 1.81 takes what follows the digits of a port for a path.
std::optional<urls::url_view> parse(std::string_view text) {
    auto const parsed = urls::parse_uri(urls::string_view(text.data(), text.size()));
    if (!parsed) return std::nullopt;
    std::string_view const path = parsed->encoded_path();
    if (parsed->has_authority() && !path.empty() && !path.starts_with('/')) return std::nullopt;
    return *parsed;
}

/// Reads the host, which must be one that can stand in a Host field. A percent sign would have to be decoded, and what
/// comes out could be anything.
bool read_host(const urls::url_view& url, websocket_url& into) {
    if (url.host_type() == urls::host_type::ipvfuture || url.encoded_host().empty()) return false;
    auto const host = lower(std::string_view(url.encoded_host()));
    if (host.find('%') != std::string::npos) return false;
    bool const brackets = url.host_type() == urls::host_type::ipv6;
    into.host = brackets ? host.substr(1, host.size() - 2) : host;
    into.authority = host;
    return true;
}

result read(const urls::url_view& url, std::string_view text, bool secure) {
    websocket_url parts;
    parts.secure = secure;
    if (!read_host(url, parts)) return "the URL " + quoted(text) + " names no host";
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
    if (url.has_userinfo()) parts.credentials = url.user() + ':' + url.password();
    return parts;
}

/// Tells by the scheme whether TLS is spoken; nothing when it is none of a WebSocket's.
std::optional<bool> is_secure(std::string_view scheme) {
    if (equal_without_case(scheme, "ws") || equal_without_case(scheme, "http")) return false;
    if (equal_without_case(scheme, "wss") || equal_without_case(scheme, "https")) return true;
    return std::nullopt;
}

}  // namespace

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
    auto const wrong = "the redirect to " + quoted(location) + " leads to no WebSocket URL";
    // Boost.URL knows nothing of the names of ours; what counts is that the base is hierarchical.
    auto const base_text = from.to_string();
    auto const base = parse(base_text);
    auto const reference = urls::parse_uri_reference(urls::string_view(location.data(), location.size()));
    if (!base || !reference) return wrong;
    urls::url joined;
    if (!urls::resolve(*base, *reference, joined)) return wrong;
    joined.remove_fragment();
    auto parsed = parse_url(std::string_view(joined.data(), joined.size()));
    if (parsed.index() == 1) return wrong + ": " + std::get<std::string>(parsed);
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
