#include <wsio/log.hpp>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <iterator>

#include "io/log.hpp"

namespace wsio {

namespace detail {

std::string log_line(std::string_view text) {
    std::string line;
    for (char const c : text) {
        if (line.size() > longest_log_line - 7) return line + "...";
        if (c >= ' ' && c <= '~' && c != '\\')
            line += c;
        else
            fmt::format_to(std::back_inserter(line), "\\x{:02x}", static_cast<unsigned char>(c));
    }
    return line;
}

}  // namespace detail

void print_log(log_level level, std::string_view line) {
    auto const now = std::chrono::system_clock::now();
    auto const milliseconds =
        std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count() % 1000;
    auto const text =
        fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z {} {}\n", fmt::gmtime(now), milliseconds, to_string(level), line);
    std::fwrite(text.data(), 1, text.size(), stderr);  // one call, so that threads do not mix their lines
}

}  // namespace wsio
