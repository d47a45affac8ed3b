#pragma once

#include <wsio/headers.hpp>
#include <wsio/protocol_version.hpp>
#include <wsio/request.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "handshake/rejection.hpp"

namespace wsio::handshake {

/// What a valid upgrade request asks for. The views lie in the request.
struct offer {
    protocol_version version = protocol_version::hybi_13;
    std::string_view origin;  ///< From the header field that this version uses; may be empty on hybi.
    bool has_origin = false;  ///< A browser always sends one.
    std::vector<std::string_view> subprotocols;  ///< In the client's order of preference.
    std::string_view key;                        ///< hybi: Sec-WebSocket-Key.
    std::uint32_t part_1 = 0;                    ///< hixie-76: number 1 divided by its spaces.
    std::uint32_t part_2 = 0;                    ///< hixie-76: number 2 divided by its spaces.
};

/// Tells whether a request wants to become a WebSocket connection, well-formed or not: its Upgrade list names
/// "websocket", or it carries a Sec-WebSocket-Key, -Key1 or -Version together with any Upgrade. Everything else is
/// ordinary HTTP.
[[nodiscard]] bool wants_websocket(const request& request) noexcept;

/// Recognises the version and checks every rule of its opening handshake, in PROTOCOLS' order.
[[nodiscard]] std::variant<offer, rejection> recognise(const request& request, protocol_set enabled);

/// How many bytes behind the head belong to the handshake: 8 for hixie-76 (key3), else 0.
[[nodiscard]] constexpr std::size_t nonce_size(protocol_version version) noexcept {
    return version == protocol_version::hixie_76 ? 8 : 0;
}

/// Chooses the first subprotocol of the server's list that the client offers; empty when there is none in common.
[[nodiscard]] std::string_view choose_subprotocol(const offer& offer,
                                                  const std::vector<std::string>& supported) noexcept;

/// Makes the fields of the 101 response, in the order that the version wants: Upgrade, Connection, the accept key or
/// origin and location, and the subprotocol if it is not empty. `request.secure()` decides between ws and wss.
[[nodiscard]] headers accept_fields(const offer& offer, const request& request, std::string_view subprotocol);

/// Writes status line, fields and the empty line of the 101 response. Of `further`, which the application may have had a
/// hand in, come those that are not the handshake's own business: Upgrade, Sec-WebSocket-Accept and the like are in `fields`.
[[nodiscard]] std::string accept_head(protocol_version version, const headers& fields, const headers& further = {});

/// Writes a whole response that ends the connection: status line, Date, the rejection's fields, Connection: close,
/// Content-Type: text/plain, Content-Length and the reason with a newline.
[[nodiscard]] std::string reject_response(const rejection& rejection);

/// Gives the standard reason phrase of a status, or "Unknown".
[[nodiscard]] std::string_view reason_phrase(unsigned status) noexcept;

}  // namespace wsio::handshake
