#include "io/readiness.hpp"

#if WSIO_USE_REACTOR

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
        throw boost::system::system_error(error, boost::system::system_category(), "wsio: cannot watch a socket");
    }
}

void readiness::start(wait& operation, int kind) {
    if (operation.pending || fd_ < 0) return;
    operation.pending = true;
    operation.ec_ = {};
    reactor_.start_op(kind, fd_, registration_, &operation, true, true);
}

void readiness::completed(void* scheduler, boost::asio::detail::operation* base, const boost::system::error_code&,
                          std::size_t) {
    auto& operation = *static_cast<wait*>(static_cast<boost::asio::detail::reactor_op*>(base));
    auto& self = *operation.self;
    operation.pending = false;
    if (self.fd_ < 0 || scheduler == nullptr) {  // closed meanwhile, or the io_context is being destroyed
        if (!self.waiting()) self.listener_.waits_ended();
        return;
    }
    if (&operation == &self.read_)
        self.listener_.readable();
    else
        self.listener_.writable();
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
