#pragma once

#include <wsio/endpoint.hpp>
#include <wsio/headers.hpp>
#include <wsio/log.hpp>
#include <wsio/options.hpp>
#include <wsio/request.hpp>
#include <wsio/tls.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace wsio {

namespace detail {
class front;
}

namespace testing {
class simulation;
}

/// The answer to an ordinary HTTP request.
struct http_response {
    unsigned status = 200;
    std::string body = {};
    std::string content_type = "text/plain; charset=utf-8";
    headers fields{};  ///< Further fields. Content-Length, Content-Type and Connection are set by the server.
};

/// Answers ordinary HTTP requests. The request lives until the answer is given.
using http_handler = std::function<boost::asio::awaitable<http_response>(const request&)>;

/// Configures an `http_server`.
struct http_options {
    /// What to listen on, as `options::host`.
    std::string host = {};
    /// Who may connect to a Unix socket, as `options::unix_permissions`.
    unsigned unix_permissions = 0600;
    /// Limits of the HTTP part: `head_size`, `header_count`, `body_size`; `connections`, `connections_per_address`.
    struct limits limits {};
    /// `timeouts::handshake` bounds each request and the idle time between two.
    struct timeouts timeouts {};
    /// Proxies that are believed when they name the client, as `options::trusted_proxies`.
    std::vector<std::string> trusted_proxies = {};
    /// In which header field they name it.
    forwarding_header forwarding = forwarding_header::x_forwarded_for;
    /// Expects a header of the PROXY protocol, as `options::proxy_protocol`.
    bool proxy_protocol = false;
    /// Learns of an exception that left the handler; by default one line goes to standard error. The client gets 500.
    std::function<void(std::exception_ptr, const request&)> on_exception = {};
    /// Gets a line for each event of the port: listening, requests that were refused, draining, exceptions. The servers that
    /// are attached have their own.
    log_function log = {};
    /// The certificates to speak TLS with (https, wss); plain TCP when not set.
    class tls tls = {};
};

/// A small HTTP/1.1 server on Boost.Beast's parser, with keep-alive, to put WebSockets beside pages on one port:
///
///     wsio::http_server http(executor, page);
///     auto chat = wsio::attach(http, {.path = "/chat"});
///     http.listen(3000);
///
/// An exception of the handler answers 500. A WebSocket handshake for a path that no attached server serves gets 404.
/// A cheap, copyable handle; the server stops when the last one and all attached servers are gone.
/// Thread safety: everything belongs on the executor, whose `io_context` must be run by one thread.
class http_server {
public:
    explicit http_server(boost::asio::any_io_executor executor, http_handler handler, http_options options = {});

    /// Opens `port` (0 for any free one) of `http_options::host`. May be called for several ports. Throws `boost::system::system_error` that
    /// names address and cause when the port cannot be had, and `std::invalid_argument` when the host makes no sense.
    void listen(std::uint16_t port);

    /// Gives the address that the server listens on first; a default endpoint before `listen`.
    [[nodiscard]] endpoint local_endpoint() const;
    [[nodiscard]] std::uint16_t port() const { return local_endpoint().port; }

    /// Stops accepting, answers requests whose head has begun with 503, lets those that a handler has finish, closes every
    /// WebSocket of the attached servers with 1001, spread over `spread`, and waits until all have ended, at most
    /// `deadline`; then drops the rest.
    [[nodiscard]] boost::asio::awaitable<void> drain(std::chrono::milliseconds deadline = std::chrono::seconds(5),
                                                     std::chrono::milliseconds spread = {});

    /// Stops accepting and starts to close everything. Returns at once.
    void stop();

    [[nodiscard]] boost::asio::any_io_executor get_executor() const;

private:
    friend class testing::simulation;
    friend class server attach(http_server& http, options options);

    std::shared_ptr<detail::front> front_;
};

}  // namespace wsio
