#include "handshake/authority.hpp"
#include "handshake/http_grammar.hpp"
#include "handshake/keys.hpp"
#include "handshake/negotiation.hpp"

#include <algorithm>

namespace wsio::handshake {
namespace {

/// Gives the URL that a hixie client compares with its own (hixie-76 5.2). Such clients send Host as it stands there,
/// in lower case and without the default port, so it is taken over as it came.
std::string location(const request& request) {
    std::string url = request.secure() ? "wss://" : "ws://";
    url += request.header("Host");
    url += origin_form(request.target()).value_or("/");
    return url;
}

std::string_view status_line(protocol_version version) noexcept {
    switch (version) {
        // A draft-75 client compares the first 85 bytes of the response one by one, these words among them.
        case protocol_version::hixie_75: return "HTTP/1.1 101 Web Socket Protocol Handshake\r\n";
        case protocol_version::hixie_76: return "HTTP/1.1 101 WebSocket Protocol Handshake\r\n";
        default: return "HTTP/1.1 101 Switching Protocols\r\n";
    }
}

/// Tells whether a field is one that the client checks, or one that a 101 must not have (RFC 9110 8.6, RFC 9112 6.1).
bool is_of_handshake(std::string_view name) noexcept {
    constexpr std::string_view older = "WebSocket-";
    constexpr std::string_view newer = "Sec-WebSocket-";
    return is_framing(name) || equal_without_case(name, "Upgrade") ||
           equal_without_case(name.substr(0, older.size()), older) ||
           equal_without_case(name.substr(0, newer.size()), newer);
}

}  // namespace

std::string_view choose_subprotocol(const offer& offer, const std::vector<std::string>& supported) noexcept {
    for (auto const& name : supported)
        if (std::find(offer.subprotocols.begin(), offer.subprotocols.end(), name) != offer.subprotocols.end())
            return name;
    return {};
}

headers accept_fields(const offer& offer, const request& request, std::string_view subprotocol) {
    headers fields;
    // Hixie clients compare this value with its case (hixie-76 4.1), in this order on draft 75.
    fields.add("Upgrade", is_hybi(offer.version) ? "websocket" : "WebSocket");
    fields.add("Connection", "Upgrade");
    if (is_hybi(offer.version)) {
        fields.add("Sec-WebSocket-Accept", accept_key(offer.key));
        if (!subprotocol.empty()) fields.add("Sec-WebSocket-Protocol", subprotocol);
        return fields;
    }
    bool const is_75 = offer.version == protocol_version::hixie_75;
    fields.add(is_75 ? "WebSocket-Origin" : "Sec-WebSocket-Origin", offer.origin);
    fields.add(is_75 ? "WebSocket-Location" : "Sec-WebSocket-Location", location(request));
    if (!subprotocol.empty()) fields.add(is_75 ? "WebSocket-Protocol" : "Sec-WebSocket-Protocol", subprotocol);
    return fields;
}

std::string accept_head(protocol_version version, const headers& fields, const headers& further) {
    std::string head;
    head.reserve(256);
    head += status_line(version);
    for (auto const& [name, value] : fields) head.append(name).append(": ").append(value).append("\r\n");
    for (auto const& [name, value] : further)
        if (!is_of_handshake(name)) head.append(name).append(": ").append(value).append("\r\n");
    head += "\r\n";
    return head;
}

}  // namespace wsio::handshake
