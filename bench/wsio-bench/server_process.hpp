#pragma once

#include "clock.hpp"

#include <sys/types.h>

#include <cstdint>
#include <optional>

namespace wsio::bench {

/// What a process has used up to now.
struct process_usage {
    nanoseconds cpu = 0;         ///< Of all its threads, those that have ended too.
    std::uint64_t resident = 0;  ///< Bytes of memory.
};

/// Reads what a process of this machine has used; gives nothing when there is no such process.
[[nodiscard]] std::optional<process_usage> usage_of(pid_t process);

}  // namespace wsio::bench
