#pragma once

#include <wsio/endpoint.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace wsio::detail {

/// Accepts TCP connections on one address until it is closed.
class listener : public std::enable_shared_from_this<listener> {
public:
    /// Gets each accepted socket, non-blocking and with TCP_NODELAY, and who is at its other end. Owns the descriptor.
    using accepted = std::function<void(int fd, endpoint remote)>;

    struct address {
        std::string host;  ///< Empty for every address, IPv4 and IPv6.
        std::uint16_t port = 0;
        bool shared = false;  ///< Several loops listen on the port (SO_REUSEPORT).
    };

    /// Opens the port. Throws `boost::system::system_error` that names address and cause.
    listener(boost::asio::io_context& context, const address& where, accepted on_accepted);

    void start();
    void close();
    [[nodiscard]] const endpoint& local_endpoint() const noexcept { return local_; }

private:
    void accept_all();
    void pause();

    boost::asio::ip::tcp::acceptor acceptor_;
    boost::asio::steady_timer pause_;
    accepted on_accepted_;
    endpoint local_;
};

/// Throws as `listener` does when somebody else listens on the address already. SO_REUSEPORT alone would let two
/// programs share it without a word.
void check_port_is_free(boost::asio::io_context& context, const listener::address& where);

}  // namespace wsio::detail
