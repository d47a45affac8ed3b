#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "io/readiness.hpp"

namespace wsio::detail {

/// Readiness on public Asio API only: works with every version of Boost.Asio, and costs an `epoll_ctl` for each wait.
class readiness {
public:
    readiness(boost::asio::io_context& context, int fd, readiness_listener& listener);
    readiness(const readiness&) = delete;
    readiness& operator=(const readiness&) = delete;

    void wait_readable();
    void cancel() { descriptor_.cancel(); }
    void close() noexcept;

private:
    boost::asio::posix::stream_descriptor descriptor_;
    readiness_listener& listener_;
    bool waiting_ = false;
};

}  // namespace wsio::detail
