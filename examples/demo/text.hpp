#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace demo {

/// Makes a text fit to be shown to others: gives valid UTF-8 without control characters and without characters that
/// change the direction of writing, blanks joined to one space, cut to `limit` characters (then it ends in "…").
/// `text` may be any bytes, such as the query of a request.
[[nodiscard]] std::string clean(std::string_view text, std::size_t limit);

}  // namespace demo
