#include <wsio/detail/suspension.hpp>

#include <boost/system/system_error.hpp>

#include "io/waiter.hpp"

namespace wsio::detail {

#if defined(WSIO_PORTABLE)

boost::asio::awaitable<void> suspension::wait(waiter& at) { return at.wait_portably(); }

#else

void suspension::suspended(waiter& at) {
    auto& frame = *frame_;
    result_ = nullptr;
    at.hold(waiter::handler(frame.detach_thread(), result_));
}

void suspension::raise() const { throw boost::system::system_error(*result_); }

#endif

}  // namespace wsio::detail
