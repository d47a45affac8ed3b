#include "format.hpp"

#include <fmt/format.h>

#include <cmath>
#include <string_view>

namespace wsio::bench {
namespace {

/// Writes a number with about three digits.
std::string with_unit(double number, std::string_view unit) {
    int const decimals = number < 10 ? 2 : number < 100 ? 1 : 0;
    return fmt::format("{:.{}f} {}", number, decimals, unit);
}

}  // namespace

std::string with_commas(double number) {
    auto digits = fmt::format("{:.0f}", std::abs(number));
    for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3)
        digits.insert(static_cast<std::size_t>(at), 1, ',');
    return number < 0 ? "-" + digits : digits;
}

std::string as_time(double nanoseconds) {
    if (nanoseconds < 1e3) return with_unit(nanoseconds, "ns");
    if (nanoseconds < 1e6) return with_unit(nanoseconds / 1e3, "us");
    if (nanoseconds < 1e9) return with_unit(nanoseconds / 1e6, "ms");
    return with_unit(nanoseconds / 1e9, "s");
}

std::string as_bytes(double bytes) {
    auto const size = std::abs(bytes);
    if (size < 1e4) return fmt::format("{:.0f} B", bytes);
    if (size < 1e6) return with_unit(bytes / 1e3, "kB");
    if (size < 1e9) return with_unit(bytes / 1e6, "MB");
    return with_unit(bytes / 1e9, "GB");
}

std::string as_json(const std::string& text) {
    std::string quoted = "\"";
    for (char const c : text) {
        if (c == '"' || c == '\\')
            quoted += {'\\', c};
        else if (static_cast<unsigned char>(c) < ' ')
            quoted += fmt::format("\\u{:04x}", c);
        else
            quoted += c;
    }
    return quoted + '"';
}

}  // namespace wsio::bench
