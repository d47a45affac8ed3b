#include "io/readiness.hpp"

#if defined(WSIO_PORTABLE)

namespace wsio::detail {

readiness::readiness(boost::asio::io_context& context, int fd, readiness_listener& listener)
    : descriptor_(context, fd), listener_(listener) {}

void readiness::wait_readable() {
    if (waiting_) return;
    waiting_ = true;
    descriptor_.async_wait(boost::asio::posix::descriptor_base::wait_read, [this](const boost::system::error_code&) {
        waiting_ = false;
        if (descriptor_.is_open()) listener_.readable();
    });
}

void readiness::close() noexcept {
    boost::system::error_code ignored;
    descriptor_.close(ignored);
}

}  // namespace wsio::detail

#endif
