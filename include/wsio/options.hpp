#pragma once

#include <wsio/compression.hpp>
#include <wsio/endpoint.hpp>
#include <wsio/headers.hpp>
#include <wsio/protocol_version.hpp>
#include <wsio/request.hpp>
#include <wsio/tls.hpp>

#include <boost/asio/awaitable.hpp>

#include <any>
#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wsio {

/// Bounds every buffer of a connection. All are finite; a limit of zero is refused with `std::invalid_argument` when a
/// server is made, but for `body_size`.
struct limits {
    /// Request line and header fields of the handshake, in bytes; 431 beyond.
    std::size_t head_size = 16 * 1024;
    /// Header fields of the handshake; 431 beyond.
    std::size_t header_count = 100;
    /// Body of an ordinary HTTP request, in bytes; 413 beyond.
    std::size_t body_size = 1024 * 1024;
    /// Payload of one received message, in bytes; close code 1009 beyond (a drop on the hixie drafts).
    std::size_t message_size = std::size_t{16} * 1024 * 1024;
    /// Frames that one received message may come in; close code 1008 beyond.
    std::size_t fragments = 16384;
    /// Received messages that wait for `receive`, in bytes (each counts 64 more than its payload). Beyond it the
    /// connection is not read, so that TCP holds the peer back.
    std::size_t read_ahead = 256 * 1024;
    /// Bytes that wait for the network. `send` waits while there are more; `write` closes the connection with 1013 when
    /// its message would make it four times as many.
    std::size_t outbox = 1024 * 1024;
    /// Sockets that wait for `server::accept`; an upgrade beyond it is answered with 503.
    std::size_t accept_backlog = 1024;
};

/// Bounds the time of every stage. Absolute: bytes that trickle in do not extend it.
struct timeouts {
    /// From the TCP connection to the end of the handshake, `authorize` and the hixie-76 nonce included; also how long
    /// an idle HTTP connection is kept.
    std::chrono::milliseconds handshake{10'000};
    /// From the closing frame to the end of the TCP connection; dropped beyond.
    std::chrono::milliseconds close{5'000};
};

/// What `options::authorize` decides about a request.
class verdict {
public:
    /// Lets the connection in. `user_value` is handed to the socket (`socket::user_value`).
    [[nodiscard]] static verdict accept(std::any user_value = {}) {
        verdict v;
        v.user_value = std::move(user_value);
        return v;
    }

    /// Refuses with an HTTP status (400 to 599; else `std::invalid_argument`) and a body of one line.
    [[nodiscard]] static verdict reject(unsigned status, std::string body);

    /// Names the subprotocol; must be one that the client offered.
    [[nodiscard]] verdict with_subprotocol(std::string name) && {
        subprotocol = std::move(name);
        return std::move(*this);
    }

    /// Adds a field to the response, 101 or rejection; throws as `headers::add` does.
    [[nodiscard]] verdict with_header(std::string_view name, std::string_view value) && {
        response_headers.add(name, value);
        return std::move(*this);
    }

    bool accepted = true;
    unsigned status = 403;
    std::string body;
    std::optional<std::string> subprotocol;
    headers response_headers;
    std::any user_value;

private:
    verdict() = default;
};

/// Configures a server. Everything has a default; name what you change:
///
///     wsio::serve(3000, echo, {.path = "/echo", .threads = 4});
struct options {
    /// Address to listen on, such as "127.0.0.1" or "::1"; empty for every address, IPv4 and IPv6.
    std::string host = {};
    /// When set, only this path is served (others get 404); empty serves every path.
    std::string path = {};
    /// Keeps the table that `server::clients` shows.
    bool client_tracking = true;
    /// Which protocol versions are spoken.
    protocol_set protocols = {};
    /// Subprotocols that the server speaks, the preferred one first; the first that the client offers is chosen.
    std::vector<std::string> subprotocols = {};
    /// Chooses among what the client offers, instead of `subprotocols`; an empty answer chooses none.
    std::function<std::string(const request&, std::span<const std::string_view> offered)> choose_subprotocol = {};
    /// Origins that browsers may connect from ("https://example.com"; "*" for all). Empty: only the request's own host.
    std::vector<std::string> origins = {};
    /// Sees each valid handshake before its response goes out and accepts or rejects it. An exception answers 500.
    std::function<boost::asio::awaitable<verdict>(const request&)> authorize = {};
    /// Sees the response's header fields before they go out and may add to them. An exception answers 500.
    std::function<void(const request&, headers&)> on_headers = {};
    /// Learns of an exception that left a handler or a callback; by default one line goes to standard error. It must not
    /// throw. The connection is closed with 1011.
    std::function<void(std::exception_ptr, const request&)> on_exception = {};
    /// `serve`: called once, when the port is open, with the address that it listens on.
    std::function<void(const endpoint&)> on_listening = {};
    /// Addresses or networks ("10.0.0.0/8") of proxies whose X-Forwarded-Proto is believed.
    std::vector<std::string> trusted_proxies = {};
    /// The certificates to speak TLS with (wss); plain TCP when not set. `serve` reads the files again on SIGHUP, and tells
    /// `on_exception` when that fails. A server that is attached to an `http_server`, or gets its connections by
    /// `handle_upgrade`, has none of its own: `std::invalid_argument`.
    class tls tls = {};
    struct limits limits {};
    struct timeouts timeouts {};
    /// Compression of messages, off by default.
    struct compression compression {};
    /// `serve`: how many loops, each on its own thread; 0 for one on every core. Other ways to listen use one.
    unsigned threads = 0;
};

}  // namespace wsio
