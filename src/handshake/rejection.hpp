#pragma once

#include <wsio/headers.hpp>

#include <string>

namespace wsio::handshake {

/// The answer to a request that does not become a WebSocket connection.
struct rejection {
    unsigned status = 400;
    std::string reason;  ///< The body: one line that says what was wrong and what to do.
    headers fields{};    ///< Further response fields, such as Sec-WebSocket-Version on 426.
};

}  // namespace wsio::handshake
