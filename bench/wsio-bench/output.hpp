#pragma once

#include <string_view>

// What a program prints, and where.

namespace wsio::bench {

/// Opens /dev/null in the place of standard input, output and error where they are closed: the next socket would get their
/// number, and what is printed would go to a server. To be called before anything else is opened.
void open_closed_standard_files() noexcept;

/// Writes to standard output, and waits while it has no room. False when nobody reads it any more. Throws `failure` (system)
/// when it cannot be written for any other reason.
bool print(std::string_view text);

/// Writes one line to standard error, so that a terminal only shows it. When that fails there is nobody to tell.
void tell(std::string_view line);

}  // namespace wsio::bench
