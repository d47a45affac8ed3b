#include "server_process.hpp"

#include "failure.hpp"

#include <fmt/format.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace wsio::bench {
namespace {

/// The scheduler's own count, in nanoseconds; /proc/PID/stat has only hundredths of a second. Each thread has one.
nanoseconds cpu_of_threads(const std::string& folder) {
    nanoseconds sum = 0;
    std::error_code gone;
    for (auto const& thread : std::filesystem::directory_iterator(folder + "/task", gone)) {
        nanoseconds used = 0;
        if (std::ifstream(thread.path() / "schedstat") >> used) sum += used;
    }
    return sum;
}

/// For systems whose kernel has no schedstat.
nanoseconds cpu_by_ticks(const std::string& folder) {
    std::ifstream file(folder + "/stat");
    file.ignore(4096, ')');  // the program's name may have spaces in it
    std::string skipped;
    for (int field = 3; field < 14; ++field) file >> skipped;
    nanoseconds user = 0;
    nanoseconds system = 0;
    file >> user >> system;
    return (user + system) * second / static_cast<nanoseconds>(::sysconf(_SC_CLK_TCK));
}

}  // namespace

process_usage usage_of(pid_t process) {
    auto const folder = fmt::format("/proc/{}", process);
    std::uint64_t pages = 0;
    std::uint64_t resident_pages = 0;
    if (!(std::ifstream(folder + "/statm") >> pages >> resident_pages))
        throw failure(exit_code::usage, fmt::format("--server-pid: there is no process {} on this machine", process));
    auto const cpu = cpu_of_threads(folder);
    return {.cpu = cpu != 0 ? cpu : cpu_by_ticks(folder),
            .resident = resident_pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE))};
}

}  // namespace wsio::bench
