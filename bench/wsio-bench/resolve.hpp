#pragma once

#include "url.hpp"
#include "workbench.hpp"

#include <cstddef>

namespace wsio::bench {

/// Finds the address of a server. Throws `failure` (no_connection) when its name is not known.
[[nodiscard]] address resolve(const url& target);

/// Lets this process have that many connections at once. Throws `failure` (system) when the machine does not allow it.
void allow_open_files(std::size_t connections);

}  // namespace wsio::bench
