#pragma once

#include <cstdint>

namespace wsio {

/// Which header field of trusted proxies names the client. Only one is believed: a proxy that writes one of them passes
/// the other on as the client sent it, so that reading both would let clients choose who they are.
enum class forwarding_header : std::uint8_t {
    x_forwarded_for,  ///< X-Forwarded-For, with X-Forwarded-Proto; what most proxies write.
    forwarded,        ///< Forwarded (RFC 7239), with its "proto".
};

}  // namespace wsio
