#pragma once

#include <wsio/headers.hpp>

#include <string>

namespace wsio::handshake {

/// The answer to a request that does not become a WebSocket connection.
struct rejection {
    unsigned status = 400;
    std::string reason;    ///< The body: one line that says what was wrong and what to do.
    headers fields{};      ///< Further response fields, such as Sec-WebSocket-Version on 426.
    bool to_head = false;  ///< The request was a HEAD: the body stays away (RFC 9110 9.3.2).
};

}  // namespace wsio::handshake
