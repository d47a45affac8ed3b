#pragma once

#include <cstdint>

namespace wsio::detail {

/// What has become of the bytes that were sent.
struct delivery {
    std::uint32_t waiting = 0;  ///< Those that the far end's system has not confirmed.
    std::uint32_t taken = 0;    ///< A count of those that it has; it begins anywhere and goes round.

    /// Tells whether anything was taken between `before` and this.
    [[nodiscard]] bool goes_on_since(std::uint32_t before) const noexcept {
        return static_cast<std::int32_t>(taken - before) > 0;
    }
};

/// Asks the system about a connected socket; `unwritten` more bytes wait for it to have room.
[[nodiscard]] delivery delivery_of(int fd, std::uint32_t unwritten) noexcept;

}  // namespace wsio::detail
