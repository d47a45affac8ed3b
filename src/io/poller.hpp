#pragma once

// Who tells the connections of a loop when their sockets can be read or written. Two implementations of one small interface,
// chosen by the build option WSIO_REACTOR: one inside Asio's reactor, and one beside it on public Asio API only. The tests
// run with both.
//
//     explicit poller(asio::io_context&);
//     void add(polled&, int fd);             watches a non-blocking socket, which is the polled object's from here on; throws
//                                            boost::system::system_error, and it is not, when that cannot be done
//     void await_writable(polled&);          calls `ready` once there is room again in a socket that was found full
//     void close(polled&) noexcept;          closes the socket; `ready` is not called any more
//     void shut_down() noexcept;             lets go of the io_context
//
// As long as there is a socket, io_context::run does not return. A polled object must stay where it is until what has been
// posted to the io_context before `close` has run: Asio may hold it.

#if defined(WSIO_PORTABLE)
#include "io/portable_poller.hpp"
#else
#include "io/reactor_poller.hpp"
#endif

#include <cstdint>
#include <utility>

namespace wsio::detail {

/// A socket that a poller watches, and who is told. Lies in the object that owns the socket.
///
/// Events are edge-triggered: each is told once, and remembered until somebody waits for it.
class polled : public event_source {
public:
    polled(const polled&) = delete;
    polled& operator=(const polled&) = delete;

    /// Gives the descriptor; -1 once it is closed.
    [[nodiscard]] int fd() const noexcept { return fd_; }

    /// Tells that the peer has ended the stream, or that it is broken. No event will come for the end itself when it came
    /// together with the last bytes, so whoever reads goes on until it is met.
    [[nodiscard]] bool end_is_near() const noexcept { return end_is_near_; }

    /// Waits until there is something to receive; false when there is already.
    [[nodiscard]] bool await_readable() noexcept {
        if (std::exchange(became_readable_, false)) return false;
        awaits_readable_ = true;
        return true;
    }

protected:
    polled() noexcept = default;
    virtual ~polled() = default;

private:
    friend class poller;
    friend struct event_source;

    /// Called by the loop, once for each wait.
    virtual void ready(bool readable, bool writable) = 0;
    void happened(std::uint32_t events);

    int fd_ = -1;
    bool awaits_readable_ = false;
    bool awaits_writable_ = false;
    bool became_readable_ = false;   ///< When nobody waited for it.
    bool watched_writable_ = false;  ///< The poller has been told to look at that, too.
    bool end_is_near_ = false;
};

}  // namespace wsio::detail
