#pragma once

#include "clock.hpp"

#include <sys/types.h>

#include <cstdint>

namespace wsio::bench {

/// What a process has used up to now.
struct process_usage {
    nanoseconds cpu = 0;         ///< Of all its threads.
    std::uint64_t resident = 0;  ///< Bytes of memory.
};

/// Reads what a process of this machine has used, from /proc. Throws `failure` (usage) when there is no such process.
[[nodiscard]] process_usage usage_of(pid_t process);

}  // namespace wsio::bench
