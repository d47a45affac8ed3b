#include "head_tools.hpp"

#include "handshake/http_grammar.hpp"

#include <algorithm>
#include <array>
#include <set>

// HTTP requests: cut in all ways; a head that is accepted says what it says when it is simply split at its colons; what was
// read can be written and read again; and a body comes out as it was put in.

namespace wsio::fuzz {
namespace {

using handshake::request_limits;

void check_refusal(const outcome& result) {
    static const std::set<unsigned> known{400, 413, 414, 431, 501, 505};
    expect(known.contains(result.error), "a refusal has a status that fits");
    expect(!result.reason.empty() && result.reason.find('\n') == std::string::npos, "a refusal has one line of words");
}

/// Gives the host that a request line names, which stands in place of that of the Host field.
std::string_view host_of(std::string_view target) {
    for (std::string_view scheme : {"http://", "https://", "ws://", "wss://"})
        if (handshake::equal_without_case(target.substr(0, scheme.size()), scheme))
            return target.substr(scheme.size(), target.find_first_of("/?", scheme.size()) - scheme.size());
    return {};
}

/// Reads an accepted head as a child would.
void check_head(std::string_view bytes, const outcome& result, const request_limits& limits) {
    while (bytes.starts_with("\r\n")) bytes.remove_prefix(2);
    auto const end = bytes.find("\r\n\r\n");
    expect(end != std::string_view::npos && end + 4 <= limits.head_size, "the head ends within its limit");
    auto head = bytes.substr(0, end + 2);
    auto line = head.substr(0, head.find("\r\n"));
    auto const minor = line.back();
    expect(line == result.method + ' ' + result.target + " HTTP/1." + minor, "the request line");
    expect(result.minor == (minor == '0' ? 0U : 1U), "1.2 and what follows is read as 1.1");
    head.remove_prefix(line.size() + 2);
    decltype(result.fields) fields;
    for (; !head.empty(); head.remove_prefix(line.size() + 2)) {
        line = head.substr(0, head.find("\r\n"));
        auto const colon = line.find(':');
        expect(colon != std::string_view::npos, "a field has a colon");
        fields.emplace_back(line.substr(0, colon), handshake::trimmed(line.substr(colon + 1)));
    }
    expect(fields.size() <= limits.header_count, "the fields are within their limit");
    if (auto const host = host_of(result.target); !host.empty()) {
        auto const is_host = [](auto const& field) { return handshake::equal_without_case(field.first, "Host"); };
        auto const old = std::find_if(fields.begin(), fields.end(), is_host);
        bool const same = old != fields.end() && old->second == host;
        if (!same && old != fields.end()) fields.erase(old);
        if (!same) fields.emplace_back("Host", host);
    }
    expect(fields == result.fields, "a field is what stands before and behind the first colon");
    expect(result.body.size() <= limits.body_size, "the body is within its limit");
}

std::string head_of(const outcome& result) {
    std::string head = result.method + ' ' + result.target + " HTTP/1." + std::to_string(result.minor) + "\r\n";
    for (auto const& [name, value] : result.fields) head += name + ": " + value + "\r\n";
    return head + "\r\n";
}

/// Checks bytes of any kind.
outcome check_any(std::string_view bytes, const request_limits& limits, unsigned seed) {
    auto const result = read_all_ways(bytes, limits, seed);
    if (result.status == state::failed) check_refusal(result);
    if (result.status != state::complete) return result;
    check_head(bytes, result, limits);
    expect(bytes.ends_with(result.rest), "what is left is the end of what came");
    if (result.body.empty()) {
        // Writing may put spaces behind colons, so it gets room.
        auto const again =
            read(head_of(result), {limits.head_size + limits.header_count, limits.header_count, limits.body_size},
                 [] { return std::size_t{1} << 20; });
        // An empty body that came in chunks is not there again.
        expect(again.status == state::complete || again.status == state::body,
               "what was read can be written and read again");
        expect(again.status == state::body || (again.fields == result.fields && again.target == result.target),
               "and is the same");
    }
    return result;
}

/// Writes a request with a body, by length or in chunks, and wants it back.
void check_body(choices& choose, const request_limits& limits, unsigned seed) {
    constexpr std::array methods{"POST", "PUT", "GET", "PATCH", "QUERY"};
    auto const pattern = std::string(choose.text(30)) + "b";
    auto const body = repeated(pattern, choose.pair() % 3000);
    auto const next = "GET /next HTTP/1.1\r\n";
    std::string bytes = std::string(choose.one_of(methods)) + " /upload HTTP/1.1\r\nHost: a\r\n";
    auto const options = choose.byte();
    bool const in_chunks = (options & 1) != 0;
    if ((options & 2) != 0) bytes += "Expect: 100-continue\r\n";
    if (!in_chunks) {
        bytes += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body + next;
    } else {
        bytes += "Transfer-Encoding: chunked\r\n\r\n";
        for (std::string_view left = body; !left.empty();) {
            auto const part = left.substr(0, 1 + choose.byte() * 4);
            left.remove_prefix(part.size());
            char size[20];
            std::snprintf(size, sizeof size, (options & 4) != 0 ? "%zX" : "00%zx", part.size());
            bytes += std::string(size) + ((options & 8) != 0 ? ";name=value\r\n" : "\r\n") + std::string(part) + "\r\n";
        }
        bytes += "0\r\n";
        if ((options & 16) != 0) bytes += "Trailer-Field: ignored\r\n";
        bytes += std::string("\r\n") + next;
    }
    auto const result = check_any(bytes, limits, seed);
    expect(result.status == state::complete && result.body == body, "a body comes out as it was put in");
    expect(result.rest == next && result.keep_alive, "and what follows it is the next request");
    expect(result.fields.size() == ((options & 2) != 0 ? 3U : 2U), "trailer fields are not header fields");
}

}  // namespace

void fuzz(std::string_view input) {
    choices choose(input);
    auto const options = choose.byte();
    auto const seed = choose.byte();
    constexpr request_limits usual{};
    constexpr request_limits narrow{.head_size = 200, .header_count = 5, .body_size = 50};
    if ((options & 1) != 0)
        check_body(choose, usual, seed);
    else
        check_any(choose.rest(), (options & 2) != 0 ? narrow : usual, seed);
}

}  // namespace wsio::fuzz
