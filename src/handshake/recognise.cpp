#include "handshake/authority.hpp"
#include "handshake/http_grammar.hpp"
#include "handshake/keys.hpp"
#include "handshake/negotiation.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace wsio::handshake {
namespace {

using problem = std::optional<rejection>;

rejection bad(std::string reason) { return {400, std::move(reason)}; }

/// Refuses a field that is missing or comes twice.
problem check_once(const headers& fields, std::string_view name) {
    auto const count = fields.count(name);
    if (count == 1) return std::nullopt;
    return bad("the " + std::string(name) +
               (count == 0 ? " field is missing; send exactly one" : " field came more than once; send exactly one"));
}

problem check_at_most_once(const headers& fields, std::string_view name) {
    return fields.contains(name) ? check_once(fields, name) : std::nullopt;
}

/// Checks the Upgrade field: a list from RFC 6455 4.2.1 on (RFC 9110 7.8), one value in the hixie drafts.
problem check_upgrade_field(const headers& fields) {
    if (!fields.contains("Sec-WebSocket-Version")) {
        if (auto twice = check_once(fields, "Upgrade")) return twice;
        if (equal_without_case(fields["Upgrade"], "websocket")) return std::nullopt;
        return bad("the Upgrade field must be \"websocket\" and nothing else");
    }
    if (list_contains(fields, "Upgrade", "websocket")) return std::nullopt;
    return bad("the Upgrade field is missing or does not contain \"websocket\"");
}

/// Checks what every version wants (RFC 6455 4.2.1, hixie-76 5.1).
problem check_upgrade(const request& request) {
    auto const& fields = request.headers();
    if (request.method() != "GET") {
        rejection refused{405, "a WebSocket handshake must be a GET request"};
        refused.fields.add("Allow", "GET");
        return refused;
    }
    if (auto wrong = check_upgrade_field(fields)) return wrong;
    if (!list_contains(fields, "Connection", "upgrade")) return bad("the Connection field must contain \"Upgrade\"");
    if (auto const text = host_problem(request); !text.empty()) return bad(std::string(text));
    if (fields["Host"].empty()) return bad("the Host field is missing or empty; send the host that you connect to");
    if (!origin_form(request.target())) return bad("the request target must be a path that begins with a slash");
    return std::nullopt;
}

struct numbered_version {
    std::string_view number;
    protocol_version version;
};

constexpr std::array hybi_versions{
    numbered_version{"13", protocol_version::hybi_13},
    numbered_version{"8", protocol_version::hybi_8},
    numbered_version{"7", protocol_version::hybi_7},
};

/// Writes "13, 8, 7", as far as these are enabled.
std::string hybi_list(protocol_set enabled) {
    std::string list;
    for (auto const& [number, version] : hybi_versions) {
        if (!enabled.contains(version)) continue;
        if (!list.empty()) list += ", ";
        list += number;
    }
    return list;
}

/// Answers a version that is not spoken with those that are (RFC 6455 4.2.2, 4.4; RFC 9110 15.5.22).
rejection upgrade_required(protocol_set enabled) {
    auto const list = hybi_list(enabled);
    if (list.empty()) return bad("every version that uses Sec-WebSocket-Version is switched off on this server");
    rejection refused{426, "this Sec-WebSocket-Version is not supported; use one of: " + list};
    refused.fields.add("Upgrade", "websocket");
    refused.fields.add("Sec-WebSocket-Version", list);
    return refused;
}

rejection switched_off(protocol_version version) {
    return bad("the protocol version " + std::string(to_string(version)) +
               " is switched off on this server; use Sec-WebSocket-Version: 13");
}

std::variant<protocol_version, rejection> hybi_version(const headers& fields, protocol_set enabled) {
    if (auto twice = check_once(fields, "Sec-WebSocket-Version")) return *twice;
    auto const number = fields["Sec-WebSocket-Version"];
    // No sign and no leading zero (RFC 6455 4.3): parsers that let "+13" or "013" through disagree on what it means.
    if (number.empty() || !std::all_of(number.begin(), number.end(), is_digit) ||
        (number.size() > 1 && number.front() == '0'))
        return bad("the Sec-WebSocket-Version field must be one plain number, such as 13");
    for (auto const& [known, version] : hybi_versions)
        if (number == known && enabled.contains(version)) return version;
    return upgrade_required(enabled);
}

std::variant<protocol_version, rejection> hixie_version(const headers& fields, protocol_set enabled) {
    bool const has_draft = fields.contains("Sec-WebSocket-Draft");
    if (has_draft && (fields.count("Sec-WebSocket-Draft") > 1 || fields["Sec-WebSocket-Draft"] != "0"))
        return bad("this Sec-WebSocket-Draft is not supported; use Sec-WebSocket-Version: 13");

    // A draft-76 request that lost its keys must not fall through to draft 75, which checks nothing.
    if (has_draft || fields.contains("Sec-WebSocket-Key1") || fields.contains("Sec-WebSocket-Key2")) {
        for (auto name : {"Sec-WebSocket-Key1", "Sec-WebSocket-Key2"})
            if (auto wrong = check_once(fields, name)) return *wrong;
        if (!enabled.contains(protocol_version::hixie_76)) return switched_off(protocol_version::hixie_76);
        return protocol_version::hixie_76;
    }
    // A draft-75 client sends exactly these values (pywebsocket and Go compare them so); anything else is a newer
    // handshake whose fields are missing.
    if (fields["Upgrade"] != "WebSocket" || fields["Connection"] != "Upgrade")
        return bad("the Sec-WebSocket-Version and Sec-WebSocket-Key fields are missing; send both");
    if (!enabled.contains(protocol_version::hixie_75)) return switched_off(protocol_version::hixie_75);
    return protocol_version::hixie_75;
}

/// Finds the version in the order that lets no malformed newer request pass as an older one.
std::variant<protocol_version, rejection> find_version(const headers& fields, protocol_set enabled) {
    if (fields.contains("Sec-WebSocket-Version")) return hybi_version(fields, enabled);
    if (fields.contains("Sec-WebSocket-Key"))
        return bad("Sec-WebSocket-Key came without Sec-WebSocket-Version; send Sec-WebSocket-Version: 13 as well");
    return hixie_version(fields, enabled);
}

/// Refuses a body, whose bytes would be taken for frames. On hixie-76 the 8 bytes of key are no body, though some
/// clients (Perl's, Netty's) declare them with Content-Length; so the field is ignored there.
problem check_no_body(const headers& fields, protocol_version version) {
    if (fields.contains("Transfer-Encoding"))
        return bad("a WebSocket handshake has no body; leave out the Transfer-Encoding field");
    if (version == protocol_version::hixie_76) return std::nullopt;
    for (auto const& [name, value] : fields)
        if (equal_without_case(name, "Content-Length") && value.find_first_not_of('0') != std::string_view::npos)
            return bad("a WebSocket handshake has no body; leave out the Content-Length field");
    return std::nullopt;
}

/// Splits a list of subprotocols into names that satisfy `valid` and occur once (RFC 6455 4.1).
problem read_subprotocols(std::string_view list, char separator, bool (*valid)(std::string_view), offer& offer) {
    auto const before = offer.subprotocols.size();
    while (!list.empty()) {
        auto const name = trimmed(take_element(list, separator));
        // Several spaces in a row are one separator; and a list with commas may have empty elements (RFC 9110 5.6.1.2).
        if (name.empty()) continue;
        if (!valid(name))
            return bad(separator == ',' ? "the list of subprotocols is malformed; each name must be an HTTP token"
                                        : "the list of subprotocols is malformed; names are visible ASCII characters");
        offer.subprotocols.push_back(name);
    }
    if (offer.subprotocols.size() == before)
        return bad("the list of subprotocols is empty; leave the field out or name one");
    return std::nullopt;
}

problem check_unique(std::vector<std::string_view> names) {
    std::sort(names.begin(), names.end());  // a head has room for thousands of names
    if (std::adjacent_find(names.begin(), names.end()) == names.end()) return std::nullopt;
    return bad("the list of subprotocols names one of them twice");
}

/// Reads the origin from the field that this version uses. Drafts 11 and 12, which also say 8, had renamed it, and a 7
/// that says `Origin` must not slip past the check either.
problem read_origin(const headers& fields, offer& offer) {
    for (auto name : {"Origin", "Sec-WebSocket-Origin"})
        if (auto twice = check_at_most_once(fields, name)) return twice;

    bool const older = offer.version == protocol_version::hybi_7 || offer.version == protocol_version::hybi_8;
    auto origin = fields.find(older ? "Sec-WebSocket-Origin" : "Origin");
    if (!origin && older) origin = fields.find("Origin");
    offer.has_origin = origin.has_value();
    offer.origin = origin.value_or(std::string_view());
    return std::nullopt;
}

/// Checks an opening handshake of version 7, 8 or 13 (RFC 6455 4.2.1).
problem read_hybi(const headers& fields, offer& offer) {
    if (auto wrong = check_once(fields, "Sec-WebSocket-Key")) return wrong;
    offer.key = fields["Sec-WebSocket-Key"];
    // Strict on 13 only: npm's ws 0.2 to 1.x sends 15 bytes on version 8.
    if (offer.version == protocol_version::hybi_13 && !is_sixteen_bytes(offer.key))
        return bad("the Sec-WebSocket-Key field must be 16 bytes in base64 (24 characters)");
    if (offer.key.empty() || std::any_of(offer.key.begin(), offer.key.end(), is_control))
        return bad("the Sec-WebSocket-Key field is empty or holds a control character");

    for (auto const& [name, value] : fields) {
        if (!equal_without_case(name, "Sec-WebSocket-Protocol")) continue;
        if (auto wrong = read_subprotocols(value, ',', is_token, offer)) return wrong;
    }
    return check_unique(offer.subprotocols);
}

/// Checks what both hixie drafts want: an origin that can be echoed.
problem check_echoed_origin(const offer& offer) {
    if (!offer.has_origin) return bad("the Origin field is missing; the hixie drafts require it");
    if (!is_all_visible(offer.origin)) return bad("the Origin field is empty or holds a space or a control character");
    return std::nullopt;
}

/// Reads Key1 or Key2. Its bytes are spaces and 0x21 to 0x7E (hixie-76 4.1).
problem read_hixie_76_key(const headers& fields, std::string_view name, std::uint32_t& part) {
    auto const key = fields[name];
    auto const number = is_printable(key) ? hixie_76_part(key) : std::nullopt;
    if (!number)
        return bad("the " + std::string(name) +
                   " field is not a valid key: it needs digits that make a number up to "
                   "4294967295, and spaces whose count divides that number");
    part = *number;
    return std::nullopt;
}

/// Computes both parts of the challenge, before anything is sent (hixie-76 5.2).
problem read_hixie_76(const headers& fields, offer& offer) {
    if (auto wrong = check_echoed_origin(offer)) return wrong;
    if (auto wrong = read_hixie_76_key(fields, "Sec-WebSocket-Key1", offer.part_1)) return wrong;
    if (auto wrong = read_hixie_76_key(fields, "Sec-WebSocket-Key2", offer.part_2)) return wrong;
    if (!fields.contains("Sec-WebSocket-Protocol")) return std::nullopt;
    if (auto wrong = check_once(fields, "Sec-WebSocket-Protocol")) return wrong;
    if (auto wrong = read_subprotocols(fields["Sec-WebSocket-Protocol"], ' ', is_all_visible, offer)) return wrong;
    return check_unique(offer.subprotocols);
}

problem read_hixie_75(const headers& fields, offer& offer) {
    if (auto wrong = check_echoed_origin(offer)) return wrong;
    if (!fields.contains("WebSocket-Protocol")) return std::nullopt;
    if (auto wrong = check_once(fields, "WebSocket-Protocol")) return wrong;
    auto const name = fields["WebSocket-Protocol"];
    if (!is_printable(name)) return bad("the WebSocket-Protocol field must be one name of the bytes 0x20 to 0x7E");
    offer.subprotocols.push_back(name);
    return std::nullopt;
}

}  // namespace

bool wants_websocket(const request& request) noexcept {
    auto const& fields = request.headers();
    if (!fields.contains("Upgrade")) return false;
    if (list_contains(fields, "Upgrade", "websocket")) return true;
    return fields.contains("Sec-WebSocket-Key") || fields.contains("Sec-WebSocket-Key1") ||
           fields.contains("Sec-WebSocket-Version");
}

std::variant<offer, rejection> recognise(const request& request, protocol_set enabled) {
    auto const& fields = request.headers();
    if (auto wrong = check_upgrade(request)) return *std::move(wrong);
    auto version = find_version(fields, enabled);
    if (auto* refused = std::get_if<rejection>(&version)) return std::move(*refused);

    offer result;
    result.version = std::get<protocol_version>(version);
    // hixie-76 lets a server ignore the HTTP version; the others do not.
    if (request.http_minor() == 0 && result.version != protocol_version::hixie_76)
        return bad("a WebSocket handshake needs HTTP/1.1");
    if (auto wrong = check_no_body(fields, result.version)) return *std::move(wrong);
    if (auto wrong = read_origin(fields, result)) return *std::move(wrong);

    auto wrong = is_hybi(result.version)                        ? read_hybi(fields, result)
                 : result.version == protocol_version::hixie_76 ? read_hixie_76(fields, result)
                                                                : read_hixie_75(fields, result);
    if (wrong) return *std::move(wrong);
    return result;
}

}  // namespace wsio::handshake
