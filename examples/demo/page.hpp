#pragma once

#include <string_view>

namespace demo {

/// Gives the page: page.html with page.css and the scripts put in, embedded by embed.cmake.
[[nodiscard]] std::string_view page() noexcept;

}  // namespace demo
