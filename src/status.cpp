#include <wsio/status.hpp>

#include <fmt/format.h>

namespace wsio {

std::string status::to_string() const {
    if (by == ended_by::nobody) return "not ended";
    auto line = fmt::format("{} {}, ended by the {}", to_number(code), wsio::to_string(code), wsio::to_string(by));
    if (!reason.empty()) line += fmt::format(", reason \"{}\"", reason);
    if (!cause.empty()) line += fmt::format(": {}", cause);
    return line;
}

}  // namespace wsio
