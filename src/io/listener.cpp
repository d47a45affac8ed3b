#include "io/listener.hpp"

#include <boost/asio/ip/v6_only.hpp>
#include <boost/system/system_error.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <stdexcept>
#include <utility>

#include "io/addresses.hpp"

namespace wsio::detail {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

using reuse_port = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

constexpr int accepts_in_a_turn = 64;
constexpr std::chrono::milliseconds pause_when_out_of_descriptors{100};

void bind_to(tcp::acceptor& acceptor, const asio::ip::address& ip, const listener::address& where) {
    tcp::endpoint const at(ip, where.port);
    acceptor.open(at.protocol());
    acceptor.set_option(tcp::acceptor::reuse_address(true));
    if (where.shared) acceptor.set_option(reuse_port(true));
    if (ip.is_v6()) acceptor.set_option(asio::ip::v6_only(!where.host.empty()));
    acceptor.bind(at);
    acceptor.listen(SOMAXCONN);
}

// Binds to the host, or to every address: over IPv6 and IPv4 if the machine has both.
void bind(tcp::acceptor& acceptor, const listener::address& where) {
    boost::system::error_code ec;
    auto const ip = asio::ip::make_address(where.host, ec);
    if (!where.host.empty() && ec)
        throw std::invalid_argument("wsio: \"" + where.host + "\" is not an IP address to listen on");
    try {
        if (!where.host.empty()) {
            bind_to(acceptor, ip, where);
            return;
        }
        try {
            bind_to(acceptor, asio::ip::address_v6::any(), where);
        } catch (const boost::system::system_error& e) {
            if (e.code() != asio::error::address_family_not_supported && e.code().value() != EADDRNOTAVAIL) throw;
            acceptor.close(ec);
            bind_to(acceptor, asio::ip::address_v4::any(), where);
        }
    } catch (const boost::system::system_error& e) {
        auto const host = where.host.empty() ? "every address" : where.host;
        throw boost::system::system_error(  // without the place in Asio that found it
            boost::system::error_code(e.code().value(), e.code().category()),
            "wsio: cannot listen on port " + std::to_string(where.port) + " of " + host);
    }
}

}  // namespace

listener::listener(asio::io_context& context, const address& where, accepted on_accepted)
    : acceptor_(context), pause_(context), on_accepted_(std::move(on_accepted)) {
    bind(acceptor_, where);
    acceptor_.native_non_blocking(true);
    local_ = local_endpoint_of(acceptor_.native_handle());
}

void check_port_is_free(asio::io_context& context, const listener::address& where) {
    tcp::acceptor probe(context);
    auto alone = where;
    alone.shared = false;
    bind(probe, alone);
}

void listener::start() {
    acceptor_.async_wait(tcp::acceptor::wait_read, [self = shared_from_this()](const boost::system::error_code& ec) {
        if (!ec && self->acceptor_.is_open()) self->accept_all();
    });
}

void listener::accept_all() {
    for (int i = 0; i < accepts_in_a_turn; ++i) {
        sockaddr_storage remote{};
        socklen_t size = sizeof remote;
        int const fd = ::accept4(acceptor_.native_handle(), reinterpret_cast<sockaddr*>(&remote), &size,
                                 SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            int const on = 1;
            ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            on_accepted_(fd, endpoint_of(remote));
            if (!acceptor_.is_open()) return;
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            pause();
            return;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            break;
        }
        // Any other error belongs to one connection that is gone already (accept(2)).
    }
    start();
}

// Out of descriptors or memory: the connections that wait would wake us at once, again and again.
void listener::pause() {
    pause_.expires_after(pause_when_out_of_descriptors);
    pause_.async_wait([self = shared_from_this()](const boost::system::error_code& ec) {
        if (!ec && self->acceptor_.is_open()) self->accept_all();
    });
}

void listener::close() {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    pause_.cancel();
}

}  // namespace wsio::detail
