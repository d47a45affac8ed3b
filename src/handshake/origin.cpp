#include "handshake/origin.hpp"

#include "handshake/authority.hpp"
#include "handshake/http_grammar.hpp"

#include <algorithm>
#include <optional>

namespace wsio::handshake {
namespace {

struct parsed_origin {
    std::string scheme;
    authority where;

    [[nodiscard]] std::optional<std::uint16_t> port() const noexcept {
        if (where.port) return where.port;
        if (scheme == "http" || scheme == "ws") return std::uint16_t{80};
        if (scheme == "https" || scheme == "wss") return std::uint16_t{443};
        return std::nullopt;
    }

    /// A page of a web server, not of an extension or an app ("chrome-extension://…", "capacitor://localhost").
    [[nodiscard]] bool is_web() const noexcept {
        return scheme == "http" || scheme == "https" || scheme == "ws" || scheme == "wss";
    }
};

/// Reads `scheme "://" host [":" port]` (RFC 6454 6.2). One slash behind it, which some clients that are no browsers
/// send, changes nothing.
std::optional<parsed_origin> parse_origin(std::string_view text) {
    auto const colon = text.find("://");
    if (colon == std::string_view::npos) return std::nullopt;
    auto rest = text.substr(colon + 3);
    if (rest.ends_with('/')) rest.remove_suffix(1);
    auto where = parse_authority(rest);
    if (!where) return std::nullopt;
    std::string scheme(text.substr(0, colon));
    std::transform(scheme.begin(), scheme.end(), scheme.begin(), to_lower);
    return parsed_origin{std::move(scheme), std::move(*where)};
}

bool is_same_host(const std::optional<parsed_origin>& origin, std::string_view host_field) {
    auto const host = parse_authority(host_field);
    if (!origin || !host || !origin->is_web()) return false;
    return origin->where.host == host->host || (origin->where.is_loopback() && host->is_loopback());
}

/// Origins that are no URL, such as "null" or "file://", are listed as they are written.
bool is_entry(std::string_view text, const std::optional<parsed_origin>& origin, std::string_view entry) {
    if (entry == "*" || equal_without_case(text, entry)) return true;
    auto const listed = parse_origin(entry);
    return origin && listed && origin->scheme == listed->scheme && origin->where.host == listed->where.host &&
           origin->port() == listed->port();
}

}  // namespace

bool origin_allowed(const offer& offer, const request& request, const std::vector<std::string>& allowed) {
    if (!offer.has_origin) return true;
    auto const origin = parse_origin(offer.origin);
    if (allowed.empty()) return is_same_host(origin, request.header("Host"));
    return std::any_of(allowed.begin(), allowed.end(),
                       [&](const std::string& entry) { return is_entry(offer.origin, origin, entry); });
}

}  // namespace wsio::handshake
