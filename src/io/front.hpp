#pragma once

#include <wsio/http_server.hpp>
#include <wsio/request.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "handshake/proxies.hpp"
#include "handshake/proxy_header.hpp"
#include "handshake/rejection.hpp"
#include "io/connection.hpp"
#include "io/connection_count.hpp"
#include "io/listener.hpp"
#include "io/listening_socket.hpp"
#include "io/loop.hpp"
#include "io/server_state.hpp"

namespace wsio::detail {

/// What stands at a port: accepts connections, reads their HTTP, answers what is ordinary and passes WebSocket
/// handshakes on to the server that has the path.
class front : public loop::resident, public std::enable_shared_from_this<front> {
public:
    /// Makes the front of a WebSocket server that has the port to itself.
    [[nodiscard]] static std::shared_ptr<front> alone(boost::asio::any_io_executor executor, const options& server,
                                                      std::shared_ptr<connection_count> count);

    /// Makes the count that the fronts of all loops share.
    [[nodiscard]] static std::shared_ptr<connection_count> count_for(const limits& l) {
        return std::make_shared<connection_count>(l.connections, l.connections_per_address);
    }

    /// `handler` may be empty: then ordinary requests get 501.
    front(boost::asio::any_io_executor executor, http_handler handler, http_options settings,
          std::shared_ptr<connection_count> count);
    ~front() override;

    void listen(std::uint16_t port);
    void listen(listening_sockets sockets);
    void attach(std::shared_ptr<server_state> server) { servers_.push_back(std::move(server)); }
    void detach(const server_state& server);
    /// Takes a connection, as if a listener had accepted it; it owns `fd`.
    void accepted(int fd, endpoint remote);
    [[nodiscard]] endpoint local_endpoint() const;
    [[nodiscard]] std::vector<endpoint> local_endpoints() const;
    [[nodiscard]] boost::asio::any_io_executor executor() const { return executor_; }

    /// Closes the port, and the connections that wait between two requests.
    void stop();
    /// Stops the attached servers too.
    void stop_all();
    static boost::asio::awaitable<void> drain(std::shared_ptr<front> self, drain_options how);

private:
    struct read_result {
        wsio::request request;
        bool keep_alive = false;
    };

    void leave_loop() override { listeners_.clear(); }
    static boost::asio::awaitable<bool> admit(std::shared_ptr<front> self, connection& c);
    void out_of_descriptors(endpoint remote);
    void tell_dropped(endpoint remote, std::string_view why) const;
    void report_refused_tls(const connection& c) const;
    static boost::asio::awaitable<std::unique_ptr<handshake::proxy_header>> read_proxy_header(const front& self,
                                                                                              connection& c);
    void report_refused(const endpoint& remote, const handshake::rejection& why) const;
    void refuse_head(connection& c, const handshake::rejection& why) const;
    static boost::asio::awaitable<std::unique_ptr<read_result>> read_request(const front& self, connection& c);
    static boost::asio::awaitable<http_response> respond(const front& self, const request& r);
    static void write(const front& self, connection& c, const request& r, const http_response& response,
                      bool keep_alive);
    void identify(request& r, const connection& c, const handshake::proxy_header& said,
                  const server_state* server) const;
    void turn_away(int fd, endpoint remote, const handshake::rejection& why);
    void drop(connection& c, std::string why) const;
    void tell(endpoint remote, std::string_view why) const;
    [[nodiscard]] std::shared_ptr<server_state> server_for(std::string_view path) const;
    /// Gives the server that has the port to itself; null in an http_server, which refuses in nobody's name.
    [[nodiscard]] server_state* sole() const noexcept;
    [[nodiscard]] bool owns(const connection& c) const;

    http_options settings_;
    handshake::trusted_proxies proxies_;
    std::shared_ptr<connection_count> count_;
    std::shared_ptr<connection_count> turned_away_;  ///< Those that are being told that there is no place for them.
    http_handler handler_;
    boost::asio::any_io_executor executor_;
    loop& loop_;
    std::vector<std::shared_ptr<listener>> listeners_;
    std::vector<std::shared_ptr<server_state>> servers_;
    std::size_t dropped_unsaid_ = 0;  ///< Without a descriptor, since the log had a line about it.
    std::chrono::steady_clock::time_point say_dropped_at_;
    bool stopped_ = false;
};

}  // namespace wsio::detail
