#pragma once

#include <boost/asio/io_context.hpp>

// Behind io_context.hpp, without which they do not compile.
#include <boost/asio/detail/reactor.hpp>
#include <boost/asio/detail/reactor_op.hpp>
#include <boost/version.hpp>

#include "io/readiness.hpp"

// This is the one file that touches the internals of Asio's reactor. Stock Asio arms a wait with epoll_ctl; an operation whose
// `perform` answers `done_and_exhausted` costs no system call.
#if BOOST_VERSION != 108100 || !defined(BOOST_ASIO_HAS_EPOLL)
#error "wsio: the reactor readiness is tested with Boost 1.81 on Linux only; configure with -DWSIO_REACTOR=OFF"
#endif

namespace wsio::detail {

class readiness {
public:
    readiness(boost::asio::io_context& context, int fd, readiness_listener& listener);
    readiness(const readiness&) = delete;
    readiness& operator=(const readiness&) = delete;
    ~readiness() { close(); }

    void wait_readable() {
        if (waiting_) return;
        waiting_ = true;
        wait_.ec_ = {};
        reactor_.start_op(reactor::read_op, fd_, registration_, &wait_, true, true);
    }
    void cancel() { reactor_.cancel_ops(fd_, registration_); }
    void close() noexcept;

private:
    using reactor = boost::asio::detail::reactor;

    struct wait : boost::asio::detail::reactor_op {
        explicit wait(readiness& owner) noexcept
            : reactor_op(boost::system::error_code(), &perform, &completed), self(&owner) {}
        static status perform(reactor_op*) { return done_and_exhausted; }

        readiness* self;
    };

    static void completed(void* scheduler, boost::asio::detail::operation* base, const boost::system::error_code&,
                          std::size_t);

    reactor& reactor_;
    readiness_listener& listener_;
    reactor::per_descriptor_data registration_ = nullptr;
    int fd_;
    bool waiting_ = false;
    wait wait_{*this};
};

}  // namespace wsio::detail
