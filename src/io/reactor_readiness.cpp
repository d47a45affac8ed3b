#include "io/readiness.hpp"

#if !defined(WSIO_PORTABLE)

#include <boost/asio/error.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/system/system_error.hpp>

#include <unistd.h>

namespace wsio::detail {

readiness::readiness(boost::asio::io_context& context, int fd, readiness_listener& listener)
    : reactor_(boost::asio::use_service<reactor>(context)), listener_(listener), fd_(fd) {
    reactor_.init_task();
    if (int const error = reactor_.register_descriptor(fd, registration_); error != 0) {
        reactor_.cleanup_descriptor_data(registration_);
        ::close(fd);
        throw boost::system::system_error(error, boost::system::system_category(), "wsio: cannot watch an epoll instance");
    }
}

// The scheduler is null when the io_context is being destroyed.
void readiness::completed(void* scheduler, boost::asio::detail::operation* base, const boost::system::error_code&,
                          std::size_t) {
    auto& self = *static_cast<wait*>(base)->self;
    self.waiting_ = false;
    if (self.fd_ >= 0 && scheduler != nullptr) self.listener_.readable();
}

void readiness::close() noexcept {
    if (fd_ < 0) return;
    reactor_.deregister_descriptor(fd_, registration_, true);
    reactor_.cleanup_descriptor_data(registration_);
    ::close(fd_);
    fd_ = -1;
}

}  // namespace wsio::detail

#endif
