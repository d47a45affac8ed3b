#include "output.hpp"

#include "failure.hpp"
#include "format.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

namespace wsio::bench {

void open_closed_standard_files() noexcept {
    for (int const each : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
        // A file gets the least number that is free, which is this one.
        if (::fcntl(each, F_GETFD) < 0 && ::open("/dev/null", O_RDWR) < 0) return;
}

bool print(std::string_view text) {
    while (!text.empty()) {
        auto const count = ::write(STDOUT_FILENO, text.data(), text.size());
        if (count >= 0) {
            text.remove_prefix(static_cast<std::size_t>(count));
        } else if (errno == EAGAIN) {  // whoever started the program may have made it so
            pollfd output{STDOUT_FILENO, POLLOUT, 0};
            ::poll(&output, 1, -1);
        } else if (errno == EPIPE) {
            return false;
        } else if (errno != EINTR) {
            throw failure(exit_code::system, fmt::format("standard output: {}", std::strerror(errno)));
        }
    }
    return true;
}

void tell(std::string_view line) {
    auto text = without_controls(line);
    std::ranges::replace(text, '\n', ' ');
    text += '\n';
    std::fwrite(text.data(), 1, text.size(), stderr);
}

}  // namespace wsio::bench
