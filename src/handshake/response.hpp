#pragma once

#include <wsio/http_server.hpp>

#include <string>

namespace wsio::handshake {

/// Writes an ordinary HTTP/1.1 response: status line, Date, Content-Type, Content-Length, Connection, the response's own
/// fields, and the body unless `head_only` or the status has none.
[[nodiscard]] std::string response(const http_response& response, bool head_only, bool keep_alive);

}  // namespace wsio::handshake
