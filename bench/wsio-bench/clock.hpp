#pragma once

#include <chrono>
#include <cstdint>

namespace wsio::bench {

/// A time or a time span in nanoseconds. A plain number, because the histogram and the schedule calculate with it.
using nanoseconds = std::uint64_t;

constexpr nanoseconds second = 1'000'000'000;

/// Gives the time on a clock that only goes forward.
[[nodiscard]] inline nanoseconds now() noexcept {
    auto const time = std::chrono::steady_clock::now().time_since_epoch();
    return static_cast<nanoseconds>(std::chrono::duration_cast<std::chrono::nanoseconds>(time).count());
}

}  // namespace wsio::bench
