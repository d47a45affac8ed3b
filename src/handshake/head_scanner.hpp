#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "handshake/rejection.hpp"

namespace wsio::handshake {

/// Finds the end of a head in a growing buffer, and refuses on the way what HTTP parsers read in different ways: control
/// characters, bare CR or LF, and the folded lines of a request (RFC 9112 2.2, 5.2). It looks at each byte once, so a head
/// that comes byte by byte costs linear time, and the result does not depend on how the bytes were cut.
/// Thread safety: distinct objects safe, shared objects unsafe.
class head_scanner {
public:
    enum class state { open, complete, failed };
    enum class message : bool { request, answer };

    /// Takes the limits: bytes of the whole head with its last empty line, and number of header fields.
    head_scanner(std::size_t size_limit, std::size_t count_limit, message kind = message::request) noexcept
        : size_limit_(size_limit), count_limit_(count_limit), kind_(kind) {}

    /// Takes everything that came since the first head began: the bytes of the call before, and those behind them.
    state scan(std::string_view bytes);

    /// When `complete`: goes on with the head that follows. The limits hold for all of them together.
    void next_head() noexcept {
        begin_ = line_ = at_;
        state_ = state::open;
    }

    /// When `complete`: where the first line begins and where the head ends.
    [[nodiscard]] std::size_t begin() const noexcept { return begin_; }
    [[nodiscard]] std::size_t end() const noexcept { return at_; }

    /// When `failed`: the answer.
    [[nodiscard]] rejection& error() noexcept { return error_; }

private:
    void end_line(std::string_view line);
    void fail(unsigned status, std::string_view reason);
    [[nodiscard]] bool in_first_line() const noexcept { return line_ == begin_; }

    std::size_t size_limit_;
    std::size_t count_limit_;
    message kind_;
    std::size_t begin_ = 0;
    std::size_t line_ = 0;  // where the current line begins
    std::size_t at_ = 0;    // the first byte that was not looked at
    std::size_t fields_ = 0;
    state state_ = state::open;
    rejection error_;
};

}  // namespace wsio::handshake
