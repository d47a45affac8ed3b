#pragma once

#include <string_view>

#define WSIO_VERSION_MAJOR 0
#define WSIO_VERSION_MINOR 1
#define WSIO_VERSION_PATCH 0

namespace wsio {

/// The version of this library, as "major.minor.patch".
inline constexpr std::string_view version = "0.1.0";

}  // namespace wsio
