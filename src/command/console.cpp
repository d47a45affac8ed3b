#include "console.hpp"

#include "pipe_console.hpp"
#include "terminal_console.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <system_error>

namespace wsio::command {

std::unique_ptr<console> console::make(const boost::asio::any_io_executor& executor, bool reads, bool may_colour) {
    auto const* const terminal = std::getenv("TERM");
    bool const can_edit = terminal != nullptr && std::string_view(terminal) != "dumb";
    if (reads && can_edit && ::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1)
        return std::make_unique<terminal_console>(executor, may_colour && std::getenv("NO_COLOR") == nullptr);
    return std::make_unique<pipe_console>(executor);
}

console::waker::waker() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (fd_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
}

console::waker::~waker() { ::close(fd_); }

void console::waker::wake() const noexcept {
    std::uint64_t const one = 1;
    static_cast<void>(::write(fd_, &one, sizeof one));  // fails only when it is to be woken already
}

bool console::waker::wait() const noexcept {
    std::array<pollfd, 2> waited{{{STDIN_FILENO, POLLIN, 0}, {fd_, POLLIN, 0}}};
    while (::poll(waited.data(), waited.size(), -1) < 0 && errno == EINTR) {
    }
    if (waited[1].revents != 0) wait_to_be_woken();
    return waited[0].revents != 0;
}

void console::waker::wait_to_be_woken() const noexcept {
    pollfd waited{fd_, POLLIN, 0};
    while (::poll(&waited, 1, -1) < 0 && errno == EINTR) {
    }
    std::uint64_t count = 0;
    static_cast<void>(::read(fd_, &count, sizeof count));
}

}  // namespace wsio::command
