#pragma once

#include <wsio/compression.hpp>
#include <wsio/endpoint.hpp>
#include <wsio/forwarding_header.hpp>
#include <wsio/headers.hpp>
#include <wsio/log.hpp>
#include <wsio/protocol_version.hpp>
#include <wsio/request.hpp>
#include <wsio/statistics.hpp>
#include <wsio/tls.hpp>

#include <boost/asio/awaitable.hpp>

#include <any>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wsio {

/// Bounds every buffer of a connection, and how many there are. All are finite; a limit of zero is refused with `std::invalid_argument` when a
/// server is made, but for `body_size`.
struct limits {
    /// Request line and header fields of the handshake, in bytes; 431 beyond, or 414 while it is in the request line.
    std::size_t head_size = 16 * 1024;
    /// Header fields of the handshake; 431 beyond.
    std::size_t header_count = 100;
    /// Body of an ordinary HTTP request, in bytes; 413 beyond.
    std::size_t body_size = 1024 * 1024;
    /// Payload of one received message that `receive` or `on_message` gives whole, in bytes; close code 1009 beyond (a drop on
    /// the hixie drafts). Also what is kept of a message before the first `receive_part` of a connection.
    std::size_t message_size = std::size_t{16} * 1024 * 1024;
    /// Payload of one message that `receive_part` gives in parts, in bytes; close code 1009 beyond. Less than `message_size`
    /// counts as that.
    std::size_t streamed_message_size = std::size_t{1024} * 1024 * 1024;
    /// Frames that one received message, or one part of it, may come in; close code 1008 beyond.
    std::size_t fragments = 16384;
    /// Received messages, and parts of them, that wait for `receive`, in bytes (each counts 64 more than its payload). Beyond it the
    /// connection is not read, so that TCP holds the peer back.
    std::size_t read_ahead = 256 * 1024;
    /// Bytes that wait for the network. `send` waits while there are more; `write` does what `options::when_full` says
    /// when its message would make it more than four times as many.
    std::size_t outbox = 1024 * 1024;
    /// Sockets that wait for `server::accept`; an upgrade beyond it is answered with 503.
    std::size_t accept_backlog = 1024;
    /// TCP and Unix connections that the listening server holds at a time, over all its loops; one beyond is answered with
    /// 503, or dropped: over TLS, and while many are being told. The system's limit of open files comes on top.
    std::size_t connections = 100'000;
    /// The same for each client address (`request::client_endpoint`); an IPv6 address counts with its /64. One beyond is
    /// answered with 429. The default leaves room for a proxy that is not among `trusted_proxies`.
    std::size_t connections_per_address = 20'000;
};

/// Bounds the time of every stage. `handshake` and `close` are absolute: bytes that trickle in do not extend them.
///
/// `ping`, `pong` and `idle` are for open connections, and 0 switches each off. They are coarse, up to 150 ms more and never
/// less, and cost a message nothing but a note of the time. A loop that is kept busy by the application lengthens them, so that
/// nobody is taken for silent whom the loop did not listen to.
struct timeouts {
    /// From the TCP connection to the end of the handshake, PROXY header, `authorize` and the hixie-76 nonce included; also
    /// how long an idle HTTP connection is kept.
    std::chrono::milliseconds handshake{10'000};
    /// From the closing frame to the end of the TCP connection; dropped beyond.
    std::chrono::milliseconds close{5'000};
    /// After how long a silence of the peer it is pinged. Any byte of it breaks the silence, and so does taking some of what
    /// waits for it in the outbox. A connection that is not read because its application does not keep up (`limits::read_ahead`)
    /// is not pinged. Not on the hixie drafts, which have no pings.
    std::chrono::milliseconds ping{30'000};
    /// How long the silence may go on after that ping; then the connection is dropped, and its status says so (1006, ended by
    /// the network). With 0 nobody is dropped, and silent peers are pinged again and again.
    std::chrono::milliseconds pong{30'000};
    /// How long a connection may go without a message in either direction; then it is closed with 1001. Pings and pongs are no
    /// messages.
    std::chrono::milliseconds idle{3'600'000};
};

/// How a server says goodbye.
struct drain_options {
    /// How long it waits for connections to end before it drops them. Each has `timeouts::close` from its closing frame on.
    std::chrono::milliseconds deadline{5'000};
    /// Over how much of the deadline the closing frames are spread, evenly, so that not all clients connect elsewhere at the
    /// same moment; all at once by default. Connections work as ever until it is their turn.
    std::chrono::milliseconds spread{0};
};

/// What becomes of a message that `socket::write` is given when too much waits for the network already.
///
/// Too much is what would let more than four times `limits::outbox` wait: the bytes that wait, with their frames' heads, and
/// this message's. Behind a peer that takes nothing, 64 bytes more count for each frame that `drop_oldest` and `keep_newest`
/// keep apart. A message that nothing waits before is always taken, whatever its size.
///
/// Only messages of `write` are ever dropped, and only whole: what the network has been given a part of, what `send` sent,
/// pings, pongs and the closing frame all go out.
enum class when_full : std::uint8_t {
    close,        ///< The connection is closed with 1013.
    drop_newest,  ///< The message is dropped.
    drop_oldest,  ///< The oldest are dropped until there is room; the message itself, if there is none even then.
    keep_newest,  ///< All that can be are dropped but the message; it as well, if there is no room even then.
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

    /// Adds a field to the response, 101 or rejection; throws as `headers::add` does. Connection, Content-Length and
    /// Transfer-Encoding are left out; of a 101 also what the handshake is made of, such as Upgrade and Sec-WebSocket-Accept.
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
    /// What to listen on:
    ///
    /// * empty: every address, IPv4 and IPv6;
    /// * "127.0.0.1" or "::1": one address;
    /// * "unix:/run/echo.sock": a Unix socket; "unix:@echo" for an abstract one. A file that a dead server left is replaced,
    ///   and the file is removed at the end;
    /// * "systemd": all sockets that systemd passes on (sd_listen_fds(3));
    /// * "fd:3": an inherited descriptor that listens. Like those of systemd it stays open at the end.
    ///
    /// The port counts for addresses only.
    std::string host = {};
    /// Who may connect to a Unix socket: the permissions of its file, from 0 to 0777. By default its owner alone.
    unsigned unix_permissions = 0600;
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
    /// Sees the response's header fields before they go out and may add to them; those of the handshake stay as they are,
    /// and Content-Length and Transfer-Encoding are left out. An exception answers 500.
    std::function<void(const request&, headers&)> on_headers = {};
    /// Learns of an exception that left a handler or a callback; by default one line goes to standard error. It must not
    /// throw. The connection is closed with 1011.
    std::function<void(std::exception_ptr, const request&)> on_exception = {};
    /// `serve`: called once, when the port is open, with the address that it listens on.
    std::function<void(const endpoint&)> on_listening = {};
    /// Gets a line for each event that an operator needs; `wsio::print_log` prints it. Nothing is logged by default.
    log_function log = {};
    /// Adds up what this server counts with what others do; `serve` with several loops is read through it.
    std::shared_ptr<wsio::monitor> monitor = {};
    /// Calls back for each handshake that was refused or failed, with a line that says why, and for each connection that was
    /// turned away, refused for a request that was malformed, too large or late, or dropped before its request was read: the
    /// request is then empty but for `remote_endpoint`. As `server::on_error`, but also for `serve`, where it runs on the
    /// threads of the loops.
    std::function<void(const request&, std::string_view why)> on_error = {};
    /// Addresses or networks ("10.0.0.0/8") of proxies that are believed when they name the client; "unix:" for whoever
    /// connects over a Unix socket.
    std::vector<std::string> trusted_proxies = {};
    /// In which header field they name it.
    forwarding_header forwarding = forwarding_header::x_forwarded_for;
    /// Expects a header of the PROXY protocol, version 1 or 2, at the beginning of every connection. A connection without
    /// one, or from somebody who is not among `trusted_proxies`, is dropped.
    bool proxy_protocol = false;
    /// The certificates to speak TLS with (wss); plain TCP when not set. `serve` reads the files again on SIGHUP, and tells
    /// `on_exception` when that fails. A server that is attached to an `http_server`, or gets its connections by
    /// `handle_upgrade`, has none of its own: `std::invalid_argument`.
    class tls tls = {};
    struct limits limits {};
    /// What `socket::write` does for a peer that reads too slowly. With `drop_oldest` and `keep_newest` messages that wait
    /// behind others are not compressed.
    enum when_full when_full = wsio::when_full::close;
    struct timeouts timeouts {};
    /// Compression of messages, off by default.
    struct compression compression {};
    /// `serve`: what the first SIGINT or SIGTERM does. A second one stops at once.
    drain_options drain = {};
    /// `serve`: how many loops, each on its own thread; 0 for one on every core. Other ways to listen use one.
    unsigned threads = 0;
};

}  // namespace wsio
