#pragma once

#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "io/readiness.hpp"

namespace wsio::detail {

/// A socket that a poller watches, and who is told. Lies in the object that owns the socket.
class polled {
public:
    polled(const polled&) = delete;
    polled& operator=(const polled&) = delete;

    /// Gives the descriptor; -1 once it is closed.
    [[nodiscard]] int fd() const noexcept { return fd_; }

    /// Tells that the peer has ended the stream, or that it is broken. No event will come for the end itself, so whoever
    /// reads goes on until it is met.
    [[nodiscard]] bool end_is_near() const noexcept { return end_is_near_; }

protected:
    polled() noexcept = default;
    virtual ~polled() = default;

private:
    friend class poller;

    virtual void readable() = 0;
    virtual void writable() = 0;

    int fd_ = -1;
    bool awaits_readable_ : 1 = false;
    bool awaits_writable_ : 1 = false;
    bool became_readable_ : 1 = false;  ///< When nobody waited for it.
    bool watched_writable_ : 1 = false;
    bool end_is_near_ : 1 = false;
};

/// Watches the sockets of one loop: an epoll instance of its own, which Asio watches as if it were one socket. An operation
/// in Asio's reactor for each socket would cost 280 bytes of memory, which an idle connection does not need otherwise, and
/// several locks for each message. The price is one more system call in each round of the loop.
///
/// Events are edge-triggered: what is said once is remembered until somebody waits for it.
class poller final : readiness_listener {
public:
    explicit poller(boost::asio::io_context& context);
    poller(const poller&) = delete;
    poller& operator=(const poller&) = delete;
    ~poller();

    /// Watches a non-blocking socket, which is `owner`'s from here on; throws `boost::system::system_error`, and the
    /// socket is not, when that cannot be done.
    void add(polled& owner, int fd);

    /// Calls `owner.readable()` once, from the loop, as soon as there is something to receive.
    void wait_readable(polled& owner);
    /// Calls `owner.writable()` once, from the loop, as soon as there is room again. For a socket that was found full.
    void wait_writable(polled& owner);

    /// Closes the socket. Its owner is told nothing more and may go away.
    void close(polled& owner) noexcept;

    /// Lets go of the `io_context`.
    void shut_down() noexcept { watched_.close(); }

private:
    struct news {
        polled* who;  ///< Null when it was closed meanwhile.
        std::uint32_t events;
    };

    void readable() override;
    void collect();
    void tell();
    void tell(polled& who, std::uint32_t events);
    void tell_later();

    boost::asio::io_context& context_;
    int const epoll_;
    readiness watched_;
    std::size_t sockets_ = 0;
    std::vector<news> news_;
    std::size_t told_ = 0;  ///< How many of `news_` are old.
    bool telling_posted_ = false;
};

}  // namespace wsio::detail
