#pragma once

#include <string>
#include <string_view>

namespace wsio::bench {

/// Where to connect, from a URL such as "ws://localhost:3000/echo?x=1".
struct url {
    std::string host;  ///< Without the brackets of an IPv6 address.
    std::string port;
    std::string target;     ///< Path and query; "/" when there is none.
    std::string authority;  ///< What goes into Host: as written, without the default port.
};

/// Reads a ws: URL (RFC 6455 3). Throws `failure` (usage) that says what is wrong with it.
[[nodiscard]] url parse_url(std::string_view text);

/// Gives a URL without its "user:password@", to be shown.
[[nodiscard]] std::string without_credentials(std::string_view url);

}  // namespace wsio::bench
