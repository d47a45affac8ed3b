#include "text.hpp"

namespace demo {

namespace {

constexpr char32_t invalid = 0xFFFFFFFF;

// Takes one character off the front; `invalid` for one byte that is not UTF-8 (RFC 3629 4).
char32_t take_character(std::string_view& text) {
    auto const byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
    auto const first = byte(0);
    auto const size = first < 0x80 ? 1U : first < 0xE0 ? 2U : first < 0xF0 ? 3U : 4U;
    auto character = char32_t{first};
    auto valid = first < 0x80 || (first >= 0xC2 && first <= 0xF4 && text.size() >= size);
    if (valid && size > 1) {
        character &= 0x7FU >> size;
        for (auto at = 1U; at < size; ++at) {
            valid = valid && (byte(at) & 0xC0U) == 0x80;
            character = (character << 6U) | (byte(at) & 0x3FU);
        }
        valid = valid && !(size == 3 && character < 0x800) && !(size == 4 && character < 0x10000) &&
                !(character >= 0xD800 && character <= 0xDFFF) && character <= 0x10FFFF;
    }
    text.remove_prefix(valid ? size : 1);
    return valid ? character : invalid;
}

bool is_blank(char32_t c) { return c <= ' ' || c == 0xA0 || c == 0x3000; }

bool is_hidden(char32_t c) {
    return c == invalid || (c >= 0x7F && c < 0xA0) ||                       // a terminal would obey C1 controls
           (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) ||  // directions
           c == 0x2028 || c == 0x2029 || c == 0xFEFF;
}

}  // namespace

std::string clean(std::string_view text, std::size_t limit) {
    auto result = std::string();
    auto characters = std::size_t{0};
    auto blank = false;
    while (!text.empty()) {
        auto const rest = text;
        auto const character = take_character(text);
        if (is_hidden(character)) continue;
        if (is_blank(character)) {
            blank = !result.empty();
            continue;
        }
        if (++characters + (blank ? 1 : 0) > limit) return result + "…";
        if (blank) ++characters, result += ' ';
        blank = false;
        result += rest.substr(0, rest.size() - text.size());
    }
    return result;
}

}  // namespace demo
