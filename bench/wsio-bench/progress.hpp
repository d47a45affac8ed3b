#pragma once

#include <string_view>

namespace wsio::bench {

/// A line on the terminal that is written over again and again. Says nothing when standard error is no terminal.
/// Thread safety: distinct objects safe, shared objects unsafe.
class progress_line {
public:
    progress_line() noexcept;
    ~progress_line() { clear(); }
    progress_line(const progress_line&) = delete;
    progress_line& operator=(const progress_line&) = delete;

    /// Shows a text in place of the last one.
    void show(std::string_view text);

    /// Takes the line away.
    void clear();

private:
    bool terminal_;
    bool shown_ = false;
};

}  // namespace wsio::bench
