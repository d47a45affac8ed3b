#pragma once

#include <wsio/endpoint.hpp>

#include <sys/socket.h>

namespace wsio::detail {

/// Gives the endpoint that a socket address of `size` bytes names; a default endpoint for other families than IP and Unix.
/// An IPv4 address in IPv6 form, as dual-stack sockets show it, becomes plain IPv4.
[[nodiscard]] endpoint endpoint_of(const sockaddr_storage& address, socklen_t size);

/// Gives the near end of a connected or listening socket.
[[nodiscard]] endpoint local_endpoint_of(int fd);

/// Gives the far end of a connected socket.
[[nodiscard]] endpoint remote_endpoint_of(int fd);

}  // namespace wsio::detail
