#pragma once

#include <wsio/byte_buffer.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace wsio::protocol {

/// Tells whether `text` is well-formed UTF-8 (RFC 3629 4): no overlong forms, no surrogates, nothing over U+10FFFF.
/// All bulk validation goes through this one function. Long text is validated with the widest vector instructions that
/// the processor has, short text by words and characters.
[[nodiscard]] bool valid_utf8(std::string_view text) noexcept;

/// Gives the size of `text` without the unfinished character that it ends with, if any.
[[nodiscard]] std::size_t size_of_whole_characters(std::string_view text) noexcept;

/// Appends `text` to `out` with U+FFFD in the place of each maximal invalid subpart, the practice of the WHATWG
/// Encoding Standard (and Unicode 3.9, "U+FFFD substitution of maximal subparts"). The result is at most three times as
/// long. `text` must not lie in `out`.
void replace_invalid_utf8(std::string_view text, byte_buffer& out);

/// Validates UTF-8 that comes in pieces cut anywhere, even inside a character.
/// Thread safety: distinct objects safe, shared objects unsafe.
class utf8_validator {
public:
    /// Takes the next piece. Gives false as soon as no continuation could make the text valid; after that the object
    /// must be reset.
    [[nodiscard]] bool feed(std::string_view piece) noexcept;

    /// Tells whether the text so far ends with a whole character.
    [[nodiscard]] bool complete() const noexcept { return missing_ == 0; }

    /// Begins a new text.
    void reset() noexcept { missing_ = 0; }

private:
    bool feed_byte(unsigned char byte) noexcept;

    std::uint8_t missing_ = 0;  ///< Bytes that the last character still lacks.
    std::uint8_t low_ = 0;      ///< The least value that the next of them may have,
    std::uint8_t high_ = 0;     ///< and the greatest.
};

}  // namespace wsio::protocol
