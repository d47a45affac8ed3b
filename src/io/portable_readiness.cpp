#include "io/readiness.hpp"

#if defined(WSIO_PORTABLE)

#include <utility>

namespace wsio::detail {

// What Asio calls, or destroys uncalled when the io_context goes away.
class readiness::completion {
public:
    completion(readiness& self, bool& pending) noexcept : self_(&self), pending_(&pending) {}
    completion(completion&& other) noexcept : self_(std::exchange(other.self_, nullptr)), pending_(other.pending_) {}
    completion& operator=(completion&&) = delete;
    ~completion() {
        if (self_ == nullptr) return;
        *pending_ = false;
        if (!self_->waiting()) self_->listener_.waits_ended();
    }

    void operator()(const boost::system::error_code&) {
        auto& self = *self_;
        if (self.fd_ < 0) return;
        self_ = nullptr;
        *pending_ = false;
        if (pending_ == &self.reading_)
            self.listener_.readable();
        else
            self.listener_.writable();
    }

private:
    readiness* self_;
    bool* pending_;
};

readiness::readiness(boost::asio::io_context& context, int fd, readiness_listener& listener)
    : descriptor_(context, fd), listener_(listener), fd_(fd) {}

void readiness::start(bool& pending, descriptor::wait_type kind) {
    if (pending || fd_ < 0) return;
    pending = true;
    descriptor_.async_wait(kind, completion(*this, pending));
}

void readiness::close() noexcept {
    if (fd_ < 0) return;
    fd_ = -1;
    boost::system::error_code ignored;
    descriptor_.close(ignored);
}

}  // namespace wsio::detail

#endif
