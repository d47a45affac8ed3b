#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

// UTF-8 once more, byte by byte and by arithmetic, to check the library against.

namespace wsio::fuzz {

/// Takes text byte by byte and tells at each whether it can still become valid (RFC 3629 3).
class slow_utf8 {
public:
    /// Gives false when no continuation makes the text valid.
    bool feed(unsigned char byte) noexcept {
        if (missing_ == 0) {
            if (byte < 0x80) return true;
            size_ = byte >> 5 == 6 ? 2 : byte >> 4 == 14 ? 3 : byte >> 3 == 30 ? 4 : 0;
            if (size_ == 0) return false;
            code_ = byte & (0x7FU >> size_);
            missing_ = size_ - 1;
        } else {
            if (byte >> 6 != 2) return false;
            code_ = code_ << 6 | (byte & 0x3FU);
            --missing_;
        }
        // All code points that may still come out of this: one of them has to be valid.
        std::uint32_t const least = code_ << 6 * missing_;
        std::uint32_t const most = least | ((1U << 6 * missing_) - 1);
        constexpr std::uint32_t bounds[] = {0, 0, 0x80, 0x800, 0x10000};
        bool const only_surrogates = least >= 0xD800 && most <= 0xDFFF;
        return most >= bounds[size_] && least <= 0x10FFFF && !only_surrogates;
    }

    [[nodiscard]] bool complete() const noexcept { return missing_ == 0; }

private:
    unsigned size_ = 0;
    unsigned missing_ = 0;
    std::uint32_t code_ = 0;
};

inline bool slow_valid(std::string_view text) noexcept {
    slow_utf8 state;
    for (char const c : text)
        if (!state.feed(static_cast<unsigned char>(c))) return false;
    return state.complete();
}

/// Puts U+FFFD in the place of each maximal subpart that is not valid (Unicode 3.9).
inline std::string slow_repaired(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        slow_utf8 state;
        std::size_t size = 0;
        bool valid = false;
        while (size < text.size() && state.feed(static_cast<unsigned char>(text[size]))) {
            ++size;
            if ((valid = state.complete())) break;
        }
        if (valid)
            out += text.substr(0, size);
        else
            out += "\xEF\xBF\xBD";
        text.remove_prefix(size == 0 ? 1 : size);
    }
    return out;
}

}  // namespace wsio::fuzz
