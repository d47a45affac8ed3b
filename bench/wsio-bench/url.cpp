#include "url.hpp"

#include "failure.hpp"

#include "handshake/websocket_url.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdint>

namespace wsio::bench {
namespace {

[[noreturn]] void refuse(std::string_view text, std::string_view why) {
    throw failure(exit_code::usage, fmt::format("'{}' is not a URL to measure: {}", without_credentials(text), why));
}

bool begins_with_scheme(std::string_view text, std::string_view scheme) {
    return text.size() >= scheme.size() &&
           std::equal(scheme.begin(), scheme.end(), text.begin(), [](char wanted, char given) {
               return wanted == std::tolower(static_cast<unsigned char>(given));
           });
}

bool is_port(std::string_view digits) {
    std::uint16_t port = 0;
    auto const [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    return error == std::errc() && end == digits.data() + digits.size() && port != 0;
}

}  // namespace

url parse_url(std::string_view text) {
    constexpr std::string_view scheme = "ws://";
    if (begins_with_scheme(text, "wss://")) refuse(text, "wss (TLS) is not supported, only ws://");
    if (!begins_with_scheme(text, scheme)) refuse(text, "it must begin with ws://");
    if (text.find('#') != std::string_view::npos) refuse(text, "a WebSocket URL has no fragment (#)");
    if (std::ranges::any_of(text, [](char c) { return c <= ' ' || c == '\x7F'; }))
        refuse(text, "it has a space or control character in it");

    auto const rest = text.substr(scheme.size());
    auto const authority_end = std::min(rest.find_first_of("/?"), rest.size());
    auto authority = rest.substr(0, authority_end);
    auto const target = rest.substr(authority_end);
    if (authority.find('@') != std::string_view::npos) refuse(text, "user names are not supported");

    auto host = authority;
    std::string_view port = "80";
    // The colon of a port stands behind the bracket of an IPv6 address.
    auto const bracket = authority.find(']');
    auto const colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
    if (colon != std::string_view::npos) {
        host = authority.substr(0, colon);
        port = authority.substr(colon + 1);
        if (!is_port(port)) refuse(text, fmt::format("the port '{}' is not a number from 1 to 65535", port));
        if (port == "80") authority = host;
    }
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    if (host.empty()) refuse(text, "the host is missing");
    if (host.find_first_of("[]") != std::string_view::npos)
        refuse(text, "brackets stand around an IPv6 address, and nowhere else");
    return {.host = std::string(host),
            .port = std::string(port),
            .target = target.starts_with('/') ? std::string(target) : "/" + std::string(target),
            .authority = std::string(authority)};
}

std::string without_credentials(std::string_view url) {
    std::string shown(url);
    if (auto const found = handshake::find_credentials(url)) shown.erase(found->begin, found->end + 1 - found->begin);
    return shown;
}

}  // namespace wsio::bench
