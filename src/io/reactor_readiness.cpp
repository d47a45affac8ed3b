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
        throw boost::system::system_error(error, boost::system::system_category(), "wsio: cannot watch a socket");
    }
}

void readiness::start(wait& operation, bool& pending, int kind) {
    if (pending || fd_ < 0) return;
    pending = true;
    operation.ec_ = {};
    reactor_.start_op(kind, fd_, registration_, &operation, true, true);
}

// Tells whether nobody wants to hear of a wait that is over: the descriptor was closed meanwhile, or the io_context is being
// destroyed.
bool readiness::stopped(const void* scheduler) {
    if (fd_ >= 0 && scheduler != nullptr) return false;
    if (!waiting()) listener_.waits_ended();
    return true;
}

void readiness::read_completed(void* scheduler, boost::asio::detail::operation* base, const boost::system::error_code&,
                               std::size_t) {
    auto& self = *static_cast<wait*>(base)->self;
    self.reading_ = false;
    if (!self.stopped(scheduler)) self.listener_.readable();
}

void readiness::write_completed(void* scheduler, boost::asio::detail::operation* base, const boost::system::error_code&,
                                std::size_t) {
    auto& self = *static_cast<wait*>(base)->self;
    self.writing_ = false;
    if (!self.stopped(scheduler)) self.listener_.writable();
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
