#include "io/listener.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <new>
#include <utility>

#include "io/addresses.hpp"
#include "io/loop.hpp"

namespace wsio::detail {

namespace asio = boost::asio;

namespace {

constexpr int accepts_in_a_turn = 64;
constexpr std::chrono::milliseconds length_of_a_pause{100};

}  // namespace

listener::listener(loop& l, listening_socket socket, accepted on_accepted, dropped on_dropped, paused on_paused)
    : loop_(l),
      socket_(std::move(socket)),
      local_(socket_.local_endpoint()),
      watched_(l.context(), socket_.fd()),
      on_accepted_(std::move(on_accepted)),
      on_dropped_(std::move(on_dropped)),
      on_paused_(std::move(on_paused)) {
    open_reserve();
}

listener::~listener() { close(); }

void listener::start() {
    try {
        watched_.async_wait(asio::posix::descriptor_base::wait_read,
                            [self = shared_from_this()](const boost::system::error_code& ec) {
                                if (!ec && self->watched_.is_open()) self->accept_all();
                            });
    } catch (const std::bad_alloc&) {  // a deadline needs no memory
        loop_.set_deadline(*this, length_of_a_pause);
    }
}

int listener::accept_one(endpoint& remote) const {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    int const fd = ::accept4(socket_.fd(), reinterpret_cast<sockaddr*>(&address), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) remote = endpoint_of(address, size);
    return fd;
}

void listener::accept_all() {
    int lost = 0;
    for (int i = 0; i < accepts_in_a_turn; ++i) {
        endpoint remote;
        int const fd = accept_one(remote);
        if (fd >= 0) {
            int const on = 1;
            if (!remote.is_unix()) ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            on_accepted_(fd, std::move(remote));
            if (!watched_.is_open()) return;
        } else if (int const error = errno; error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM) {
            if (!drop_one()) {
                pause(error);
                return;
            }
            if (!watched_.is_open()) return;
        } else if (error == EAGAIN || error == EWOULDBLOCK) {
            break;
        } else if (++lost == accepts_in_a_turn) {  // no connection's fault, then: it would come again at once
            pause(error);
            return;
        }
        // Any other error belongs to one connection that is gone already (accept(2)).
    }
    go_on();
    start();
}

// Out of descriptors: a client that hears nothing waits and a load balancer thinks that all is well. The reserve is given
// up for as long as it takes to accept the connection and to drop it.
bool listener::drop_one() {
    close_reserve();
    endpoint remote;
    int const fd = accept_one(remote);
    int const error = errno;
    if (fd >= 0) ::close(fd);
    open_reserve();
    if (fd >= 0) on_dropped_(std::move(remote));
    return fd >= 0 || error == EAGAIN || error == EWOULDBLOCK;
}

void listener::open_reserve() {
    if (reserve_ < 0) reserve_ = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}

void listener::close_reserve() {
    if (reserve_ >= 0) ::close(std::exchange(reserve_, -1));
}

// Not even the reserve helps: the connections that wait would wake us at once, again and again.
void listener::pause(int error) {
    if (!std::exchange(pauses_, true)) on_paused_(error);
    loop_.set_deadline(*this, length_of_a_pause);
}

void listener::deadline_passed() {
    auto const held = shared_from_this();
    open_reserve();
    accept_all();
}

void listener::go_on() {
    if (std::exchange(pauses_, false)) on_paused_(0);
}

void listener::close() {
    if (!watched_.is_open()) return;
    watched_.release();  // ends the wait
    socket_.close();
    loop_.clear_deadline(*this);
    close_reserve();
}

}  // namespace wsio::detail
