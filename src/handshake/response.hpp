#pragma once

#include <wsio/http_server.hpp>

#include <string>

namespace wsio::handshake {

/// Gives the time as a Date field has it (RFC 9110 5.6.7), which every response of a server with a clock has (6.6.1).
[[nodiscard]] std::string http_date();

/// Writes an ordinary HTTP/1.1 response: status line, Date, Content-Type, Content-Length, Connection, the response's own
/// fields, and the body unless `head_only` or the status has none.
[[nodiscard]] std::string response(const http_response& response, bool head_only, bool keep_alive);

}  // namespace wsio::handshake
