#pragma once

#include <wsio/request.hpp>

#include <cstddef>
#include <memory>
#include <string_view>

#include "handshake/rejection.hpp"

namespace wsio::handshake {

/// Bounds what a request may bring.
struct request_limits {
    std::size_t head_size = 16 * 1024;    ///< Request line and header fields together, in bytes.
    std::size_t header_count = 100;       ///< Header fields.
    std::size_t body_size = 1024 * 1024;  ///< Body, in bytes.
};

/// Reads one HTTP/1 request from pieces of a byte stream (RFC 9112), by Boost.Beast's parser. Does no I/O.
///
/// The head ends the parse of an upgrade request: nothing behind it is read as a body, whatever Content-Length says
/// (hixie-76 clients send 8 bytes of key there, some with `Content-Length: 8`).
class request_parser {
public:
    enum class state { head, body, complete, failed };

    explicit request_parser(request_limits limits);
    request_parser(request_parser&&) noexcept;
    request_parser& operator=(request_parser&&) noexcept;
    ~request_parser();

    /// Takes bytes; gives how many were used. What was not used has to be given again, with more behind it, when the
    /// state is still `head` or `body`; otherwise it belongs to what follows the request.
    std::size_t put(std::string_view bytes);

    [[nodiscard]] state status() const noexcept;

    /// When `complete`: moves the request out.
    [[nodiscard]] request take();

    /// When `complete`: tells whether the connection may serve another request (RFC 9112 9.3). Never behind an upgrade
    /// request: what follows it may be a body that was not read.
    [[nodiscard]] bool keep_alive() const noexcept;

    /// While `body`: tells whether the client waits for "100 Continue" before it sends the body (RFC 9110 10.1.1).
    [[nodiscard]] bool expects_continue() const noexcept;

    /// When `failed`: the answer.
    [[nodiscard]] const rejection& error() const noexcept;

private:
    struct implementation;
    std::unique_ptr<implementation> implementation_;
};

}  // namespace wsio::handshake
