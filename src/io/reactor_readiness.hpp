#pragma once

#include <boost/asio/io_context.hpp>

// Behind io_context.hpp, without which they do not compile.
#include <boost/asio/detail/reactor.hpp>
#include <boost/asio/detail/reactor_op.hpp>
#include <boost/version.hpp>

#include <memory>

#include "io/readiness.hpp"

// This is the one file that touches Asio's internals. Stock Asio either tries a receive first and meets EAGAIN, or
// arms the wait with epoll_ctl; both are system calls that a server of many small messages can measure. An operation whose
// `perform` answers `done_and_exhausted` costs neither.
#if BOOST_VERSION != 108100 || !defined(BOOST_ASIO_HAS_EPOLL)
#error "wsio: the reactor readiness is tested with Boost 1.81 on Linux only; configure with -DWSIO_REACTOR=OFF"
#endif

namespace wsio::detail {

class readiness {
public:
    /// Asio registers descriptors edge-triggered. A receive that gets less than it asked for empties the socket, so the
    /// next byte makes a new edge; but the end of the stream that arrived together with the last bytes does not. Who reads
    /// has to look once more when a connection falls silent.
    static constexpr bool misses_end_of_stream = true;

    readiness(boost::asio::io_context& context, int fd, readiness_listener& listener);
    readiness(const readiness&) = delete;
    readiness& operator=(const readiness&) = delete;
    ~readiness() { close(); }

    [[nodiscard]] int fd() const noexcept { return fd_; }
    [[nodiscard]] bool waiting() const noexcept { return reading_ || writing_; }

    void wait_readable() { start(read_, reading_, reactor::read_op); }
    void wait_writable() {
        if (!write_) write_ = std::make_unique<wait>(*this, &write_completed);
        start(*write_, writing_, reactor::write_op);
    }
    void close() noexcept;

private:
    using reactor = boost::asio::detail::reactor;

    struct wait : boost::asio::detail::reactor_op {
        wait(readiness& owner, func_type on_complete) noexcept
            : reactor_op(boost::system::error_code(), &perform, on_complete), self(&owner) {}
        static status perform(reactor_op*) { return done_and_exhausted; }

        readiness* self;
    };

    static void read_completed(void* scheduler, boost::asio::detail::operation* base, const boost::system::error_code&,
                               std::size_t);
    static void write_completed(void* scheduler, boost::asio::detail::operation* base, const boost::system::error_code&,
                                std::size_t);
    [[nodiscard]] bool stopped(const void* scheduler);
    void start(wait& operation, bool& pending, int kind);

    reactor& reactor_;
    readiness_listener& listener_;
    reactor::per_descriptor_data registration_ = nullptr;
    int fd_;
    bool reading_ = false;
    bool writing_ = false;
    wait read_{*this, &read_completed};
    std::unique_ptr<wait> write_;  ///< Most connections never find their socket full.
};

}  // namespace wsio::detail
