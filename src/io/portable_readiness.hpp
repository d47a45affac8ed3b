#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "io/readiness.hpp"

namespace wsio::detail {

/// Readiness on public Asio API only: works with every version of Boost.Asio and every reactor, and costs an `epoll_ctl`
/// for each wait.
class readiness {
public:
    static constexpr bool misses_end_of_stream = false;

    readiness(boost::asio::io_context& context, int fd, readiness_listener& listener);
    readiness(const readiness&) = delete;
    readiness& operator=(const readiness&) = delete;

    [[nodiscard]] int fd() const noexcept { return fd_; }
    [[nodiscard]] bool waiting() const noexcept { return reading_ || writing_; }

    void wait_readable() { start(reading_, descriptor::wait_read); }
    void wait_writable() { start(writing_, descriptor::wait_write); }
    void close() noexcept;

private:
    using descriptor = boost::asio::posix::stream_descriptor;
    class completion;

    void start(bool& pending, descriptor::wait_type kind);

    descriptor descriptor_;
    readiness_listener& listener_;
    int fd_;
    bool reading_ = false;
    bool writing_ = false;
};

}  // namespace wsio::detail
