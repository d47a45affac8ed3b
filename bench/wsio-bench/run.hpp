#pragma once

#include "result.hpp"
#include "settings.hpp"

namespace wsio::bench {

/// Measures what the settings ask for. Ctrl-C ends the measurement early. Throws `failure`.
[[nodiscard]] result run(const settings& wanted);

}  // namespace wsio::bench
