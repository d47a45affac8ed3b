#include "handshake/client_handshake.hpp"

#include "handshake/extensions.hpp"
#include "handshake/http_grammar.hpp"
#include "handshake/keys.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <utility>
#include <variant>

namespace wsio::handshake {
namespace {

using problem = std::optional<failure>;

constexpr std::size_t challenge_answer_size = 16;

template <typename Number>
Number random_number(client_handshake::randomness random) {
    std::array<std::byte, sizeof(Number)> bytes;
    random(bytes);
    Number number;
    std::memcpy(&number, bytes.data(), sizeof number);
    return number;
}

std::string random_text(client_handshake::randomness random, std::size_t size) {
    std::string text(size, '\0');
    random(std::as_writable_bytes(std::span(text)));
    return text;
}

/// Makes a key whose digits are a multiple of its spaces (hixie-76 4.1 steps 16 to 22).
std::string hixie_key(client_handshake::randomness random) {
    auto const below = [random](std::size_t bound) { return random_number<std::uint32_t>(random) % bound; };
    auto const spaces = 1 + below(12);
    auto const part = random_number<std::uint32_t>(random) / spaces;
    auto key = std::to_string(part * spaces);
    constexpr std::string_view others =
        "!\"#$%&'()*+,-./:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~";
    for (auto left = 1 + below(12); left != 0; --left)
        key.insert(below(key.size() + 1), 1, others[below(others.size())]);
    // Not at an end, where whoever reads the field would trim them.
    for (auto left = spaces; left != 0; --left) key.insert(1 + below(key.size() - 1), 1, ' ');
    return key;
}

std::string shown(const std::optional<std::string_view>& value) {
    return value ? "is \"" + first_line(*value) + '"' : std::string("is missing");
}

/// Compares URLs or origins, in which case counts but for scheme and host.
bool is_same_place(std::string_view a, std::string_view b) {
    if (a.size() != b.size()) return false;
    auto const authority = a.find("://");
    auto const path = authority == std::string_view::npos ? 0 : std::min(a.find('/', authority + 3), a.size());
    return equal_without_case(a.substr(0, path), b.substr(0, path)) && a.substr(path) == b.substr(path);
}

}  // namespace

client_handshake::client_handshake(const wish& wanted, response_limits limits, randomness random)
    : wanted_(wanted), request_("GET", wanted.url.target), reader_(limits) {
    make_request(random);
}

void client_handshake::make_request(randomness random) {
    auto const& host = wanted_.fields.contains("Host") ? wanted_.fields["Host"] : wanted_.url.authority;
    bool const hybi = is_hybi(wanted_.version);
    request_.secure(wanted_.url.secure);
    // The order is that of hixie-75, which prescribes one (3.1).
    add_own("Upgrade", hybi ? "websocket" : "WebSocket");
    add_own("Connection", "Upgrade");
    add_own("Host", host);
    if (hybi)
        add_hybi_fields(random);
    else
        add_hixie_fields(random);
    if (!wanted_.url.credentials.empty() && !wanted_.fields.contains("Authorization"))
        add_own("Authorization", basic_authorization(wanted_.url.credentials));
    for (auto const& [name, value] : wanted_.fields)
        if (!equal_without_case(name, "Host")) add_own(name, value);
}

void client_handshake::add_hybi_fields(randomness random) {
    auto const key = base64(random_text(random, 16));
    expected_ = accept_key(key);
    bool const is_13 = wanted_.version == protocol_version::hybi_13;
    add_own("Sec-WebSocket-Version", to_string(wanted_.version).substr(5));
    add_own("Sec-WebSocket-Key", key);
    // The field had the longer name up to draft 10, which is 8 on the wire.
    if (!wanted_.origin.empty()) add_own(is_13 ? "Origin" : "Sec-WebSocket-Origin", wanted_.origin);
    if (!wanted_.subprotocols.empty()) add_own("Sec-WebSocket-Protocol", subprotocol_list());
    if (is_13 && wanted_.compression.mode != compression_mode::off)
        add_own("Sec-WebSocket-Extensions", offer_deflate(wanted_.compression));
}

void client_handshake::add_hixie_fields(randomness random) {
    bool const is_75 = wanted_.version == protocol_version::hixie_75;
    if (wanted_.origin.empty())
        wanted_.origin = (wanted_.url.secure ? "https://" : "http://") + std::string(request_.header("Host"));
    add_own("Origin", wanted_.origin);
    if (!wanted_.subprotocols.empty())
        add_own(is_75 ? "WebSocket-Protocol" : "Sec-WebSocket-Protocol", subprotocol_list());
    if (is_75) return;
    auto const key_1 = hixie_key(random);
    auto const key_2 = hixie_key(random);
    nonce_ = random_text(random, 8);
    auto const answer = hixie_76_answer(hixie_76_part(key_1).value(), hixie_76_part(key_2).value(), nonce_);
    expected_.assign(answer.data(), answer.size());
    add_own("Sec-WebSocket-Key1", key_1);
    add_own("Sec-WebSocket-Key2", key_2);
}

// A comma list in hybi, a list with spaces in hixie-76 (5.1), one name in hixie-75.
std::string client_handshake::subprotocol_list() const {
    std::string list = wanted_.subprotocols.front();
    if (wanted_.version == protocol_version::hixie_75) return list;
    for (std::size_t i = 1; i < wanted_.subprotocols.size(); ++i)
        (list += is_hybi(wanted_.version) ? ", " : " ") += wanted_.subprotocols[i];
    return list;
}

std::string client_handshake::request_bytes() const {
    auto bytes = "GET " + std::string(request_.target()) + " HTTP/1.1\r\n";
    for (auto const& [name, value] : request_.headers()) bytes.append(name).append(": ").append(value).append("\r\n");
    return bytes + "\r\n" + nonce_;
}

std::size_t client_handshake::put(std::string_view bytes) {
    if (state_ == state::head) {
        switch (reader_.put(bytes)) {
            case response_reader::state::open: return 0;
            case response_reader::state::failed:
                fail({error::bad_answer, reader_.problem() + "; is it a WebSocket server, and is ws or wss right?"});
                return 0;
            case response_reader::state::complete: end_head();
        }
    }
    auto const behind_head = bytes.substr(reader_.head_size());
    if (state_ == state::body && reader_.put_body(behind_head)) refuse();
    return state_ == state::challenge ? finish(behind_head) : 0;
}

void client_handshake::end_head() {
    if (reader_.status() != 101) {
        state_ = state::body;
        return;
    }
    state_ = state::challenge;
    if (auto wrong = check_head()) fail(std::move(*wrong));
}

std::size_t client_handshake::finish(std::string_view behind_head) {
    if (wanted_.version == protocol_version::hixie_76) {
        if (behind_head.size() < challenge_answer_size) return 0;
        if (behind_head.substr(0, challenge_answer_size) != expected_) {
            fail({error::wrong_challenge_answer,
                  "the 16 bytes behind the answer's head do not fit the keys that were sent (hixie-76 4.1); the server "
                  "does not speak this version right"});
            return 0;
        }
    }
    state_ = state::agreed;
    return reader_.head_size() + (wanted_.version == protocol_version::hixie_76 ? challenge_answer_size : 0);
}

void client_handshake::end() {
    if (state_ == state::body) return refuse();
    if (state_ != state::head && state_ != state::challenge) return;
    fail(
        {error::connection_lost,
         "the server ended the connection before its answer was there; perhaps it does not speak this version, or this "
         "is no WebSocket server"});
}

std::optional<std::string_view> client_handshake::redirect() const noexcept {
    constexpr std::array redirecting{301U, 302U, 303U, 307U, 308U};  // RFC 9110 15.4
    bool const redirects = state_ == state::refused &&
                           std::find(redirecting.begin(), redirecting.end(), reader_.status()) != redirecting.end();
    return redirects ? reader_.fields().find("Location") : std::nullopt;
}

void client_handshake::refuse() {
    state_ = state::refused;
    problem_ = {error::unexpected_status, "the server answered " + reader_.to_string()};
    if (auto const versions = reader_.fields().joined("Sec-WebSocket-Version"); !versions.empty())
        problem_.message += "; it speaks version " + versions;
}

void client_handshake::fail(failure why) {
    state_ = state::failed;
    problem_ = std::move(why);
}

problem client_handshake::check_head() {
    if (auto wrong = check_upgrade()) return wrong;
    if (is_hybi(wanted_.version)) {
        if (auto wrong = check_accept_key()) return wrong;
    } else {
        bool const is_75 = wanted_.version == protocol_version::hixie_75;
        auto const url =
            (wanted_.url.secure ? "wss://" : "ws://") + std::string(request_.header("Host")) + wanted_.url.target;
        if (auto wrong = check_echo(is_75 ? "WebSocket-Origin" : "Sec-WebSocket-Origin", wanted_.origin,
                                    error::wrong_origin, false))
            return wrong;
        if (auto wrong =
                check_echo(is_75 ? "WebSocket-Location" : "Sec-WebSocket-Location", url, error::wrong_location, true))
            return wrong;
    }
    if (auto wrong = check_subprotocol()) return wrong;
    return check_extensions();
}

// RFC 6455 4.1; the hixie drafts want "WebSocket" with this case, which tells nothing that "websocket" does not.
problem client_handshake::check_upgrade() const {
    auto const& fields = reader_.fields();
    if (reader_.http_minor() == 0)
        return failure{error::bad_answer, "the server's 101 comes with HTTP/1.0; a WebSocket needs HTTP/1.1"};
    auto const upgrade = fields.find("Upgrade");
    if (!upgrade || fields.count("Upgrade") > 1 || !equal_without_case(*upgrade, "websocket"))
        return failure{error::wrong_upgrade,
                       "the Upgrade field of the server's answer " + shown(upgrade) + ", not \"websocket\" once"};
    if (!list_contains(fields, "Connection", "upgrade"))
        return failure{error::wrong_connection, "the Connection field of the server's answer " +
                                                    shown(fields.find("Connection")) + ", not \"Upgrade\""};
    return std::nullopt;
}

problem client_handshake::check_accept_key() const {
    auto const& fields = reader_.fields();
    auto const key = fields.find("Sec-WebSocket-Accept");
    if (key == expected_ && fields.count("Sec-WebSocket-Accept") == 1) return std::nullopt;
    return failure{error::wrong_accept_key,
                   "the Sec-WebSocket-Accept field of the server's answer " + shown(key) + ", not \"" + expected_ +
                       "\" once (RFC 6455 4.1); a cache or a server that is no WebSocket server may be in between"};
}

/// Checks a field of the hixie drafts that has to come back as it was sent. URLs are compared by their parts: whether a
/// default port is written says nothing.
problem client_handshake::check_echo(std::string_view name, std::string_view sent, error why, bool is_url) const {
    auto const& fields = reader_.fields();
    auto const got = fields.find(name);
    bool same = got && fields.count(name) == 1 && is_same_place(*got, sent);
    if (!same && is_url && got && fields.count(name) == 1) {
        auto const theirs = parse_url(*got);
        auto const ours = parse_url(sent);
        auto const* const a = std::get_if<websocket_url>(&theirs);
        auto const* const b = std::get_if<websocket_url>(&ours);
        same = a != nullptr && b != nullptr && a->to_string() == b->to_string();
    }
    if (same) return std::nullopt;
    return failure{why, "the " + std::string(name) + " field of the server's answer " + shown(got) + ", not \"" +
                            std::string(sent) +
                            "\" once; a proxy in between that changes the Host or ends TLS has to tell the server"};
}

problem client_handshake::check_subprotocol() {
    auto const* const name =
        wanted_.version == protocol_version::hixie_75 ? "WebSocket-Protocol" : "Sec-WebSocket-Protocol";
    auto const& fields = reader_.fields();
    auto const chosen = fields.find(name);
    bool const hybi = is_hybi(wanted_.version);
    if (!chosen) {
        // Only the hixie drafts oblige the server to choose (hixie-76 4.1 step 41).
        if (hybi || wanted_.subprotocols.empty()) return std::nullopt;
        return failure{error::wrong_subprotocol, "the server chose none of the subprotocols that were offered"};
    }
    auto const& offered = wanted_.subprotocols;
    auto const last =
        wanted_.version == protocol_version::hixie_75 && !offered.empty() ? offered.begin() + 1 : offered.end();
    if (fields.count(name) != 1 || std::find(offered.begin(), last, *chosen) == last)
        return failure{error::wrong_subprotocol, "the server chose the subprotocol \"" +
                                                     first_line(fields.joined(name)) + "\", which was not offered"};
    subprotocol_ = *chosen;
    return std::nullopt;
}

problem client_handshake::check_extensions() {
    auto const& fields = reader_.fields();
    if (!is_hybi(wanted_.version) || !fields.contains("Sec-WebSocket-Extensions")) return std::nullopt;
    auto const all = first_line(fields.joined("Sec-WebSocket-Extensions"));
    auto const answered = read_extensions(fields);
    if (!answered)
        return failure{error::wrong_extension,
                       "the Sec-WebSocket-Extensions field of the server's answer is malformed: \"" + all + '"'};
    bool const offered =
        wanted_.version == protocol_version::hybi_13 && wanted_.compression.mode != compression_mode::off;
    if (offered && answered->size() == 1) deflate_ = check_deflate(answered->front(), wanted_.compression);
    if (deflate_) return std::nullopt;
    return failure{error::wrong_extension, "the server uses the extension \"" + all + "\", " +
                                               (offered ? "which does not fit the offer (RFC 7692 7.1)"
                                                        : "though none was offered (RFC 6455 4.1)")};
}

}  // namespace wsio::handshake
