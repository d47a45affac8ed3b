#pragma once

// When a socket can be read or written. Two implementations of one small interface, chosen by the build option
// WSIO_REACTOR: an operation of our own in Asio's reactor, which needs no system call for a wait, and one on public Asio
// API only. The tests run with both.
//
//     explicit readiness(asio::io_context&, int fd, readiness_listener&);   takes ownership of fd
//     int fd() const;                 -1 once closed
//     void wait_readable();           at most one wait of each kind; a second call while one is pending does nothing
//     void wait_writable();
//     void close();                   ends all waits without telling the listener
//     bool waiting() const;           whether a wait is still known to Asio, even after close()
//     static constexpr bool misses_end_of_stream;   see reactor_readiness.hpp
//
// The object must live until `waiting()` is false; the listener is told by `waits_ended()`.

namespace wsio::detail {

class readiness_listener {
public:
    virtual void readable() = 0;
    virtual void writable() = 0;
    /// Called after close(), when Asio has let go of the last wait.
    virtual void waits_ended() = 0;

protected:
    ~readiness_listener() = default;
};

}  // namespace wsio::detail

#if defined(WSIO_PORTABLE)
#include "io/portable_readiness.hpp"
#else
#include "io/reactor_readiness.hpp"
#endif
