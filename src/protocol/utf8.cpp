#include "protocol/utf8.hpp"

#include <simdjson.h>

#include <cstddef>
#include <cstring>

namespace wsio::protocol {
namespace {

using byte = unsigned char;

/// From this size on vector instructions are faster whatever the text is. Below it, skipping ASCII by words is.
constexpr std::size_t long_text = 384;

/// What follows the leading ASCII of a shorter text is left to vector instructions from this size on. Starting them
/// takes as long as reading 24 bytes of Chinese or 100 bytes of German character by character.
constexpr std::size_t long_rest = 48;

/// What the first byte of a character says about the rest of it.
struct sequence {
    std::uint8_t following;  ///< Bytes after the first; only meaningful if `low` is not 0.
    std::uint8_t low;        ///< Bounds of the second byte; 0 if the first byte can begin nothing.
    std::uint8_t high;
};

/// The syntax of RFC 3629 4, by the first byte. The bounds of the second byte are what keeps out overlong forms
/// (E0, F0), surrogates (ED) and code points over U+10FFFF (F4).
constexpr sequence sequence_of(byte first) noexcept {
    if (first < 0xC2) return {0, 0, 0};  // a continuation byte, or overlong (C0, C1); ASCII never comes here
    if (first < 0xE0) return {1, 0x80, 0xBF};
    if (first == 0xE0) return {2, 0xA0, 0xBF};
    if (first == 0xED) return {2, 0x80, 0x9F};
    if (first < 0xF0) return {2, 0x80, 0xBF};
    if (first == 0xF0) return {3, 0x90, 0xBF};
    if (first < 0xF4) return {3, 0x80, 0xBF};
    if (first == 0xF4) return {3, 0x80, 0x8F};
    return {0, 0, 0};
}

/// The bytes at one place: a whole character, or a maximal subpart of one that is not valid (at least one byte).
struct character {
    std::size_t size;
    bool valid;
};

/// Reads the non-ASCII character at `at`, which must be before `end`.
character read_character(const byte* at, const byte* end) noexcept {
    auto const expected = sequence_of(*at);
    if (expected.low == 0) return {1, false};
    byte low = expected.low;
    byte high = expected.high;
    auto const available = static_cast<std::size_t>(end - at);
    for (std::size_t i = 1; i <= expected.following; ++i) {
        if (i == available || at[i] < low || at[i] > high) return {i, false};
        low = 0x80;
        high = 0xBF;
    }
    return {expected.following + std::size_t{1}, true};
}

template <class Word>
bool is_ascii(const byte* at) noexcept {
    Word word;
    std::memcpy(&word, at, sizeof word);
    return (word & static_cast<Word>(0x8080808080808080)) == 0;
}

/// Gives the first byte in [at, end) that is not ASCII, or `end`.
const byte* skip_ascii(const byte* at, const byte* end) noexcept {
    while (end - at >= 16 && is_ascii<std::uint64_t>(at) && is_ascii<std::uint64_t>(at + 8)) at += 16;
    if (end - at >= 8 && is_ascii<std::uint64_t>(at)) at += 8;
    if (end - at >= 4 && is_ascii<std::uint32_t>(at)) at += 4;
    while (at != end && *at < 0x80) ++at;
    return at;
}

/// Validates character by character. `at` must be before `end`, and the byte there not ASCII.
bool valid_characters(const byte* at, const byte* end) noexcept {
    for (; at != end; at = skip_ascii(at, end)) {
        // Text in most scripts comes in runs of non-ASCII characters: stay here until the run ends.
        do {
            auto const next = read_character(at, end);
            if (!next.valid) return false;
            at += next.size;
        } while (at != end && *at >= 0x80);
    }
    return true;
}

}  // namespace

std::size_t size_of_whole_characters(std::string_view text) noexcept {
    for (std::size_t back = 1; back <= 3 && back <= text.size(); ++back) {
        auto const found = static_cast<byte>(text[text.size() - back]);
        if (found < 0x80) break;
        if (found < 0xC0) continue;
        // An invalid first byte is not held back: it is for the bulk validation to find.
        return sequence_of(found).following >= back ? text.size() - back : text.size();
    }
    return text.size();
}

bool valid_utf8(std::string_view text) noexcept {
    if (text.size() >= long_text) return simdjson::validate_utf8(text);
    auto const* const begin = reinterpret_cast<const byte*>(text.data());
    auto const* const end = begin + text.size();
    auto const* const rest = skip_ascii(begin, end);
    if (rest == end) return true;
    text.remove_prefix(static_cast<std::size_t>(rest - begin));
    return text.size() >= long_rest ? simdjson::validate_utf8(text) : valid_characters(rest, end);
}

void replace_invalid_utf8(std::string_view text, byte_buffer& out) {
    constexpr std::string_view replacement = "\xEF\xBF\xBD";  // U+FFFD
    auto const* at = reinterpret_cast<const byte*>(text.data());
    auto const* const end = at + text.size();
    auto const* valid_from = at;
    auto const flush = [&] {
        out.append({reinterpret_cast<const char*>(valid_from), static_cast<std::size_t>(at - valid_from)});
    };
    while ((at = skip_ascii(at, end)) != end) {
        auto const next = read_character(at, end);
        if (!next.valid) {
            flush();
            out.append(replacement);
            valid_from = at + next.size;
        }
        at += next.size;
    }
    flush();
}

bool utf8_validator::feed(std::string_view piece) noexcept {
    while (missing_ != 0 && !piece.empty()) {
        if (!feed_byte(static_cast<byte>(piece.front()))) return false;
        piece.remove_prefix(1);
    }
    auto const whole = size_of_whole_characters(piece);
    if (!valid_utf8(piece.substr(0, whole))) return false;
    for (char const left : piece.substr(whole))
        if (!feed_byte(static_cast<byte>(left))) return false;
    return true;
}

bool utf8_validator::feed_byte(byte next) noexcept {
    if (missing_ == 0) {
        auto const expected = sequence_of(next);
        missing_ = expected.following;
        low_ = expected.low;
        high_ = expected.high;
        return low_ != 0;
    }
    if (next < low_ || next > high_) return false;
    --missing_;
    low_ = 0x80;
    high_ = 0xBF;
    return true;
}

}  // namespace wsio::protocol
