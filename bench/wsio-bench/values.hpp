#pragma once

#include "clock.hpp"

#include <wsio/protocol_version.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

// How the values of a command line are read. What makes no sense is a `failure` (usage) that says what is wanted.

namespace wsio::bench {

/// A word of the command line that needs another behind it, and that other.
struct option {
    std::string_view name;
    std::string_view value;

    [[noreturn]] void refuse(std::string_view wanted) const;
};

/// Reads a whole number.
[[nodiscard]] std::size_t read_count(const option& given, std::size_t least, std::size_t most);

/// Reads a number of bytes, such as 16, 64k or 1M.
[[nodiscard]] std::size_t read_size(const option& given);

/// Reads a time, such as 10, 0.5, 500ms or 2m.
[[nodiscard]] nanoseconds read_duration(const option& given);
[[nodiscard]] std::chrono::milliseconds read_milliseconds(const option& given);

/// Reads a positive number of messages a second.
[[nodiscard]] double read_rate(const option& given);

/// Reads 13, 8, 7, 76 or 75, or the name of a version.
[[nodiscard]] protocol_version read_protocol(const option& given);

/// A field of a request's head.
struct field {
    std::string_view name;
    std::string_view value;
};

/// Reads a header field, such as "Origin: http://example.com".
[[nodiscard]] field read_header(const option& given);

}  // namespace wsio::bench
