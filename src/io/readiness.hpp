#pragma once

// When the sockets of a loop have something to tell. Two implementations of one small interface, chosen by the build option
// WSIO_REACTOR: an operation of our own in Asio's reactor, which needs no system call for a wait, and one on public Asio
// API only. The tests run with both.
//
//     explicit readiness(asio::io_context&, int fd, readiness_listener&);   takes ownership of fd
//     void wait_readable();           at most one wait; a second call while it is pending does nothing
//     void cancel();                  ends the wait, as if fd were readable
//     void close();                   ends the wait without telling the listener
//
// A wait that is pending keeps `io_context::run` from returning. The object must live as long as the `io_context`.

namespace wsio::detail {

class readiness_listener {
public:
    virtual void readable() = 0;

protected:
    ~readiness_listener() = default;
};

}  // namespace wsio::detail

#if defined(WSIO_PORTABLE)
#include "io/portable_readiness.hpp"
#else
#include "io/reactor_readiness.hpp"
#endif
