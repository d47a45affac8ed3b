#include "fuzz.hpp"

#include "handshake/client_handshake.hpp"
#include "handshake/extensions.hpp"
#include "handshake/http_grammar.hpp"
#include "handshake/keys.hpp"
#include "handshake/negotiation.hpp"
#include "handshake/origin.hpp"
#include "handshake/request_parser.hpp"
#include "handshake/tunnel.hpp"

#include <array>
#include <string>
#include <utility>
#include <variant>
#include <vector>

// What a client makes of a server's answer: the library's own server answers its request, a few changes are made to the
// answer, and it comes in all pieces.

namespace wsio::fuzz {
namespace {

using handshake::client_handshake;
using state = client_handshake::state;

constexpr handshake::response_limits limits{.head_size = 2048, .header_count = 20};

void no_randomness(std::span<std::byte> bytes) {
    std::byte next{17};
    for (auto& each : bytes) each = next = std::byte(std::to_integer<unsigned>(next) * 5 + 3);
}

handshake::websocket_url url() {
    return std::get<handshake::websocket_url>(handshake::parse_url("ws://example.com/chat?a=b"));
}

handshake::wish wish_of(protocol_version version, bool compresses) {
    handshake::wish wanted;
    wanted.version = version;
    wanted.url = url();
    wanted.origin = "http://example.com";
    wanted.subprotocols = {"chat", "superchat"};
    if (compresses) wanted.compression.mode = compression_mode::dedicated;
    return wanted;
}

/// Lets the library's server answer.
std::string answer_to(const client_handshake& client, bool compresses) {
    handshake::request_parser parser{handshake::request_limits()};
    auto const bytes = client.request_bytes();
    auto const used = parser.put(bytes);
    expect(parser.status() == handshake::request_parser::state::complete, "a client's request can be read");
    auto const r = parser.take();
    auto const recognised = handshake::recognise(r, {});
    auto const* offered = std::get_if<handshake::offer>(&recognised);
    expect(offered != nullptr, "a client's request is a handshake");
    expect(handshake::origin_allowed(*offered, r, {}), "a client names an origin that may connect");
    auto fields = handshake::accept_fields(*offered, r, offered->subprotocols.front());
    if (compresses) {
        auto const extensions = handshake::read_extensions(r.headers());
        expect(extensions.has_value(), "a client's extensions can be read");
        auto const agreed = handshake::accept_deflate(*extensions, {.mode = compression_mode::dedicated});
        if (agreed) fields.add("Sec-WebSocket-Extensions", agreed->response);
    }
    auto answer = handshake::accept_head(offered->version, fields);
    if (handshake::nonce_size(offered->version) != 0) {
        auto const nonce = std::string_view(bytes).substr(used);
        expect(nonce.size() == 8, "a client of hixie-76 sends 8 bytes behind its request");
        auto const digest = handshake::hixie_76_answer(offered->part_1, offered->part_2, nonce);
        answer.append(digest.begin(), digest.end());
    }
    return answer;
}

void change(std::string& answer, choices& choose) {
    constexpr std::array pieces{"Sec-WebSocket-Extensions: permessage-deflate\r\n",
                                "Sec-WebSocket-Extensions: x\r\n",
                                "Sec-WebSocket-Protocol: none\r\n",
                                "Sec-WebSocket-Protocol: chat\r\n",
                                "Sec-WebSocket-Accept: c3VwZXJjaGF0\r\n",
                                "Upgrade: websocket\r\n",
                                "Connection: close\r\n",
                                "Location: ws://other.example/\r\n",
                                "Content-Length: 5\r\n",
                                "HTTP/1.1 302 Found\r\n",
                                "HTTP/1.0 101 \r\n",
                                "\r\n",
                                "\r\n\r\n",
                                " ",
                                ":",
                                "\n"};
    for (auto count = choose.below(5); count > 0; --count) {
        auto const at = answer.empty() ? 0 : choose.pair() % answer.size();
        switch (choose.below(5)) {
            case 0: answer.insert(at, choose.text(20)); break;
            case 1: answer.erase(at, 1 + choose.below(30)); break;
            case 2: answer[at] = static_cast<char>(choose.byte()); break;
            case 3: {  // a line of its own
                auto const line = answer.find('\n', at);
                if (line != std::string::npos) answer.insert(line + 1, choose.one_of(pieces));
                break;
            }
            default: {  // without a line
                auto const line = answer.find('\n', at);
                if (line == std::string::npos) break;
                auto const next = answer.find('\n', line + 1);
                answer.erase(line + 1, next == std::string::npos ? next : next - line);
            }
        }
        if (answer.empty()) answer = " ";
    }
}

/// All that can be seen of a judgement.
struct judgement {
    state status = state::head;
    std::size_t used = 0;
    error why{};
    std::string message;
    std::string subprotocol;
    bool compressed = false;

    friend bool operator==(const judgement&, const judgement&) = default;
};

/// As a connection does: all that came since the answer began, again and again.
template <typename Cut>
judgement judge(const handshake::wish& wanted, std::string_view answer, bool ends, Cut cut) {
    client_handshake client(wanted, limits, no_randomness);
    judgement seen;
    for (std::size_t size = 0; size < answer.size() && !client.is_over();) {
        size = std::min(answer.size(), size + cut());
        std::string const block(answer.substr(0, size));  // of its own, so that the sanitizer sees its end
        seen.used = client.put(block);
        expect(seen.used <= size, "no more is used than there is");
    }
    if (ends && !client.is_over()) client.end();
    seen.status = client.status();
    expect(!ends || client.is_over(), "nothing is waited for when nothing comes");
    if (seen.status == state::failed || seen.status == state::refused) {
        seen.why = client.problem().why;
        seen.message = client.problem().message;
        expect(!seen.message.empty(), "a failure says why");
        for (char const c : seen.message) expect(!handshake::is_control(c), "what is said is one line");
        seen.used = 0;
    }
    if (seen.status == state::agreed) {
        seen.subprotocol = client.subprotocol();
        seen.compressed = client.deflate().has_value();
    }
    return seen;
}

/// Tells, without a parser, whether a head has a line.
bool has(std::string_view head, std::string line) {
    auto const lower = [](std::string_view text) {
        std::string copy(text);
        for (char& c : copy) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
        return copy;
    };
    return lower(head).find(lower(line)) != std::string::npos;
}

void check_agreed(const judgement& seen, const handshake::wish& wanted, std::string_view answer,
                  std::string_view good) {
    auto head = answer.substr(0, seen.used);
    head.remove_prefix(head.find_first_not_of("\r\n"));
    expect(head.starts_with("HTTP/1.") && head[7] != '0' && head.substr(8, 4) == " 101", "only 101 is an agreement");
    expect(has(head, "upgrade:") && has(head, "connection:"), "an agreement upgrades");
    expect(seen.subprotocol.empty() || seen.subprotocol == "chat" || seen.subprotocol == "superchat",
           "a subprotocol was offered");
    expect(!seen.compressed || wanted.compression.mode != compression_mode::off, "compression was offered");
    if (is_hybi(wanted.version)) {
        auto const begin = good.find("Sec-WebSocket-Accept: ") + 22;
        expect(head.find(good.substr(begin, 28)) != std::string_view::npos, "the accept value is right");
        expect(!seen.compressed || has(head, "permessage-deflate"), "what is agreed on was said");
    } else if (wanted.version == protocol_version::hixie_76) {
        expect(head.ends_with(good.substr(good.size() - 16)), "the 16 bytes are right");
    }
}

void check_tunnel(choices& choose, unsigned seed) {
    constexpr std::array heads{"HTTP/1.1 200 Connection established\r\n\r\n", "HTTP/1.0 200 OK\r\nVia: x\r\n\r\n",
                               "HTTP/1.1 407 No\r\nProxy-Authenticate: Basic\r\nContent-Length: 5\r\n\r\nwords"};
    std::string answer = choose.one_of(heads);
    change(answer, choose);
    auto const proxy = std::get<handshake::websocket_url>(handshake::parse_proxy("http://user:word@proxy:3128"));
    auto const ask = [&](auto cut) {
        handshake::tunnel asked(url(), proxy, limits);
        std::size_t used = 0;
        for (std::size_t size = 0; size < answer.size() && !asked.is_over();) {
            size = std::min(answer.size(), size + cut());
            used = asked.put(std::string(answer, 0, size));
        }
        if (!asked.is_over()) asked.end();
        expect(asked.is_over(), "nothing is waited for when nothing comes");
        expect(!asked.succeeded() || (answer.starts_with("HTTP/1.") && answer.substr(9, 1) == "2" &&
                                      answer.substr(0, used).ends_with('\n')),
               "only a success makes a tunnel");
        return std::pair(asked.succeeded() ? used : 0, asked.problem().message);
    };
    auto const whole = ask([&] { return answer.size(); });
    expect(ask([] { return std::size_t{1}; }) == whole, "single bytes give the same tunnel");
    expect(ask(cutter(seed)) == whole, "pieces of many sizes give the same tunnel");
}

}  // namespace

void fuzz(std::string_view input) {
    choices choose(input);
    auto const options = choose.byte();
    auto const seed = choose.byte();
    if (options % 8 == 7) return check_tunnel(choose, seed);
    bool const compresses = options >= 128;
    auto const wanted = wish_of(all_protocol_versions[options % 5], compresses);
    auto const good = answer_to(client_handshake(wanted, limits, no_randomness), compresses);
    auto answer = good;
    change(answer, choose);
    bool const changed = answer != good;
    answer += choose.rest();

    for (bool ends : {false, true}) {
        auto const whole = judge(wanted, answer, ends, [&] { return answer.size(); });
        expect(judge(wanted, answer, ends, [] { return std::size_t{1}; }) == whole, "single bytes give the same");
        expect(judge(wanted, answer, ends, cutter(seed)) == whole, "pieces of many sizes give the same");
        expect(changed || whole.status == state::agreed, "the library's server and client agree");
        expect(changed || (whole.subprotocol == "chat" && whole.used == good.size() &&
                           whole.compressed == (compresses && wanted.version == protocol_version::hybi_13)),
               "on what was offered, and no byte more");
        if (whole.status == state::agreed) check_agreed(whole, wanted, answer, good);
    }
}

}  // namespace wsio::fuzz
