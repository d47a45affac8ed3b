#pragma once

#include <wsio/endpoint.hpp>
#include <wsio/headers.hpp>
#include <wsio/options.hpp>
#include <wsio/request.hpp>
#include <wsio/socket.hpp>
#include <wsio/statistics.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

namespace wsio {

class http_server;

namespace detail {
class front;
class server_state;
}  // namespace detail

namespace testing {
class simulation;
}

/// A channel of accepted WebSocket connections. A cheap, copyable handle; the server stops when the last one goes away
/// (but `serve` and connections that are open go on).
/// Thread safety: as for `socket`; everything belongs on the server's executor, but `handle_upgrade`, `stop` and
/// `statistics` are safe anywhere.
class server {
public:
    /// Makes a server that does not listen: it gets its connections through `handle_upgrade` or `attach`. They live on
    /// `executor`, whose `io_context` must be run by one thread. Throws `std::invalid_argument` when an option makes no
    /// sense.
    explicit server(boost::asio::any_io_executor executor, options options = {});

    /// Waits for the next connection; nothing once the server is stopped. Several coroutines may wait. One that ended before
    /// and left no message is not given. Cancellation ends the wait with `boost::system::system_error`, loses no connection.
    [[nodiscard]] boost::asio::awaitable<std::optional<socket>> accept();

    /// Takes over a connection whose request head was read by another HTTP server: recognises, checks and answers the
    /// handshake, then hands the socket out as ever. `head` is what was already read behind the request's head (the first
    /// frames, or the hixie-76 nonce). A request that is no valid handshake gets its answer on `stream`, which is then
    /// closed. Returns at once.
    void handle_upgrade(request request, boost::asio::ip::tcp::socket stream, std::string_view head = {});

    /// As above, with the request as a Boost.Beast message (or anything with `method_string`, `target`, `version` and
    /// iteration over fields with `name_string` and `value`).
    template <typename BeastRequest>
        requires requires(const BeastRequest& r) {
            r.method_string();
            r.target();
            r.version();
        }
    void handle_upgrade(const BeastRequest& request, boost::asio::ip::tcp::socket stream, std::string_view head = {}) {
        handle_upgrade(convert(request), std::move(stream), head);
    }

    /// Gives the connections that are open, by place: 0, 1, 2, … A place that became free is given to the next connection.
    /// Empty when `options::client_tracking` is off.
    [[nodiscard]] std::map<std::size_t, socket> clients() const;

    /// Counts the connections that are open; 0 when tracking is off.
    [[nodiscard]] std::size_t clients_count() const noexcept;

    /// Gives what this server has counted since it was made. Safe on every thread.
    [[nodiscard]] wsio::statistics statistics() const;

    /// Calls back for each connection, instead of `accept`. The callback runs on the server's executor.
    server& on_connection(std::function<void(socket)> callback);

    /// Calls back for each handshake that was refused or failed, with a line that says why, and for each connection that was
    /// turned away, refused for a request that was malformed, too large or late, or dropped before its request was read: the
    /// request is then empty but for `remote_endpoint`. A handshake for a path that no server serves is nobody's: it is
    /// answered with 404 and logged.
    server& on_error(std::function<void(const request&, std::string_view why)> callback);

    /// Sees, and may add to, the header fields of each 101 response before it goes out.
    server& on_headers(std::function<void(const request&, headers&)> callback);

    /// Gives the address that the server listens on; a default endpoint when it does not.
    [[nodiscard]] endpoint local_endpoint() const;

    /// Gives the port that the server listens on; 0 when it does not.
    [[nodiscard]] std::uint16_t port() const { return local_endpoint().port; }

    /// Stops accepting, answers handshakes in progress with 503, closes every connection with 1001 behind all that was sent,
    /// and waits until they have ended, at most `deadline`; then drops the rest. The closing frames are spread evenly over
    /// `spread`, which is part of the deadline (`drain_options`); all go at once by default.
    [[nodiscard]] boost::asio::awaitable<void> drain(std::chrono::milliseconds deadline = std::chrono::seconds(5),
                                                     std::chrono::milliseconds spread = {});

    /// Stops accepting, starts to close every connection with 1001 and lets `accept` give nothing. Returns at once.
    void stop();

    /// Gives the executor that the server lives on.
    [[nodiscard]] boost::asio::any_io_executor get_executor() const;

private:
    friend class http_server;
    friend class testing::simulation;
    friend server listen(boost::asio::any_io_executor executor, std::uint16_t port, const options& options);
    friend server attach(http_server& http, options options);
    [[nodiscard]] static server at(const std::shared_ptr<detail::front>& front, const options& options);
    explicit server(std::shared_ptr<detail::server_state> state) noexcept : state_(std::move(state)) {}

    template <typename BeastRequest>
    static request convert(const BeastRequest& message) {
        request result{std::string(message.method_string()), std::string(message.target())};
        result.http_minor(message.version() % 10);
        for (auto const& field : message) {
            auto const name = field.name_string();
            auto const value = field.value();
            result.headers().add({name.data(), name.size()}, {value.data(), value.size()});
        }
        return result;
    }

    std::shared_ptr<detail::server_state> state_;
};

/// Listens on `port` (0 for any free one); ordinary HTTP requests are answered with 501 Not Implemented.
///
/// Throws `boost::system::system_error` that names address and cause when the port cannot be had, and
/// `std::invalid_argument` when an option makes no sense.
[[nodiscard]] server listen(boost::asio::any_io_executor executor, std::uint16_t port, const options& options);

/// As above, with the executor of the calling coroutine.
///
///     auto server = co_await wsio::listen(3000);
///     while (auto socket = co_await server.accept())
///         co_spawn(socket->get_executor(), echo(*socket), detached);
[[nodiscard]] boost::asio::awaitable<server> listen(std::uint16_t port);

/// As above, with options, which must be a variable that lives until the answer is there.
[[nodiscard]] boost::asio::awaitable<server> listen(std::uint16_t port, const options& options);

/// Not to be had: GCC 12 destroys an aggregate such as `{.path = "/chat"}` twice when it stands in a `co_await`
/// expression. Give the options a name, or call `listen(executor, port, {.path = "/chat"})`.
boost::asio::awaitable<server> listen(std::uint16_t port, options&& options) = delete;

/// Serves WebSockets beside the ordinary HTTP of `http`, on the same port. Several servers with different paths may be
/// attached; the first whose path fits gets the connection.
[[nodiscard]] server attach(http_server& http, options options = {});

/// What `serve` runs for each connection.
using connection_handler = std::function<boost::asio::awaitable<void>(socket)>;

/// Serves `port` until SIGINT or SIGTERM comes: runs `handler` for each connection, on `options::threads` loops, each on
/// a thread of its own. When the handler returns, its connection is closed properly (1000); when it throws, with 1011,
/// and `options::on_exception` learns of it. On the signal every connection is closed with 1001; a second signal stops at
/// once.
///
/// Throws as `listen` does.
void serve(std::uint16_t port, connection_handler handler, options options = {});

}  // namespace wsio
