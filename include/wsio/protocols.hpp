#pragma once

#include <wsio/protocol/strategy.hpp>
#include <wsio/protocol_version.hpp>

#include <optional>
#include <string_view>

namespace wsio {

/// The table from a version to the strategy that speaks it. Usable without any socket:
///
///     auto decoder = wsio::protocols[wsio::protocol_version::hybi_13].make_decoder(wsio::protocol::role::server);
///
/// Thread safety: shared objects safe.
class protocol_table {
public:
    /// Gives the strategy of `version`; it lives as long as the program.
    [[nodiscard]] const protocol::strategy& operator[](protocol_version version) const noexcept;

    /// Finds a version by its name ("hixie-75", "hixie-76", "hybi-00", "hybi-7", "hybi-8", "hybi-13") or by the value of
    /// `Sec-WebSocket-Version` ("7", "8", "13"); nothing for any other text.
    [[nodiscard]] std::optional<protocol_version> find(std::string_view name) const noexcept;

    [[nodiscard]] auto begin() const noexcept { return all_protocol_versions.begin(); }
    [[nodiscard]] auto end() const noexcept { return all_protocol_versions.end(); }
};

/// Every protocol that this library speaks.
inline constexpr protocol_table protocols{};

}  // namespace wsio
