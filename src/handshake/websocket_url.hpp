#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace wsio::handshake {

/// Where a client connects to: the parts of a ws or wss URL (RFC 6455 3), or of the URL of a proxy.
struct websocket_url {
    bool secure = false;
    std::string host;  ///< Lower case; an IPv6 address without brackets.
    std::uint16_t port = 80;
    std::string authority;    ///< As it stands in a Host field: without a default port, IPv6 in brackets.
    std::string target;       ///< Path and query, at least "/".
    std::string credentials;  ///< "user:password", decoded; empty when there are none.

    /// Tells whether what belongs to one, such as a password, may be told to the other.
    [[nodiscard]] bool same_origin(const websocket_url& other) const noexcept {
        return secure == other.secure && host == other.host && port == other.port;
    }

    /// Gives "wss://example.com/chat", without the credentials.
    [[nodiscard]] std::string to_string() const { return (secure ? "wss://" : "ws://") + authority + target; }
};

/// Where user and password stand in a URL: from the first character to the "@" behind them.
struct credentials_place {
    std::size_t begin;
    std::size_t end;
};

/// Finds user and password in what may be a URL, for those who show it. A password that holds a / is one with which the URL
/// cannot be read; what stands before the / is then no host with a port.
[[nodiscard]] std::optional<credentials_place> find_credentials(std::string_view text);

/// Tells whether a text is a host's name, one that can be looked up and stand in a certificate (RFC 1035 2.3.4).
[[nodiscard]] bool is_host_name(std::string_view text) noexcept;

/// Reads a URL by Boost.URL; gives what is wrong with it when it is no WebSocket URL. "http" and "https" are taken for "ws"
/// and "wss", as browsers do.
[[nodiscard]] std::variant<websocket_url, std::string> parse_url(std::string_view text);

/// Reads where a response to `from` redirects to (RFC 9110 10.2.2); gives what is wrong with it when it leads to no
/// WebSocket URL.
[[nodiscard]] std::variant<websocket_url, std::string> follow(const websocket_url& from, std::string_view location);

/// Reads the URL of an HTTP proxy, "http://user:password@proxy:3128", which may be without the "http://"; gives what is
/// wrong with it when it is none.
[[nodiscard]] std::variant<websocket_url, std::string> parse_proxy(std::string_view text);

/// Gives the value of an Authorization field for "user:password" (RFC 7617 2).
[[nodiscard]] std::string basic_authorization(std::string_view credentials);

}  // namespace wsio::handshake
