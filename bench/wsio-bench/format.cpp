#include "format.hpp"

#include "protocol/utf8.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstddef>
#include <string_view>

namespace wsio::bench {
namespace {

/// Writes a number with about three digits.
std::string with_unit(double number, std::string_view unit) {
    int const decimals = number < 10 ? 2 : number < 100 ? 1 : 0;
    return fmt::format("{:.{}f} {}", number, decimals, unit);
}

/// Takes the character that a text begins with; one byte when that is no UTF-8.
std::string_view take_piece(std::string_view& text) noexcept {
    auto const first = static_cast<unsigned char>(text.front());
    std::size_t const size = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    auto const piece = text.substr(0, size <= text.size() && is_utf8(text.substr(0, size)) ? size : 1);
    text.remove_prefix(piece.size());
    return piece;
}

/// Tells whether a character is a command to a terminal: U+0080 to U+009F, C2 80 to C2 9F in UTF-8, are as well.
bool is_control(std::string_view character) noexcept {
    auto const last = static_cast<unsigned char>(character.back());
    if (character.size() == 1) return last < 0x20 || last == 0x7F;
    return character.size() == 2 && character.front() == '\xC2' && last < 0xA0;
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

std::string as_json(std::string_view text) {
    std::string quoted = "\"";
    while (!text.empty()) {
        auto const piece = take_piece(text);
        if (!is_utf8(piece))
            quoted += "\\ufffd";
        else if (is_control(piece))
            quoted += fmt::format("\\u{:04x}", static_cast<unsigned char>(piece.back()));
        else if (piece == "\"" || piece == "\\")
            (quoted += '\\') += piece;
        else
            quoted += piece;
    }
    return quoted + '"';
}

std::string without_controls(std::string_view text) {
    std::string shown;
    while (!text.empty()) {
        auto const piece = take_piece(text);
        bool const stays = piece == "\n" || piece == "\t" || (is_utf8(piece) && !is_control(piece));
        if (stays)
            shown += piece;
        else
            shown += fmt::format("\\x{:02x}", static_cast<unsigned char>(piece.back()));
    }
    return shown;
}

bool is_utf8(std::string_view text) noexcept { return protocol::valid_utf8(text); }

}  // namespace wsio::bench
