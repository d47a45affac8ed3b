#pragma once

#include <wsio/compression.hpp>
#include <wsio/headers.hpp>

#include "protocol/permessage_deflate.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wsio::handshake {

/// One extension that a client offers (RFC 6455 9.1). The names lie in the request.
struct extension {
    struct parameter {
        std::string_view name;
        std::optional<std::string> value;  ///< Without its quotes.
    };
    std::string_view name;
    std::vector<parameter> parameters;
};

/// Reads all Sec-WebSocket-Extensions fields, which are one list. Gives nothing when one does not conform to the grammar;
/// the handshake has to fail then (RFC 6455 9.1).
[[nodiscard]] std::optional<std::vector<extension>> read_extensions(const headers& fields);
void read_extensions(const headers&& fields) = delete;  // what is read lies in the fields

/// What was agreed on about permessage-deflate, and how the response says it.
struct deflate_agreement {
    protocol::deflate_parameters parameters;
    std::string response;  ///< The value of Sec-WebSocket-Extensions.
};

/// Agrees on permessage-deflate: takes the first offer of it that is valid and can be met (RFC 7692 5.1, 7.1). Gives nothing
/// when there is none, or when `settings` switch compression off.
[[nodiscard]] std::optional<deflate_agreement> accept_deflate(std::span<const extension> offers,
                                                              const compression& settings);

/// Writes a client's offers of permessage-deflate, the preferred one first, for `settings` that do not switch it off.
[[nodiscard]] std::string offer_deflate(const compression& settings);

/// Checks a server's answer to them; nothing when it fits none, in which case the client has to fail the connection (RFC
/// 7692 5.1).
[[nodiscard]] std::optional<protocol::deflate_parameters> check_deflate(const extension& answer,
                                                                        const compression& settings);

}  // namespace wsio::handshake
