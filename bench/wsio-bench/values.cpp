#include "values.hpp"

#include "failure.hpp"

#include <wsio/protocols.hpp>

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <optional>

namespace wsio::bench {
namespace {

/// Reads the number at the front of `text` and moves past it.
std::optional<double> take_number(std::string_view& text) {
    double number = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    if (error != std::errc() || !std::isfinite(number)) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return number;
}

}  // namespace

void option::refuse(std::string_view wanted) const {
    throw failure(exit_code::usage, fmt::format("{} takes {}, not '{}'", name, wanted, value));
}

std::size_t read_count(const option& given, std::size_t least, std::size_t most) {
    std::size_t count = 0;
    auto const* const end = given.value.data() + given.value.size();
    auto const result = std::from_chars(given.value.data(), end, count);
    if (result.ec != std::errc() || result.ptr != end || count < least || count > most)
        given.refuse(fmt::format("a number from {} to {}", least, most));
    return count;
}

std::size_t read_size(const option& given) {
    constexpr std::size_t most = std::size_t{1} << 30;
    auto rest = given.value;
    std::size_t factor = 1;
    if (rest.ends_with('k') || rest.ends_with('K')) factor = 1024;
    if (rest.ends_with('m') || rest.ends_with('M')) factor = 1024 * 1024;
    if (factor != 1) rest.remove_suffix(1);
    std::size_t size = 0;
    auto const result = std::from_chars(rest.data(), rest.data() + rest.size(), size);
    if (result.ec != std::errc() || result.ptr != rest.data() + rest.size() || size > most / factor)
        given.refuse("a number of bytes up to 1024M, such as 16, 64k or 1M");
    return size * factor;
}

nanoseconds read_duration(const option& given) {
    constexpr double longest = 7 * 24 * 3600;
    auto rest = given.value;
    auto const number = take_number(rest);
    auto const unit = rest == "ms" ? 0.001 : rest == "m" ? 60.0 : rest.empty() || rest == "s" ? 1.0 : 0.0;
    if (!number || *number < 0 || unit == 0 || *number * unit > longest)
        given.refuse("a time, such as 10, 0.5, 500ms or 2m");
    return static_cast<nanoseconds>(*number * unit * static_cast<double>(second));
}

std::chrono::milliseconds read_milliseconds(const option& given) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::nanoseconds(read_duration(given)));
}

double read_rate(const option& given) {
    auto rest = given.value;
    auto const number = take_number(rest);
    if (!number || !rest.empty() || *number <= 0 || *number > 1e9) given.refuse("messages a second, such as 5000");
    return *number;
}

protocol_version read_protocol(const option& given) {
    auto const name =
        given.value == "75" || given.value == "76" ? "hixie-" + std::string(given.value) : std::string(given.value);
    if (auto const version = protocols.find(name)) return *version;
    given.refuse("13, 8, 7, 76 or 75");
}

field read_header(const option& given) {
    auto const colon = given.value.find(':');
    if (colon == 0 || colon == std::string_view::npos || given.value.find_first_of("\r\n") != std::string_view::npos)
        given.refuse("a header field, such as 'Origin: http://example.com'");
    auto value = given.value.substr(colon + 1);
    value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
    return {given.value.substr(0, colon), value};
}

}  // namespace wsio::bench
