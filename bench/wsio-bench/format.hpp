#pragma once

#include <string>

namespace wsio::bench {

/// Writes a number without decimals, its thousands parted by commas.
[[nodiscard]] std::string with_commas(double number);

/// Writes a time span in the unit that suits it, such as "312 us" or "1.35 ms".
[[nodiscard]] std::string as_time(double nanoseconds);

/// Writes a number of bytes in the unit that suits it, such as "1472 B" or "6.1 MB" (powers of ten).
[[nodiscard]] std::string as_bytes(double bytes);

/// Writes a text as a JSON string.
[[nodiscard]] std::string as_json(const std::string& text);

}  // namespace wsio::bench
