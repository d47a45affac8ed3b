#pragma once

#include "result.hpp"
#include "settings.hpp"

#include <string>

namespace wsio::bench {

/// Writes a result for people.
[[nodiscard]] std::string as_text(const settings& wanted, const result& measured);

/// Writes a result as one JSON object. Its fields are described in docs/wsio-bench.md.
[[nodiscard]] std::string as_json(const settings& wanted, const result& measured);

}  // namespace wsio::bench
