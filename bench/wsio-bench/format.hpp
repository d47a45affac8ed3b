#pragma once

#include <string>
#include <string_view>

namespace wsio::bench {

/// Writes a number without decimals, its thousands parted by commas.
[[nodiscard]] std::string with_commas(double number);

/// Writes a time span in the unit that suits it, such as "312 us" or "1.35 ms".
[[nodiscard]] std::string as_time(double nanoseconds);

/// Writes a number of bytes in the unit that suits it, such as "1472 B" or "6.1 MB" (powers of ten).
[[nodiscard]] std::string as_bytes(double bytes);

/// Writes a text as a JSON string, with escapes for control characters; U+FFFD stands for each byte that is no UTF-8.
[[nodiscard]] std::string as_json(std::string_view text);

/// Writes UTF-8 so that a terminal only shows it: control characters, with which a server could move the cursor or worse,
/// become escapes such as \x1b, and so does each byte that is no UTF-8. Line ends and tabs stay.
[[nodiscard]] std::string without_controls(std::string_view text);

/// Tells whether a text is UTF-8.
[[nodiscard]] bool is_utf8(std::string_view text) noexcept;

}  // namespace wsio::bench
