#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>

// UTF-8 once more, slowly and in another way than in the library, to test the library against.

namespace wsio::protocol::test {

/// Decodes by arithmetic, not by table: another way than the code under test.
inline bool reference(const std::string& text) {
    for (std::size_t i = 0; i < text.size();) {
        auto const at = [&](std::size_t n) { return n < text.size() ? static_cast<unsigned char>(text[n]) : 0U; };
        unsigned const first = at(i);
        std::size_t const size = first < 0x80       ? 1
                                 : first >> 5 == 6  ? 2
                                 : first >> 4 == 14 ? 3
                                 : first >> 3 == 30 ? 4
                                                    : 0;
        if (size == 0) return false;
        std::uint32_t code = size == 1 ? first : first & (0x7FU >> size);
        for (std::size_t n = 1; n < size; ++n) {
            if (at(i + n) >> 6 != 2) return false;
            code = code << 6 | (at(i + n) & 0x3F);
        }
        constexpr std::uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
        if (code < least[size] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return false;
        i += size;
    }
    return true;
}

/// Tells by trying whether some continuation of at most three bytes makes `text` valid.
inline bool can_become_valid(const std::string& text) {
    static const std::array<std::string, 13> endings{
        "",         "\x80",     "\xBF",         "\x90",         "\xA0",         "\x80\x80",    "\x90\x80",
        "\xA0\x80", "\xBF\xBF", "\x80\x80\x80", "\x90\x80\x80", "\xA0\x80\x80", "\xBF\xBF\xBF"};
    for (auto const& ending : endings)
        if (reference(text + ending)) return true;
    return false;
}

/// Gives the number of bytes after which no continuation makes `text` valid, or 0 if one always does.
inline std::size_t fatal_after(const std::string& text) {
    std::size_t at = 0;
    while (at < text.size()) {
        std::size_t size = 1;
        while (size <= 4 && !reference(text.substr(at, size))) ++size;
        if (size > 4) break;
        at += size;
    }
    for (std::size_t size = 1; size <= 4 && at + size <= text.size(); ++size)
        if (!can_become_valid(text.substr(at, size))) return at + size;
    return 0;
}

/// Every bound of the syntax, and its neighbours.
inline constexpr std::array<unsigned char, 36> interesting{
    0x00, 0x41, 0x7F, 0x80, 0x81, 0x8F, 0x90, 0x9F, 0xA0, 0xA1, 0xBE, 0xBF, 0xC0, 0xC1, 0xC2, 0xC3, 0xDF, 0xE0,
    0xE1, 0xEC, 0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xF7, 0xF8, 0xFB, 0xFC, 0xFD, 0xFE, 0xFF, 0xBB};

inline std::string bytes_of(std::initializer_list<unsigned> values) {
    std::string bytes;
    for (auto const value : values) bytes.push_back(static_cast<char>(value));
    return bytes;
}

inline std::string encoded(std::uint32_t code) {
    if (code < 0x80) return bytes_of({code});
    if (code < 0x800) return bytes_of({0xC0 | code >> 6, 0x80 | (code & 0x3F)});
    if (code < 0x10000) return bytes_of({0xE0 | code >> 12, 0x80 | (code >> 6 & 0x3F), 0x80 | (code & 0x3F)});
    return bytes_of({0xF0 | code >> 18, 0x80 | (code >> 12 & 0x3F), 0x80 | (code >> 6 & 0x3F), 0x80 | (code & 0x3F)});
}

}  // namespace wsio::protocol::test
