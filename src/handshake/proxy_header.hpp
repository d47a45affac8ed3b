#pragma once

#include <wsio/endpoint.hpp>

#include <cstddef>
#include <optional>
#include <string_view>
#include <variant>

namespace wsio::handshake {

/// What a proxy says about a connection before its first byte (HAProxy's PROXY protocol, versions 1 and 2).
struct proxy_header {
    std::size_t size = 0;  ///< The header's bytes; what follows them is the client's.
    /// The client. Nothing when the proxy speaks for itself, such as in a health check (LOCAL), or does not know (UNKNOWN).
    std::optional<endpoint> source = {};
    bool secure = false;  ///< The client used TLS (version 2, PP2_TYPE_SSL).
};

/// The most bytes of a header of version 1, its line end included (PROXY protocol 2.1).
inline constexpr std::size_t proxy_v1_limit = 107;
/// The most bytes of a header of version 2 that are taken. It may state 65,551; addresses need 232, and what proxies add
/// to them a few hundred.
inline constexpr std::size_t proxy_v2_limit = 4096;

/// Needs more bytes; the header; or what is wrong with it, in words.
using proxy_header_result = std::variant<std::monostate, proxy_header, std::string_view>;

/// Reads the header that `input` begins with. While it is not complete, call again with the same bytes and more behind
/// them. A line is judged when its end is there, everything else at the byte that shows the violation.
[[nodiscard]] proxy_header_result read_proxy_header(std::string_view input);

}  // namespace wsio::handshake
