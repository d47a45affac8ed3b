#pragma once

#include <wsio/request.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace wsio::handshake {

/// A host and a port, as they stand in a Host field or in an origin.
struct authority {
    std::string host;                   ///< Lower case, without a final dot; IPv6 in shortest form, without brackets.
    std::optional<std::uint16_t> port;  ///< Nothing when there is none.

    /// Tells whether the host is this machine by name: localhost, *.localhost (RFC 6761 6.3), 127.0.0.0/8 or ::1.
    [[nodiscard]] bool is_loopback() const;
};

/// Reads `uri-host [":" port]` (RFC 9110 7.2); nothing when it is malformed, empty, or has a user name.
[[nodiscard]] std::optional<authority> parse_authority(std::string_view text);

/// Checks the Host field of any request (RFC 9112 3.2): gives what is wrong with it, or an empty text.
[[nodiscard]] std::string_view host_problem(const request& request);

/// Makes the host in a request target that is an absolute URL the request's Host, whatever that field said (RFC 9112 3.2.2),
/// unless there is a `host_problem`. Gives what is wrong with the target, or an empty text.
[[nodiscard]] std::string_view take_host_of_target(request& request);

/// Gives the path and the query of a request target that is a path or an absolute URL (RFC 9112 3.2.1, 3.2.2); nothing
/// when it is neither.
[[nodiscard]] std::optional<std::string> origin_form(std::string_view target);

/// Gives the path that a request asks for, without the query: of an absolute URL, too.
[[nodiscard]] std::string path_of(const request& request);

}  // namespace wsio::handshake
