#pragma once

#include <wsio/request.hpp>

#include <string>
#include <string_view>
#include <vector>

#include "handshake/negotiation.hpp"

namespace wsio::handshake {

/// Tells whether an origin may connect (cross-site WebSocket hijacking). With an empty `allowed` list a browser's Origin
/// must name the same host as the request's Host, ports aside, loopback names counting as one host. With a list, the
/// origin must equal one of its entries ("https://example.com", scheme and host without case, default ports equal), or
/// the list holds "*". A request without an Origin (not a browser) passes either way.
[[nodiscard]] bool origin_allowed(const offer& offer, const request& request, const std::vector<std::string>& allowed);

}  // namespace wsio::handshake
