#include "progress.hpp"

#include <unistd.h>

#include <cstdio>

namespace wsio::bench {

progress_line::progress_line() noexcept : terminal_(::isatty(STDERR_FILENO) == 1) {}

void progress_line::show(std::string_view text) {
    if (!terminal_) return;
    std::fprintf(stderr, "\r\x1B[K%.*s", static_cast<int>(text.size()), text.data());
    std::fflush(stderr);
    shown_ = true;
}

void progress_line::clear() {
    if (!shown_) return;
    std::fputs("\r\x1B[K", stderr);
    std::fflush(stderr);
    shown_ = false;
}

}  // namespace wsio::bench
