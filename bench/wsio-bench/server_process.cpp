#include "server_process.hpp"

#include <fmt/format.h>

#include <time.h>
#include <unistd.h>

#include <fstream>

namespace wsio::bench {

std::optional<process_usage> usage_of(pid_t process) {
    std::uint64_t pages = 0;
    std::uint64_t resident_pages = 0;
    // What has ended, and nobody has waited for yet, has no memory any more.
    if (!(std::ifstream(fmt::format("/proc/{}/statm", process)) >> pages >> resident_pages) || pages == 0)
        return std::nullopt;
    // The scheduler's own count, in nanoseconds. What stands in /proc is in hundredths of a second, or without the threads
    // that have ended: all of them, in a server with a thread for each connection.
    clockid_t clock{};
    timespec used{};
    if (::clock_getcpuclockid(process, &clock) != 0 || ::clock_gettime(clock, &used) != 0) return std::nullopt;
    return process_usage{.cpu = static_cast<nanoseconds>(used.tv_sec) * second + static_cast<nanoseconds>(used.tv_nsec),
                         .resident = resident_pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE))};
}

}  // namespace wsio::bench
