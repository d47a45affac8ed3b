#include "handshake/client_handshake.hpp"

#include "handshake/keys.hpp"
#include "handshake/negotiation.hpp"
#include "handshake/request_parser.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <random>
#include <set>
#include <string>
#include <variant>
#include <vector>

using namespace wsio::handshake;
using wsio::compression_mode;
using wsio::error;
using wsio::headers;
using wsio::protocol_version;
using state = client_handshake::state;

namespace {

// Bytes that are the same in every run, and no two calls the same.
void counting(std::span<std::byte> bytes) {
    static std::mt19937 generator(7);
    for (auto& byte : bytes) byte = static_cast<std::byte>(generator());
}

wish wanting(protocol_version version, std::string_view url = "ws://example.com/chat?a=b") {
    wish wanted;
    wanted.version = version;
    wanted.url = std::get<websocket_url>(parse_url(url));
    return wanted;
}

wsio::request parsed(const client_handshake& h, std::size_t behind = 0) {
    request_parser parser{request_limits{}};
    auto const bytes = h.request_bytes();
    BOOST_TEST(parser.put(bytes) + behind == bytes.size());
    BOOST_TEST_REQUIRE((parser.status() == request_parser::state::complete));
    return parser.take();
}

/// The answer that this library's server gives.
std::string answer_to(const client_handshake& h, protocol_version version, std::string_view subprotocol = {},
                      std::string_view extension = {}) {
    auto const bytes = h.request_bytes();
    auto request = parsed(h, nonce_size(version));
    request.secure(h.request().secure());
    auto const recognised = recognise(request, {});
    auto const* const refusal = std::get_if<rejection>(&recognised);
    BOOST_TEST_REQUIRE(refusal == nullptr, (refusal == nullptr ? "" : refusal->reason));
    auto const& offered = std::get<offer>(recognised);
    BOOST_TEST((offered.version == version));
    auto fields = accept_fields(offered, request, subprotocol);
    if (!extension.empty()) fields.add("Sec-WebSocket-Extensions", extension);
    auto answer = accept_head(version, fields);
    if (version == protocol_version::hixie_76) {
        auto const digest =
            hixie_76_answer(offered.part_1, offered.part_2, std::string_view(bytes).substr(bytes.size() - 8));
        answer.append(digest.data(), digest.size());
    }
    return answer;
}

struct ending {
    state status;
    error why;
    std::string message;
    std::size_t used;
    std::string subprotocol;
    std::string body;

    bool operator==(const ending&) const = default;
};

/// Gives a growing answer, as a connection does, cut at `cuts`.
ending feed(client_handshake h, std::string_view answer, const std::vector<std::size_t>& cuts, bool ends) {
    std::size_t used = 0;
    for (auto const cut : cuts) {
        used = h.put(answer.substr(0, cut));
        if (h.is_over()) break;
    }
    if (!h.is_over()) used = h.put(answer);
    if (!h.is_over() && ends) h.end();
    return {h.status(), h.problem().why, h.problem().message, used, h.subprotocol(), h.answer().body()};
}

/// The same, whole and cut at every byte: the results must be equal.
ending run(const client_handshake& h, std::string_view answer, bool ends = true) {
    auto const whole = feed(h, answer, {}, ends);
    std::vector<std::size_t> every;
    for (std::size_t i = 0; i <= answer.size(); ++i) every.push_back(i);
    BOOST_TEST((feed(h, answer, every, ends) == whole), "byte by byte differs: " << answer);
    for (auto const cut : every) BOOST_TEST((feed(h, answer, {cut}, ends) == whole), "a cut at " << cut << " differs");
    return whole;
}

client_handshake make(const wish& wanted, response_limits limits = {}) { return {wanted, limits, counting}; }

void check_failed(const ending& e, error why, std::string_view part) {
    BOOST_TEST((e.status == state::failed || e.status == state::refused));
    BOOST_TEST(static_cast<int>(e.why) == static_cast<int>(why), e.message);
    BOOST_TEST((e.message.find(part) != std::string::npos), e.message << " does not say: " << part);
    BOOST_TEST((e.message.find('\n') == std::string::npos));
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
    auto const at = text.find(from);
    BOOST_TEST_REQUIRE(at != std::string::npos, from);
    return text.replace(at, from.size(), to);
}

constexpr std::array all{protocol_version::hixie_75, protocol_version::hixie_76, protocol_version::hybi_7,
                         protocol_version::hybi_8, protocol_version::hybi_13};

}  // namespace

BOOST_AUTO_TEST_SUITE(handshake_client_handshake)

BOOST_AUTO_TEST_CASE(each_version_agrees_with_the_server_of_this_library) {
    for (auto const version : all) {
        for (auto const* const url : {"ws://example.com/chat?a=b", "wss://example.com:444", "ws://[::1]:80/"}) {
            auto const h = make(wanting(version, url));
            auto const answer = answer_to(h, version);
            auto const result = run(h, answer + "frames");
            BOOST_TEST_CONTEXT(to_string(version) << ' ' << url << ": " << result.message) {
                BOOST_TEST((result.status == state::agreed));
                BOOST_TEST(result.used == answer.size());
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(request_of_rfc_6455_has_its_fields) {
    auto wanted = wanting(protocol_version::hybi_13);
    wanted.origin = "https://example.org";
    wanted.subprotocols = {"chat", "superchat"};
    wanted.fields.add("X-Extra", "1");
    auto const r = parsed(make(wanted));
    BOOST_TEST(r.method() == "GET");
    BOOST_TEST(r.target() == "/chat?a=b");
    BOOST_TEST(r.header("Host") == "example.com");
    BOOST_TEST(r.header("Upgrade") == "websocket");
    BOOST_TEST(r.header("Sec-WebSocket-Version") == "13");
    BOOST_TEST(is_sixteen_bytes(r.header("Sec-WebSocket-Key")));
    BOOST_TEST(r.header("Origin") == "https://example.org");
    BOOST_TEST(r.header("Sec-WebSocket-Protocol") == "chat, superchat");
    BOOST_TEST(r.header("X-Extra") == "1");
    BOOST_TEST(!r.headers().contains("Sec-WebSocket-Extensions"));
}

BOOST_AUTO_TEST_CASE(origin_has_its_old_name_in_7_and_8) {
    for (auto const version : {protocol_version::hybi_7, protocol_version::hybi_8}) {
        auto wanted = wanting(version);
        wanted.origin = "http://a";
        auto const r = parsed(make(wanted));
        BOOST_TEST(r.header("Sec-WebSocket-Origin") == "http://a");
        BOOST_TEST(!r.headers().contains("Origin"));
    }
}

BOOST_AUTO_TEST_CASE(request_of_draft_75_is_in_the_order_that_it_prescribes) {
    auto wanted = wanting(protocol_version::hixie_75);
    wanted.subprotocols = {"first", "second"};
    BOOST_TEST(make(wanted).request_bytes() ==
               "GET /chat?a=b HTTP/1.1\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\nHost: example.com\r\n"
               "Origin: http://example.com\r\nWebSocket-Protocol: first\r\n\r\n");
}

BOOST_AUTO_TEST_CASE(keys_of_draft_76_have_spaces_inside_and_are_never_the_same) {
    std::set<std::string> seen;
    for (int i = 0; i < 500; ++i) {
        auto const h = client_handshake(wanting(protocol_version::hixie_76), {}, counting);
        for (auto const* const name : {"Sec-WebSocket-Key1", "Sec-WebSocket-Key2"}) {
            auto const key = h.request().header(name);
            BOOST_TEST_REQUIRE(hixie_76_part(key).has_value(), key);
            BOOST_TEST_REQUIRE(key.front() != ' ');
            BOOST_TEST_REQUIRE(key.back() != ' ');
            seen.insert(std::string(key));
        }
        BOOST_TEST_REQUIRE(h.request_bytes().find("\r\n\r\n") + 12 == h.request_bytes().size());
    }
    BOOST_TEST(seen.size() > 100U);
}

BOOST_AUTO_TEST_CASE(credentials_of_the_url_become_a_basic_authorization) {
    auto wanted = wanting(protocol_version::hybi_13, "ws://Aladdin:open%20sesame@example.com/");
    BOOST_TEST(make(wanted).request().header("Authorization") == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    wanted.fields.add("Authorization", "Bearer x");
    BOOST_TEST(make(wanted).request().headers().count("Authorization") == 1U);
    BOOST_TEST(make(wanted).request().header("Authorization") == "Bearer x");
}

BOOST_AUTO_TEST_CASE(host_of_the_fields_takes_the_place_of_the_url_s) {
    for (auto const version : all) {
        auto wanted = wanting(version, "ws://127.0.0.1:8080/");
        wanted.fields.add("host", "virtual.example");
        auto const h = make(wanted);
        BOOST_TEST(h.request().headers().count("Host") == 1U);
        BOOST_TEST(h.request().header("Host") == "virtual.example");
        BOOST_TEST((run(h, answer_to(h, version)).status == state::agreed));
    }
}

BOOST_AUTO_TEST_CASE(each_field_of_the_answer_is_checked) {
    auto const h = make(wanting(protocol_version::hybi_13));
    auto const good = answer_to(h, protocol_version::hybi_13);
    auto const changed = [&](std::string_view from, std::string_view to) { return run(h, replaced(good, from, to)); };
    check_failed(changed("Upgrade: websocket\r\n", ""), error::wrong_upgrade, "is missing");
    check_failed(changed("Upgrade: websocket", "Upgrade: h2c"), error::wrong_upgrade, "\"h2c\"");
    check_failed(changed("Upgrade: websocket", "Upgrade: websocket\r\nUpgrade: websocket"), error::wrong_upgrade,
                 "once");
    check_failed(changed("Connection: Upgrade\r\n", ""), error::wrong_connection, "is missing");
    check_failed(changed("Connection: Upgrade", "Connection: close"), error::wrong_connection, "\"close\"");
    check_failed(changed("Sec-WebSocket-Accept", "X-Accept"), error::wrong_accept_key, "is missing");
    check_failed(changed("Accept: ", "Accept: x"), error::wrong_accept_key, "RFC 6455 4.1");
    check_failed(changed("\r\n\r\n", "\r\nSec-WebSocket-Accept: x\r\n\r\n"), error::wrong_accept_key, "once");
    check_failed(changed("\r\n\r\n", "\r\nSec-WebSocket-Protocol: chat\r\n\r\n"), error::wrong_subprotocol, "\"chat\"");
    check_failed(changed("\r\n\r\n", "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"),
                 error::wrong_extension, "none was offered");
    check_failed(changed("HTTP/1.1", "HTTP/1.0"), error::bad_answer, "HTTP/1.0");
    BOOST_TEST((changed("Upgrade: websocket", "upgrade:WebSocket ").status == state::agreed));
    BOOST_TEST((changed("Connection: Upgrade", "Connection: keep-alive, uPgrade").status == state::agreed));
}

BOOST_AUTO_TEST_CASE(status_that_is_not_101_is_a_refusal_with_its_body) {
    auto const h = make(wanting(protocol_version::hybi_13));
    auto result =
        run(h, "HTTP/1.1 426 Upgrade Required\r\nSec-WebSocket-Version: 13, 8\r\nContent-Length: 5\r\n\r\nsorry");
    check_failed(result, error::unexpected_status, "426 Upgrade Required: sorry; it speaks version 13, 8");
    BOOST_TEST(result.body == "sorry");
    result =
        run(h, "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nnot\r\n5;x=y\r\n here\r\n0\r\n\r\n",
            false);
    check_failed(result, error::unexpected_status, "404 Not Found: not here");
    result = run(h, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 15\r\n\r\n<!DOCTYPE html>", false);
    check_failed(result, error::unexpected_status, "the server answered 200 OK");
    BOOST_TEST(result.message.find("DOCTYPE") == std::string::npos);
    result = run(h, "HTTP/1.1 502\r\n\r\nno length");
    check_failed(result, error::unexpected_status, "502: no length");
    BOOST_TEST((run(h, "HTTP/1.1 204 No Content\r\n\r\n", false).status == state::refused));
}

BOOST_AUTO_TEST_CASE(answer_that_is_not_http_fails_at_the_byte_that_shows_it) {
    auto const h = make(wanting(protocol_version::hybi_13));
    check_failed(run(h, "220 mail.example ESMTP\r\n", false), error::bad_answer, "is not HTTP");
    check_failed(run(h, "HTTP/2 101\r\n\r\n", false), error::bad_answer, "status line is malformed");
    check_failed(run(h, "HTTP/1.1 1x1 Oh\r\n\r\n", false), error::bad_answer, "status line is malformed");
    check_failed(run(h, "HTTP/1.1 101 Oh\r\nno colon\r\n\r\n", false), error::bad_answer, "\"no colon\"");
    check_failed(run(h, "HTTP/1.1 101 Oh\r\nA : b\r\n\r\n", false), error::bad_answer, "malformed header line");
    check_failed(run(h, "HTTP/1.1 101 Oh\nA: b\r\n\r\n", false), error::bad_answer,
                 "the answer is malformed: a line ends with a bare LF");
}

BOOST_AUTO_TEST_CASE(answer_is_bounded) {
    auto const h = make(wanting(protocol_version::hybi_13), {200, 3});
    check_failed(run(h, "HTTP/1.1 101 Oh\r\nA: " + std::string(300, 'a'), false), error::bad_answer, "200 bytes");
    check_failed(run(h, "HTTP/1.1 101 Oh\r\nA: b\r\nA: b\r\nA: b\r\nA: b\r\n\r\n", false), error::bad_answer,
                 "3 header");
}

BOOST_AUTO_TEST_CASE(answers_that_only_announce_the_one_that_counts_are_skipped) {
    constexpr std::string_view interim =
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nUpgrade: x\r\nLink: </a.css>\r\n\r\n"
        "HTTP/1.1 199\r\n\r\n";
    for (auto const version : {protocol_version::hybi_13, protocol_version::hixie_76}) {
        auto const h = make(wanting(version));
        auto const answer = std::string(interim) + answer_to(h, version);
        auto const result = run(h, answer + "frames");
        BOOST_TEST((result.status == state::agreed), result.message);
        BOOST_TEST(result.used == answer.size());
        auto const refused =
            run(h, std::string(interim) + "HTTP/1.1 503 Busy\r\nContent-Length: 5\r\n\r\nsorry", false);
        check_failed(refused, error::unexpected_status, "503 Busy: sorry");
        check_failed(run(h, std::string(interim) + "SSH-2.0"), error::bad_answer, "is not HTTP");
        check_failed(run(h, interim), error::connection_lost, "before its answer was there");
    }
}

BOOST_AUTO_TEST_CASE(limits_hold_for_all_answers_together) {
    auto const h = make(wanting(protocol_version::hybi_13), {200, 3});
    std::string many;
    for (int i = 0; i < 20; ++i) many += "HTTP/1.1 100 Continue\r\n\r\n";
    check_failed(run(h, many, false), error::bad_answer, "the answer line is longer than 200 bytes");
    check_failed(run(h, "HTTP/1.1 103 Hints\r\nA: b\r\nA: b\r\n\r\nHTTP/1.1 101 Oh\r\nA: b\r\nA: b\r\n\r\n", false),
                 error::bad_answer, "the answer has more than 3 header");
}

BOOST_AUTO_TEST_CASE(folded_lines_of_an_answer_are_put_together) {
    auto const h = make(wanting(protocol_version::hybi_13));
    auto const good = answer_to(h, protocol_version::hybi_13);
    auto const changed = [&](std::string_view from, std::string_view to) { return run(h, replaced(good, from, to)); };
    BOOST_TEST((changed("Upgrade: websocket", "Upgrade:\r\n \t websocket\r\n\t").status == state::agreed));
    BOOST_TEST((changed("Connection: Upgrade", "Connection: keep-alive,\r\n Upgrade").status == state::agreed));
    check_failed(changed("Upgrade: websocket", "Upgrade: web\r\n socket"), error::wrong_upgrade, "\"web socket\"");
    // Behind the status line there is no field that it could belong to.
    check_failed(changed("Upgrade: websocket", " Upgrade: websocket"), error::bad_answer, "malformed header line");
}

BOOST_AUTO_TEST_CASE(chunk_that_no_size_can_count_is_waited_for) {
    auto h = make(wanting(protocol_version::hybi_13));
    h.put("HTTP/1.1 404 Oh\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFE\r\nno\r\n");
    BOOST_TEST(h.reads_body());
    BOOST_TEST(h.answer().body() == "no\r\n");
}

BOOST_AUTO_TEST_CASE(end_before_the_answer_is_a_lost_connection) {
    for (auto const version : {protocol_version::hybi_13, protocol_version::hixie_76}) {
        auto const h = make(wanting(version));
        auto const good = answer_to(h, version);
        for (std::size_t size = 0; size < good.size(); ++size)
            check_failed(feed(h, good.substr(0, size), {}, true), error::connection_lost,
                         "before its answer was there");
    }
}

BOOST_AUTO_TEST_CASE(subprotocol_must_be_one_that_was_offered) {
    auto wanted = wanting(protocol_version::hybi_13);
    wanted.subprotocols = {"chat", "superchat"};
    auto const h = make(wanted);
    BOOST_TEST(run(h, answer_to(h, wanted.version, "superchat")).subprotocol == "superchat");
    BOOST_TEST((run(h, answer_to(h, wanted.version)).status == state::agreed));  // the server may choose none
    check_failed(run(h, answer_to(h, wanted.version, "Chat")), error::wrong_subprotocol, "\"Chat\"");
    check_failed(run(h, answer_to(h, wanted.version, "chat, superchat")), error::wrong_subprotocol, "chat, superchat");
    check_failed(run(h, replaced(answer_to(h, wanted.version, "chat"), "\r\n\r\n",
                                 "\r\nSec-WebSocket-Protocol: superchat\r\n\r\n")),
                 error::wrong_subprotocol, "chat, superchat");
}

BOOST_AUTO_TEST_CASE(hixie_server_has_to_choose_a_subprotocol) {
    for (auto const version : {protocol_version::hixie_75, protocol_version::hixie_76}) {
        auto wanted = wanting(version);
        wanted.subprotocols = {"chat", "superchat"};
        auto const h = make(wanted);
        BOOST_TEST(run(h, answer_to(h, version, "chat")).subprotocol == "chat");
        check_failed(run(h, answer_to(h, version)), error::wrong_subprotocol, "chose none");
        auto const second = run(h, answer_to(h, version, "superchat"));
        if (version == protocol_version::hixie_75)  // was not offered: there is one place for a name
            check_failed(second, error::wrong_subprotocol, "\"superchat\"");
        else
            BOOST_TEST(second.subprotocol == "superchat");
    }
}

BOOST_AUTO_TEST_CASE(hixie_answer_has_to_name_origin_and_location) {
    for (auto const version : {protocol_version::hixie_75, protocol_version::hixie_76}) {
        auto const h = make(wanting(version));
        auto const good = answer_to(h, version);
        auto const changed = [&](std::string_view from, std::string_view to) {
            return run(h, replaced(good, from, to));
        };
        check_failed(changed("WebSocket-Origin", "X-Origin"), error::wrong_origin, "is missing");
        check_failed(changed("Origin: http://example.com", "Origin: http://evil.com"), error::wrong_origin,
                     "\"http://evil.com\"");
        check_failed(changed("WebSocket-Location", "X-Location"), error::wrong_location, "is missing");
        check_failed(changed("ws://example.com/chat", "wss://example.com/chat"), error::wrong_location, "wss://");
        check_failed(changed("/chat?a=b", "/chat"), error::wrong_location, "\"ws://example.com/chat\"");
        check_failed(changed("Upgrade: WebSocket", "Upgrade: x"), error::wrong_upgrade, "\"x\"");
        BOOST_TEST((changed("ws://example.com/chat", "ws://example.com:80/chat").status == state::agreed));
        BOOST_TEST((changed("ws://example.com/chat", "WS://Example.com/chat").status == state::agreed));
        BOOST_TEST((changed("Origin: http://example.com", "Origin: HTTP://Example.COM").status == state::agreed));
        check_failed(changed("ws://example.com/chat", "ws://example.com/Chat"), error::wrong_location, "/Chat");
    }
}

BOOST_AUTO_TEST_CASE(origin_without_a_host_is_compared_as_it_is) {
    auto wanted = wanting(protocol_version::hixie_75);
    wanted.origin = "null";
    auto const h = make(wanted);
    auto const good = answer_to(h, wanted.version);
    BOOST_TEST((run(h, good).status == state::agreed));
    check_failed(run(h, replaced(good, "Origin: null", "Origin: NULL")), error::wrong_origin, "\"NULL\"");
}

BOOST_AUTO_TEST_CASE(location_is_compared_by_its_parts) {
    for (auto const version : {protocol_version::hixie_75, protocol_version::hixie_76}) {
        auto const h = make(wanting(version));
        auto const good = answer_to(h, version);
        check_failed(run(h, replaced(good, "ws://example.com/chat", "ws://example.com:81/chat")), error::wrong_location,
                     ":81");
    }
}

BOOST_AUTO_TEST_CASE(sixteen_bytes_of_draft_76_must_fit_the_keys) {
    auto const h = make(wanting(protocol_version::hixie_76));
    auto good = answer_to(h, protocol_version::hixie_76);
    for (std::size_t i = good.size() - 16; i < good.size(); ++i) {
        auto bad = good;
        bad[i] = static_cast<char>(bad[i] ^ 1);
        check_failed(run(h, bad), error::wrong_challenge_answer, "hixie-76 4.1");
    }
}

BOOST_AUTO_TEST_CASE(redirect_is_told_when_the_answer_is_one) {
    auto h = make(wanting(protocol_version::hybi_13));
    h.put("HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n");
    BOOST_TEST(h.redirect().value() == "/elsewhere");
    auto other = make(wanting(protocol_version::hybi_13));
    auto const refusal = std::string("HTTP/1.1 404 Not Found\r\nLocation: /elsewhere\r\nContent-Length: 5\r\n\r\n");
    other.put(refusal);
    BOOST_TEST(other.reads_body());
    other.put(refusal + "sorry");
    BOOST_TEST(!other.reads_body());
    BOOST_TEST(!other.redirect());
}

BOOST_AUTO_TEST_CASE(compression_that_was_agreed_on_is_told) {
    auto wanted = wanting(protocol_version::hybi_13);
    wanted.compression.mode = compression_mode::dedicated;
    auto h = make(wanted);
    BOOST_TEST(h.request().header("Sec-WebSocket-Extensions") ==
               "permessage-deflate; client_max_window_bits; server_max_window_bits=12, permessage-deflate; "
               "client_max_window_bits");
    BOOST_TEST((run(h, answer_to(h, wanted.version)).status == state::agreed));
    h.put(
        answer_to(h, wanted.version, {}, "permessage-deflate; server_max_window_bits=11; client_no_context_takeover"));
    BOOST_TEST_REQUIRE(h.deflate().has_value());
    BOOST_TEST(h.deflate()->server_max_window_bits == 11);
    BOOST_TEST(h.deflate()->client_no_context_takeover);
    BOOST_TEST(!h.deflate()->server_no_context_takeover);
    // An answer to the second offer, which leaves the window to the server.
    auto second = make(wanted);
    second.put(answer_to(second, wanted.version, {}, "permessage-deflate; server_max_window_bits=15"));
    BOOST_TEST_REQUIRE(second.deflate().has_value());
    BOOST_TEST(second.deflate()->server_max_window_bits == 15);
    for (auto const* const bad :
         {"x-webkit-deflate-frame", "permessage-deflate; server_max_window_bits=16",
          "permessage-deflate; client_max_window_bits", "permessage-deflate; mystery=1",
          "permessage-deflate, permessage-deflate", "permessage-deflate; server_max_window_bits=7",
          "permessage-deflate; client_max_window_bits=10; client_max_window_bits=10"}) {
        auto const fresh = make(wanted);
        check_failed(run(fresh, answer_to(fresh, wanted.version, {}, bad)), error::wrong_extension, "RFC 7692 7.1");
    }
    auto const fresh = make(wanted);
    check_failed(run(fresh, answer_to(fresh, wanted.version, {}, "permessage-deflate; =")), error::wrong_extension,
                 "malformed");
}

BOOST_AUTO_TEST_CASE(client_that_forgets_wants_a_server_that_does) {
    auto wanted = wanting(protocol_version::hybi_13);
    wanted.compression.mode = compression_mode::shared;
    auto h = make(wanted);
    BOOST_TEST(h.request().header("Sec-WebSocket-Extensions") ==
               "permessage-deflate; server_no_context_takeover; client_no_context_takeover; client_max_window_bits");
    h.put(answer_to(h, wanted.version, {}, "permessage-deflate; server_no_context_takeover"));
    BOOST_TEST_REQUIRE(h.deflate().has_value());
    BOOST_TEST(h.deflate()->client_no_context_takeover);  // as it said, whether or not the server says so
    auto const fresh = make(wanted);
    check_failed(run(fresh, answer_to(fresh, wanted.version, {}, "permessage-deflate")), error::wrong_extension,
                 "does not fit the offer");
}

BOOST_AUTO_TEST_SUITE_END()
