#include <wsio/protocols.hpp>

#include "protocol/hixie.hpp"
#include "protocol/hybi.hpp"

namespace wsio {
namespace {

// Made before any code runs, so that the table can be used while other globals are made.
constinit const protocol::hixie_strategy hixie_75{protocol_version::hixie_75};
constinit const protocol::hixie_strategy hixie_76{protocol_version::hixie_76};
constinit const protocol::hybi_strategy hybi_7{protocol_version::hybi_7};
constinit const protocol::hybi_strategy hybi_8{protocol_version::hybi_8};
constinit const protocol::hybi_strategy hybi_13{protocol_version::hybi_13};

}  // namespace

const protocol::strategy& protocol_table::operator[](protocol_version version) const noexcept {
    switch (version) {
        case protocol_version::hixie_75: return hixie_75;
        case protocol_version::hixie_76: return hixie_76;
        case protocol_version::hybi_7: return hybi_7;
        case protocol_version::hybi_8: return hybi_8;
        case protocol_version::hybi_13: break;
    }
    return hybi_13;
}

std::optional<protocol_version> protocol_table::find(std::string_view name) const noexcept {
    for (auto const version : all_protocol_versions)
        if (name == to_string(version)) return version;
    if (name == "hybi-00") return protocol_version::hixie_76;  // the same on the wire
    if (name == "7") return protocol_version::hybi_7;
    if (name == "8") return protocol_version::hybi_8;
    if (name == "13") return protocol_version::hybi_13;
    return std::nullopt;
}

}  // namespace wsio
