#pragma once

#include <wsio/http_server.hpp>
#include <wsio/options.hpp>
#include <wsio/server.hpp>
#include <wsio/socket.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "handshake/proxies.hpp"
#include "handshake/rejection.hpp"
#include "io/connection.hpp"
#include "io/loop.hpp"
#include "io/side.hpp"

namespace wsio::detail {

/// A callback that the application may replace while it runs: whoever calls it holds it.
template <typename Signature>
using shared_callback = std::shared_ptr<const std::function<Signature>>;

/// What all handles of one server share: its options, its open connections, the channel of accepted sockets.
class server_state final : public loop::resident, public side, public std::enable_shared_from_this<server_state> {
public:
    server_state(boost::asio::any_io_executor executor, options settings);
    ~server_state() override;

    [[nodiscard]] const options& settings() const noexcept { return settings_; }
    [[nodiscard]] const handshake::trusted_proxies& proxies() const noexcept { return proxies_; }
    [[nodiscard]] loop& home() noexcept { return loop_; }
    [[nodiscard]] boost::asio::any_io_executor executor() const { return executor_; }
    [[nodiscard]] bool stopped() const noexcept { return stopped_; }

    /// Tells whether this server answers for a path.
    [[nodiscard]] bool serves(std::string_view path) const noexcept {
        return settings_.path.empty() || settings_.path == path;
    }

    /// Tells whether another connection can be taken in; if not, the handshake is answered with 503.
    [[nodiscard]] bool has_room() const noexcept;

    /// Lets the application look at and add to the fields of a 101 response. May throw what the application throws.
    void show_headers(const request& r, headers& fields) const;

    // What the session reports.
    void opened(connection& c, const request& r);
    void refused(const request& r, const handshake::rejection& why);
    void failed(const request& r, std::string_view why) const;
    void ended(connection& c) override;
    void report(std::exception_ptr exception, const request& r) const override;

    /// Hands a connection that is open to the callback or the channel.
    void hand_out(socket opened);

    // What `server` offers.
    static boost::asio::awaitable<std::optional<socket>> accept(std::shared_ptr<server_state> self);
    static boost::asio::awaitable<void> drain(std::shared_ptr<server_state> self, drain_options how);
    [[nodiscard]] std::map<std::size_t, socket> clients() const;
    [[nodiscard]] std::size_t clients_count() const noexcept {
        return settings_.client_tracking && !loop_is_gone() ? open_ : 0;
    }
    /// Takes nothing in any more; those that wait for `accept` are closed, as nobody will have them.
    void take_no_more();
    void stop();

    connection_handler handler;
    shared_callback<void(socket)> on_connection;
    shared_callback<void(const request&, std::string_view)> on_error;
    shared_callback<void(const request&, headers&)> on_headers;
    /// Stops the listener that feeds this server alone; set by `listen`.
    std::function<void()> on_stop;
    /// Drains that listener; set by `listen`.
    std::function<boost::asio::awaitable<void>(drain_options)> on_drain;
    /// Gives the address of that listener.
    std::function<endpoint()> local_endpoint;

private:
    void leave_loop() override;
    void count(connection& c);
    void close_accepted();
    void forget_accepted(const connection& c);

    options settings_;
    handshake::trusted_proxies proxies_;
    boost::asio::any_io_executor executor_;
    loop& loop_;
    std::deque<socket> accepted_;  ///< Sockets that wait for `accept`.
    /// Where `accept` waits. Not Asio's channel: that of Boost 1.81 takes nothing any more once a waiting receive was
    /// cancelled.
    std::optional<boost::asio::steady_timer> arrival_;
    std::vector<connection*> places_;         ///< Open connections; null where a place is free.
    std::vector<std::uint32_t> free_places_;  ///< A heap: the lowest free place first.
    std::size_t open_ = 0;
    bool stopped_ = false;
};

/// Throws `std::invalid_argument` when an option makes no sense.
void validate(const options& settings);
void validate(const http_options& settings);

}  // namespace wsio::detail
