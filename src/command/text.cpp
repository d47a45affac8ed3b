#include "text.hpp"

#include <wsio/fmt.hpp>

#include <fmt/format.h>

namespace wsio::command {
namespace {

int value_of(char digit) noexcept {
    if (digit >= '0' && digit <= '9') return digit - '0';
    if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
    return -1;
}

}  // namespace

std::string to_hex(std::string_view bytes, std::string_view between) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (unsigned char const byte : bytes) {
        if (!text.empty()) text += between;
        text += digits[byte >> 4];
        text += digits[byte & 15];
    }
    return text;
}

std::optional<std::string> from_hex(std::string_view digits) {
    std::string bytes;
    while (!digits.empty()) {
        if (digits.front() == ' ') {
            digits.remove_prefix(1);
            continue;
        }
        if (digits.size() < 2) return std::nullopt;
        int const high = value_of(digits[0]);
        int const low = value_of(digits[1]);
        if (high < 0 || low < 0) return std::nullopt;
        bytes += static_cast<char>(high * 16 + low);
        digits.remove_prefix(2);
    }
    return bytes;
}

std::string describe_ending(const status& how) {
    if (how.by != ended_by::application && how.by != ended_by::peer)
        return "ended: " + without_controls(fmt::format("{}", how));
    auto text = fmt::format("closed{}: {}", how.by == ended_by::peer ? " by the server" : "", how.code);
    if (!how.reason.empty()) text += fmt::format(" \"{}\"", without_controls(how.reason));
    return text;
}

std::string_view without_library(std::string_view what) noexcept {
    constexpr std::string_view library = "wsio: ";
    if (what.starts_with(library)) what.remove_prefix(library.size());
    return what;
}

std::string message_of(const connect_error& error) { return without_controls(without_library(error.what())); }

}  // namespace wsio::command
