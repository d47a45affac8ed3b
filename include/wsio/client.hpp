#pragma once

#include <wsio/client_tls.hpp>
#include <wsio/compression.hpp>
#include <wsio/error.hpp>
#include <wsio/headers.hpp>
#include <wsio/log.hpp>
#include <wsio/options.hpp>
#include <wsio/protocol_version.hpp>
#include <wsio/request.hpp>
#include <wsio/socket.hpp>
#include <wsio/statistics.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wsio {

/// Configures a client's connection. Everything has a default; name what you change:
///
///     wsio::client_options const options{.subprotocols = {"chat"}};
///     auto socket = co_await wsio::connect("wss://example.org/chat", options);
struct client_options {
    /// The protocol versions to speak. The first is tried first; the next only when the server does not take the one
    /// before: its answer does not fit, it answers with a status that may mean the version (400, 404, 405, 426, 500, 501 and
    /// 505), or it ends the connection or is silent.
    std::vector<protocol_version> protocols = {protocol_version::hybi_13};
    /// Subprotocols to offer, each once, the preferred one first; `socket::subprotocol` has what the server chose. A server
    /// of hixie-75 is offered the first alone.
    std::vector<std::string> subprotocols = {};
    /// What to call oneself, such as "https://example.org", as browsers do. Empty for nothing; the hixie drafts need an
    /// origin, and then it is the server's own.
    std::string origin = {};
    /// Further header fields of the request, such as Authorization or Cookie. A Host takes the place of the URL's. Those
    /// that belong to the handshake itself are refused: `std::invalid_argument`.
    headers fields = {};
    /// Sees the header fields of the server's answer, a right 101. What it throws leaves `connect`.
    std::function<void(const headers&)> on_headers = {};
    /// How many redirects are followed, from ws to ws or wss and from wss to wss. What belongs to the first host
    /// (Authorization, Cookie, Host, the credentials of the URL, the certificate and `server_name` of `tls`) is not for
    /// another.
    unsigned redirects = 0;
    /// The certificates and rules of TLS, for wss. By default the server's certificate has to be in order.
    client_tls tls = {};
    /// An HTTP proxy to go through, for ws as for wss: "http://proxy.example:3128", or "http://user:password@…". Nothing is
    /// taken from the environment.
    std::string proxy = {};
    /// How long the host's name may take to be resolved, and its addresses to take the connection, together.
    std::chrono::milliseconds connect_timeout{10'000};
    /// When an address has not taken the connection for so long, the next one is tried beside it; one that refuses makes
    /// way at once. IPv6 and IPv4 take turns (RFC 8305).
    std::chrono::milliseconds next_address_after{250};
    /// `handshake`: from the TCP connection to the end of the handshake, proxy and TLS included, for each version. The others
    /// as on a server.
    struct timeouts timeouts {};
    /// `head_size`, `header_count` for the server's answer; `message_size`, `streamed_message_size`, `fragments`,
    /// `read_ahead` and `outbox` as on a server.
    struct limits limits {};
    /// What `socket::write` does for a server that reads too slowly, as `options::when_full`.
    enum when_full when_full = wsio::when_full::close;
    /// Compression of messages, off by default. It is offered in protocol 13; the server may decline.
    /// `socket::is_compressed` says what came of it.
    struct compression compression {};
    /// Learns of an exception that left a callback of the socket; by default one line goes to standard error. It must not
    /// throw. The connection is closed with 1011.
    std::function<void(std::exception_ptr, const request&)> on_exception = {};
    /// Gets a line when the connection is open and when it has ended. Nothing is logged by default.
    log_function log = {};
    /// Adds up what this connection counts with what others do.
    std::shared_ptr<wsio::monitor> monitor = {};
};

/// What became of `try_connect`.
struct connect_result {
    wsio::socket socket;                 ///< Open, if there is no error.
    std::optional<connect_error> error;  ///< Why it is not.

    [[nodiscard]] explicit operator bool() const noexcept { return !error; }
};

/// Connects to a WebSocket server: "ws://example.org:8080/chat" or "wss://…". Gives the socket, which is open and keeps the
/// same promises as that of a server: `receive`, `send`, the order of messages, limits, deadlines, cancellation.
/// `socket::request` has the request that was sent, `socket::remote_endpoint` the server's address.
///
/// The socket lives on the `io_context` of the calling coroutine, also when that is on a strand; one thread must run it.
/// "user:password@" in the URL is sent as a Basic Authorization.
///
/// Throws `connect_error` when there is no connection, and `std::invalid_argument` when an option makes no sense.
/// Cancellation ends it with `boost::system::system_error` (operation_aborted); nothing is left of the connection then.
[[nodiscard]] boost::asio::awaitable<socket> connect(std::string_view url);

/// As above, with options, which are copied by the call.
[[nodiscard]] boost::asio::awaitable<socket> connect(std::string_view url, const client_options& options);

/// Not to be had: GCC 12 destroys an aggregate such as `{.origin = "…"}` twice when it stands in a `co_await` expression.
/// Give the options a name.
boost::asio::awaitable<socket> connect(std::string_view url, client_options&& options) = delete;

/// As `connect`, but gives the error in place of throwing it:
///
///     auto const [socket, error] = co_await wsio::try_connect(url);
///     if (error) fmt::print("{}\n", error->what());
///
/// Cancellation and options that make no sense are thrown all the same.
[[nodiscard]] boost::asio::awaitable<connect_result> try_connect(std::string_view url);
[[nodiscard]] boost::asio::awaitable<connect_result> try_connect(std::string_view url, const client_options& options);
boost::asio::awaitable<connect_result> try_connect(std::string_view url, client_options&& options) = delete;

}  // namespace wsio
