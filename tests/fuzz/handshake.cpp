#include "feed.hpp"
#include "head_tools.hpp"

#include "handshake/extensions.hpp"
#include "handshake/http_grammar.hpp"
#include "handshake/keys.hpp"
#include "handshake/negotiation.hpp"
#include "handshake/origin.hpp"

#include <wsio/protocols.hpp>

#include <openssl/evp.h>
#include <openssl/sha.h>

#include <array>
#include <string>
#include <utility>
#include <variant>
#include <vector>

// Whole handshakes of each version: a good request with a few changes goes through the parser, recognise and the response;
// hixie-76 gets its nonce; then the version's decoder takes what follows.

namespace wsio::fuzz {
namespace {

using handshake::offer;
using handshake::rejection;
using field_list = std::vector<std::pair<std::string, std::string>>;

constexpr std::array names{"Host",
                           "Upgrade",
                           "Connection",
                           "Origin",
                           "Sec-WebSocket-Version",
                           "Sec-WebSocket-Key",
                           "Sec-WebSocket-Key1",
                           "Sec-WebSocket-Key2",
                           "Sec-WebSocket-Origin",
                           "Sec-WebSocket-Protocol",
                           "WebSocket-Protocol",
                           "Sec-WebSocket-Draft",
                           "Sec-WebSocket-Extensions",
                           "Content-Length",
                           "Transfer-Encoding",
                           "Cookie"};
constexpr std::array values{"example.com",
                            "example.com:8080",
                            "[::1]:3000",
                            "LOCALHOST",
                            "websocket",
                            "WebSocket",
                            "Upgrade",
                            "keep-alive, Upgrade",
                            "http://example.com",
                            "https://Example.com:443/",
                            "null",
                            "file://",
                            "13",
                            "8",
                            "7",
                            "0",
                            "013",
                            "dGhlIHNhbXBsZSBub25jZQ==",
                            "4 @1  46546xW%0l 1 5",
                            "12998 5 Y3 1  .P00",
                            "4294967295 ",
                            "99999999999 1",
                            "chat, superchat",
                            "chat,chat",
                            "chat superchat",
                            "permessage-deflate; client_max_window_bits",
                            ""};

field_list good_fields(protocol_version version) {
    if (version == protocol_version::hixie_75)
        return {{"Upgrade", "WebSocket"},
                {"Connection", "Upgrade"},
                {"Host", "example.com"},
                {"Origin", "http://example.com"}};
    if (version == protocol_version::hixie_76)
        return {{"Host", "example.com"},
                {"Connection", "Upgrade"},
                {"Sec-WebSocket-Key2", "12998 5 Y3 1  .P00"},
                {"Upgrade", "WebSocket"},
                {"Sec-WebSocket-Key1", "4 @1  46546xW%0l 1 5"},
                {"Origin", "http://example.com"}};
    auto const number = std::string(to_string(version)).substr(5);
    return {{"Host", "example.com"},
            {"Upgrade", "websocket"},
            {"Connection", "keep-alive, Upgrade"},
            {"Sec-WebSocket-Version", number},
            {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}};
}

std::string value(choices& choose) {
    return choose.byte() % 4 == 0 ? std::string(choose.text(60)) : choose.one_of(values);
}

/// Changes a few fields: drops, replaces, doubles, adds, reorders.
void change(field_list& fields, choices& choose) {
    for (auto count = choose.below(5); count > 0; --count) {
        auto const kind = choose.below(6);
        auto const at = fields.empty() ? 0 : choose.byte() % fields.size();
        auto const here = fields.begin() + static_cast<std::ptrdiff_t>(at);
        if (kind == 0 || fields.empty())
            fields.emplace_back(choose.one_of(names), value(choose));
        else if (kind == 1)
            fields.erase(here);
        else if (kind == 2)
            here->second = value(choose);
        else if (kind == 3)
            fields.push_back(*here);
        else if (kind == 4)
            std::swap(*here, fields.front());
        else
            here->second.insert(choose.byte() % (here->second.size() + 1), choose.text(4));
    }
}

std::string written(std::string_view line, const field_list& fields) {
    std::string head(line);
    head += "\r\n";
    for (auto const& [name, text] : fields) head += name + ": " + text + "\r\n";
    return head + "\r\n";
}

/// What a response says, read with no parser of the library.
struct response {
    std::string status_line;
    field_list fields;
    std::string body;

    [[nodiscard]] std::string operator[](std::string_view name) const {
        for (auto const& [each, text] : fields)
            if (each == name) return text;
        return {};
    }
};

response read_response(std::string_view bytes) {
    response result;
    auto const end = bytes.find("\r\n\r\n");
    expect(end != std::string_view::npos, "a response has a head");
    result.body = bytes.substr(end + 4);
    auto head = bytes.substr(0, end + 2);
    bool first = true;
    while (!head.empty()) {
        auto const line = head.substr(0, head.find("\r\n"));
        head.remove_prefix(line.size() + 2);
        for (char const c : line) expect(!handshake::is_control(c) || c == '\t', "no line of a response can be split");
        auto const colon = line.find(": ");
        expect(first || colon != std::string_view::npos, "a response has fields");
        if (std::exchange(first, false))
            result.status_line = line;
        else
            result.fields.emplace_back(line.substr(0, colon), line.substr(colon + 2));
    }
    return result;
}

std::string base64_sha1(std::string_view text) {
    unsigned char digest[SHA_DIGEST_LENGTH];
    ::SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
    unsigned char encoded[29];
    return {encoded, encoded + ::EVP_EncodeBlock(encoded, digest, sizeof digest)};
}

/// The number in a key of hixie-76, by the words of the draft (5.2, steps 4 to 7).
std::string part_of(std::string_view key) {
    std::string digits;
    std::uint64_t spaces = 0;
    for (char const c : key) {
        if (c >= '0' && c <= '9') digits += c;
        if (c == ' ') ++spaces;
    }
    expect(digits.size() > 0 && spaces > 0, "an accepted key has digits and spaces");
    auto const number = std::stoull(digits);
    expect(number <= 0xFFFFFFFF && number % spaces == 0, "an accepted key is a multiple of its spaces");
    auto const part = number / spaces;
    std::string bytes;
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(part >> shift & 0xFF);
    return bytes;
}

void check_rejection(const rejection& refused) {
    auto const said = read_response(handshake::reject_response(refused));
    expect(said.status_line == "HTTP/1.1 " + std::to_string(refused.status) + ' ' +
                                   std::string(handshake::reason_phrase(refused.status)) &&
               refused.status >= 400 && refused.status < 600,
           "a refusal has an error's status");
    auto const* const ends = refused.fields.contains("Upgrade") ? "close, Upgrade" : "close";
    expect(said["Connection"] == ends && said["Content-Length"] == std::to_string(said.body.size()),
           "a refusal ends the connection and has a length");
    expect(said.body == refused.reason + "\n" && refused.reason.find('\n') == std::string::npos, "a refusal says why");
    expect(refused.status != 426 || !said["Sec-WebSocket-Version"].empty(), "who cannot be served is told what can be");
}

void check_origin(const offer& offered, const request& r) {
    expect(handshake::origin_allowed(offered, r, {"*"}), "any origin is any");
    expect(handshake::origin_allowed(offered, r, {std::string(offered.origin)}),
           "an origin that is listed may connect");
    expect(offered.has_origin || handshake::origin_allowed(offered, r, {"https://other.example"}), "no origin passes");
    if (!offered.has_origin || !handshake::origin_allowed(offered, r, {})) return;
    std::string other(offered.origin);
    other.insert(other.find("://") + 3, "evil.");
    auto const loopback = other.find("localhost") != std::string::npos;
    auto changed = offered;
    changed.origin = other;
    expect(loopback || !handshake::origin_allowed(changed, r, {}), "another host is not the same host");
}

void check_response(const offer& offered, const request& r, std::string_view subprotocol) {
    auto const fields = handshake::accept_fields(offered, r, subprotocol);
    auto const said = read_response(handshake::accept_head(offered.version, fields));
    expect(said.status_line.starts_with("HTTP/1.1 101 ") && said.body.empty(),
           "a handshake is answered with 101 alone");
    expect(said["Connection"] == "Upgrade", "a handshake is answered as RFC 6455 4.2.2 says");
    bool const is_75 = offered.version == protocol_version::hixie_75;
    expect(said[is_75 ? "WebSocket-Protocol" : "Sec-WebSocket-Protocol"] == subprotocol, "the subprotocol is said");
    if (is_hybi(offered.version)) {
        std::string const guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
        expect(said["Upgrade"] == "websocket" &&
                   said["Sec-WebSocket-Accept"] == base64_sha1(std::string(offered.key) + guid),
               "the accept value is the digest of key and GUID");
        return;
    }
    std::string const prefix = is_75 ? "WebSocket-" : "Sec-WebSocket-";
    expect(said["Upgrade"] == "WebSocket" && said[prefix + "Origin"] == r.header("Origin"), "the origin is echoed");
    expect(said[prefix + "Location"].starts_with("ws://" + std::string(r.header("Host")) + '/'),
           "the location is the host's");
}

/// Goes on behind the head: the nonce, then frames. Gives what is left for the frames.
std::string_view check_nonce(const offer& offered, const request& r, std::string_view rest) {
    auto const size = handshake::nonce_size(offered.version);
    if (size == 0) return rest;
    expect(size == 8, "the nonce of hixie-76 has 8 bytes");
    auto const challenge = part_of(r.header("Sec-WebSocket-Key1")) + part_of(r.header("Sec-WebSocket-Key2"));
    auto nonce = std::string(rest.substr(0, 8));
    nonce.resize(8);
    unsigned char digest[16];
    auto const whole = challenge + nonce;
    expect(::EVP_Q_digest(nullptr, "MD5", nullptr, whole.data(), whole.size(), digest, nullptr) == 1, "there is MD5");
    auto const answer = handshake::hixie_76_answer(offered.part_1, offered.part_2, nonce);
    expect(std::equal(answer.begin(), answer.end(), digest, digest + sizeof digest,
                      [](char a, unsigned char b) { return static_cast<unsigned char>(a) == b; }),
           "the answer is the MD5 of both numbers and the nonce");
    return rest.substr(std::min<std::size_t>(8, rest.size()));
}

void check_offer(const offer& offered, const request& r) {
    expect(r.method() == "GET", "a handshake is a GET");
    bool const numbered = r.headers().contains("Sec-WebSocket-Version");
    expect(numbered == is_hybi(offered.version), "a version that is named is the version");
    if (numbered)
        expect("hybi-" + std::string(r.header("Sec-WebSocket-Version")) == to_string(offered.version),
               "the number is the version's");
    for (auto const& name : offered.subprotocols)  // and not what no client can offer
        expect(handshake::choose_subprotocol(offered, {"\x7F", std::string(name)}) == name,
               "what is offered can be chosen");
    for (auto const version : all_protocol_versions) {
        auto const only = handshake::recognise(r, {version});
        auto const* same = std::get_if<offer>(&only);
        expect((same != nullptr) == (version == offered.version), "a request is of one version");
        if (same == nullptr) check_rejection(std::get<rejection>(only));
    }
    constexpr protocol_set none(std::initializer_list<protocol_version>{});
    expect(std::holds_alternative<rejection>(handshake::recognise(r, none)), "what is switched off is refused");
    auto const extensions = handshake::read_extensions(r.headers());
    if (extensions) static_cast<void>(handshake::accept_deflate(*extensions, {.mode = compression_mode::dedicated}));
}

}  // namespace

void fuzz(std::string_view input) {
    choices choose(input);
    auto const version = all_protocol_versions[choose.below(5)];
    auto const seed = choose.byte();
    auto fields = good_fields(version);
    change(fields, choose);
    constexpr std::array lines{"GET /chat HTTP/1.1", "GET /chat?a=b HTTP/1.1", "GET ws://example.com/x HTTP/1.1",
                               "GET * HTTP/1.1",     "POST /chat HTTP/1.1",    "GET /chat HTTP/1.0"};
    std::string const line = choose.byte() % 4 == 0 ? choose.one_of(lines) : lines[0];
    auto const bytes = written(line, fields) + std::string(choose.rest());

    request r;
    auto const result = read_all_ways(bytes, {}, seed, &r);
    if (result.status != state::complete || !handshake::wants_websocket(r)) return;
    expect(!result.keep_alive, "nothing behind a refused upgrade is taken for a request");
    auto const recognised = handshake::recognise(r, {});
    if (auto const* refused = std::get_if<rejection>(&recognised)) return check_rejection(*refused);
    auto const& offered = std::get<offer>(recognised);
    check_offer(offered, r);
    check_origin(offered, r);
    check_response(offered, r, "");
    if (!offered.subprotocols.empty()) check_response(offered, r, offered.subprotocols.back());
    auto const frames = check_nonce(offered, r, result.rest);
    check_order(
        feed_all_ways([&] { return protocols[offered.version].make_decoder(protocol::role::server); }, frames, seed));
}

}  // namespace wsio::fuzz
