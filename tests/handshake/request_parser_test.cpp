#include "handshake/request_parser.hpp"

#include "handshake_tools.hpp"

#include <random>
#include <string>
#include <string_view>

BOOST_AUTO_TEST_SUITE(handshake_request_parser)

using namespace wsio::handshake::test;
using wsio::handshake::request_limits;

namespace {

const std::string key1 = "18x 6]8vM;54 *(5:  {   U1]8  z [  8";

std::string hixie_76_request(std::string_view extra = "") {
    return "GET /chat HTTP/1.1\r\nHost: example.com\r\nConnection: Upgrade\r\nSec-WebSocket-Key1: " + key1 +
           "\r\nUpgrade: WebSocket\r\nSec-WebSocket-Key2: 1_ tx7X d  <  nw  334J702) 7]o}` 0\r\n" + std::string(extra) +
           "Origin: http://example.com\r\n\r\n";
}

std::string post_with(std::string_view lines, std::string_view body) {
    return "POST / HTTP/1.1\r\nHost: a\r\n" + std::string(lines) + "\r\n" + std::string(body);
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_plain_request_is_read) {
    auto const got = parse("GET /a?b=c HTTP/1.1\r\nHost: example.com\r\nX-Empty:\r\nX-Trim: \t a  b \t\r\n\r\n");
    BOOST_TEST((got.status == state::complete));
    BOOST_TEST(got.method == "GET");
    BOOST_TEST(got.target == "/a?b=c");
    BOOST_TEST(got.minor == 1U);
    BOOST_TEST(got.keep_alive);
    BOOST_REQUIRE(got.fields.size() == 3U);
    BOOST_TEST(got.fields[1].second.empty());
    BOOST_TEST(got.fields[2].first == "X-Trim");
    BOOST_TEST(got.fields[2].second == "a  b");
}

BOOST_AUTO_TEST_CASE(http_1_0_is_read_and_closes_unless_asked) {
    BOOST_TEST(!parse("GET / HTTP/1.0\r\n\r\n").keep_alive);
    BOOST_TEST(parse("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").keep_alive);
    BOOST_TEST(parse("GET / HTTP/1.0\r\n\r\n").minor == 0U);
    BOOST_TEST(!parse(get_with("Connection: close\r\n")).keep_alive);
}

BOOST_AUTO_TEST_CASE(a_body_of_a_given_length_is_read) {
    std::string const bytes("he\0lo", 5);
    auto const got = parse(post_with("Content-Length: 5\r\n", bytes + "GET "));
    BOOST_TEST((got.status == state::complete));
    BOOST_TEST((got.body == bytes));
    BOOST_TEST(got.rest == "GET ");
    BOOST_TEST(parse(post_with("Content-Length: 0\r\n", "GET ")).rest == "GET ");
    BOOST_TEST((parse(post_with("Content-Length: 5\r\n", "hell")).status == state::body));
}

BOOST_AUTO_TEST_CASE(a_chunked_body_is_read_and_its_trailer_left_out) {
    auto const got = parse(post_with("Transfer-Encoding: Chunked\r\n",
                                     "5\r\nhello\r\nA;name=\"a b\"\r\n, world!!!\r\n0\r\nX-Trailer: a\r\n\r\nGET "));
    BOOST_TEST((got.status == state::complete));
    BOOST_TEST(got.body == "hello, world!!!");
    BOOST_TEST(got.rest == "GET ");
    BOOST_TEST(got.fields.size() == 2U);
    BOOST_TEST(got.keep_alive);
    auto const none = parse(post_with("Transfer-Encoding: chunked\r\n", "0\r\n\r\n"));
    BOOST_TEST((none.status == state::complete));
    BOOST_TEST(none.body.empty());
}

BOOST_AUTO_TEST_CASE(a_malformed_chunked_body_is_refused) {
    for (std::string const body :
         {"x\r\nhello", "5\r\nhelloX\r\n0\r\n\r\n", "-1\r\nhello", "5 5\r\nhello\r\n", "0x5\r\nhello\r\n0\r\n\r\n",
          "5;=\r\nhello\r\n", "11111111111111111\r\nhello", "\r\n5\r\nhello"})
        BOOST_TEST((parse(post_with("Transfer-Encoding: chunked\r\n", body)).error / 100 == 4U), body);
    check_refused(post_with("Transfer-Encoding: chunked\r\n", "zzzzz\r\n"), 400, "chunked body");
    check_refused(post_with("Transfer-Encoding: chunked\r\n", "5\nhello\r\n0\r\n\r\n"), 400, "chunked body");
    check_refused(post_with("Transfer-Encoding: chunked\r\n", "0\r\nbad trailer\r\n\r\n"), 400, "header line");
    // Whoever ends lines at a bare LF would see another request in the body.
    check_refused(post_with("Transfer-Encoding: chunked\r\n", "5;a=\"\nx\"\r\nA\r\n21\r\n0\r\n\r\n"), 400,
                  "chunked body");
    check_refused(post_with("Transfer-Encoding: chunked\r\n", "0;a=\"\x7F\"\r\n\r\n"), 400, "chunked body");
}

BOOST_AUTO_TEST_CASE(a_body_may_reach_its_limit_and_no_more) {
    request_limits const limits{.body_size = 10};
    BOOST_TEST(parse(post_with("Content-Length: 10\r\n", "0123456789"), limits).body == "0123456789");
    check_refused(post_with("Content-Length: 11\r\n", ""), 413, "larger than 10 bytes", limits);
    check_refused(post_with("Content-Length: 18446744073709551615\r\n", ""), 413, "larger than 10 bytes", limits);
    std::string const chunked = "Transfer-Encoding: chunked\r\n";
    BOOST_TEST(parse(post_with(chunked, "5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n"), limits).body == "helloworld");
    check_refused(post_with(chunked, "5\r\nhello\r\n6\r\nworld!\r\n0\r\n\r\n"), 413, "larger than 10 bytes", limits);
    check_refused(post_with(chunked, "ffffffffffffffff\r\nhello"), 413, "larger than 10 bytes", limits);
    check_refused(post_with(chunked, "5\r\nhello\r\nffffffffffffffff\r\nhello"), 413, "larger than 10 bytes", limits);
}

BOOST_AUTO_TEST_CASE(chunk_heads_and_trailers_are_bounded) {
    request_limits const limits{.head_size = 200, .header_count = 4};
    std::string const chunked = "Transfer-Encoding: chunked\r\n";
    auto const extension = [](std::size_t size) { return "1;a=" + std::string(size, 'b') + "\r\nx\r\n0\r\n\r\n"; };
    BOOST_TEST(parse(post_with(chunked, extension(200 - 6)), limits).body == "x");
    check_refused(post_with(chunked, extension(200 - 5)), 431, "chunk", limits);
    auto const trailer = [](std::size_t size) { return "0\r\nT: " + std::string(size, 'b') + "\r\n\r\n"; };
    BOOST_TEST((parse(post_with(chunked, trailer(200 - 10)), limits).status == state::complete));
    check_refused(post_with(chunked, trailer(200 - 9)), 431, "trailer", limits);
    BOOST_TEST((parse(post_with(chunked, "0\r\na: 1\r\nb: 1\r\n\r\n"), limits).status == state::complete));
    check_refused(post_with(chunked, "0\r\na: 1\r\nb: 1\r\nc: 1\r\n\r\n"), 431, "more than 4", limits);
}

BOOST_AUTO_TEST_CASE(an_expectation_is_told_while_the_body_is_awaited) {
    feeder waiting;
    waiting.put(post_with("Expect: 100-Continue\r\nContent-Length: 2\r\n", ""));
    BOOST_TEST((waiting.parser.status() == state::body));
    BOOST_TEST(waiting.parser.expects_continue());
    waiting.put("ab");
    BOOST_TEST((waiting.parser.status() == state::complete));
    BOOST_TEST(!waiting.parser.expects_continue());

    feeder older;
    older.put("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    BOOST_TEST(!older.parser.expects_continue());
}

BOOST_AUTO_TEST_CASE(an_upgrade_is_complete_behind_its_head) {
    for (std::string const lines :
         {"", "Content-Length: 8\r\n", "Content-Length: 99999999999\r\n", "Transfer-Encoding: chunked\r\n"}) {
        auto const got =
            parse(get_with("Upgrade: websocket\r\nConnection: Upgrade\r\n" + lines) + "GET /evil HTTP/1.1\r\n\r\n");
        BOOST_TEST((got.status == state::complete), lines);
        BOOST_TEST(got.body.empty());
        BOOST_TEST(got.rest == "GET /evil HTTP/1.1\r\n\r\n");
        BOOST_TEST(!got.keep_alive);  // so nobody reads the rest as a request
    }
}

BOOST_AUTO_TEST_CASE(other_upgrades_are_ordinary_requests) {
    auto const h2c =
        parse(get_with("Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nContent-Length: 2\r\n") + "ab");
    BOOST_TEST(h2c.body == "ab");
    BOOST_TEST(h2c.keep_alive);
}

BOOST_AUTO_TEST_CASE(hixie_76_keys_keep_their_inner_spaces_and_key3_stays_behind) {
    std::string const nonce("\r\n\r\n\0\xFF\n\r", 8);
    for (std::string const extra : {"", "Content-Length: 8\r\n"}) {
        auto const got = parse(hixie_76_request(extra) + nonce + std::string("\0hello\xFF", 7));
        BOOST_REQUIRE((got.status == state::complete));
        BOOST_TEST(got.fields[2].second == key1);
        BOOST_TEST(got.fields[4].second == "1_ tx7X d  <  nw  334J702) 7]o}` 0");
        BOOST_TEST((got.rest == nonce + std::string("\0hello\xFF", 7)));
    }
}

BOOST_AUTO_TEST_CASE(bytes_above_ascii_pass_in_values_and_targets) {
    auto const got = parse("GET /\xC3\xA9 HTTP/1.1\r\nHost: a\r\nX: \x80\xFF\r\n\r\n");
    BOOST_TEST((got.status == state::complete));
    BOOST_TEST(got.target == "/\xC3\xA9");
    BOOST_TEST(got.fields[1].second == "\x80\xFF");
}

BOOST_AUTO_TEST_CASE(malformed_request_lines_are_refused) {
    for (std::string const line :
         {"GET /", "GET", "GET  / HTTP/1.1", "GET / HTTP/1.1 ", "GET / x HTTP/1.1", "GET / http/1.1", "GET / HTTP/1",
          "GET / HTTP/1.10", "GET /\tHTTP/1.1", "G(T / HTTP/1.1", " GET / HTTP/1.1", "GET / HTTPS/1.1",
          "GET /a b HTTP/1.1", "/ HTTP/1.1", "GET / HTTP/A.1"})
        check_refused(line + "\r\nHost: a\r\n\r\n", 400, "the request line is malformed");
}

BOOST_AUTO_TEST_CASE(a_refusal_knows_that_it_answers_head) {
    for (std::string const method : {"GET", "HEAD"})
        for (std::string const head : {" / HTTP/1.1\r\n\r\n", " / HTTP/1.1\r\nHost a\r\n\r\n"}) {
            feeder fed;
            fed.put(method + head);
            BOOST_TEST((fed.parser.status() == state::failed));
            BOOST_TEST(fed.parser.error().to_head == (method == "HEAD"));
        }
}

BOOST_AUTO_TEST_CASE(an_absolute_target_replaces_the_host) {
    auto const result = parse("GET http://good.example/chat HTTP/1.1\r\nHost: other.example\r\nX: 1\r\n\r\n");
    BOOST_TEST((result.status == state::complete));
    BOOST_TEST(result.target == "http://good.example/chat");
    BOOST_TEST(
        (result.fields == std::vector<std::pair<std::string, std::string>>{{"X", "1"}, {"Host", "good.example"}}));
    check_refused("GET http:///chat HTTP/1.1\r\nHost: a\r\n\r\n", 400, "names no host");
    check_refused("GET http://a/chat HTTP/1.1\r\n\r\n", 400, "Host field is missing");
    BOOST_TEST((parse("GET http://a/chat HTTP/1.0\r\n\r\n").status == state::complete));
}

BOOST_AUTO_TEST_CASE(a_higher_minor_version_is_read_as_http_1_1) {
    for (std::string const version : {"1.2", "1.9"}) {
        auto const result = parse("GET /a HTTP/" + version + "\r\nHost: a\r\n\r\nrest");
        BOOST_TEST((result.status == state::complete), version);
        BOOST_TEST(result.minor == 1U);
        BOOST_TEST(result.target == "/a");
        BOOST_TEST(result.keep_alive);
        BOOST_TEST(result.rest == "rest");
    }
    check_refused("GET / HTTP/1.2 \r\nHost: a\r\n\r\n", 400, "the request line is malformed");
    check_refused("GET / HTTP/1.2\r\n\r\n", 400, "Host field is missing");
}

BOOST_AUTO_TEST_CASE(other_http_versions_are_refused_with_505) {
    for (std::string const line : {"GET / HTTP/2.0", "PRI * HTTP/2.0", "GET / HTTP/0.9", "GET / HTTP/3.0"})
        check_refused(line + "\r\nHost: a\r\n\r\n", 505, "use HTTP/1.1");
}

BOOST_AUTO_TEST_CASE(malformed_header_lines_are_refused) {
    check_refused(get_with("no colon\r\n"), 400, "a header line is malformed");
    check_refused(get_with(": no name\r\n"), 400, "a header line is malformed");
    check_refused(get_with("Space : before colon\r\n"), 400, "a header line is malformed");
    check_refused(get_with("Bad(name): x\r\n"), 400, "a header line is malformed");
    check_refused(get_with("\xC3\xA9: x\r\n"), 400, "a header line is malformed");
    check_refused(get_with("Connection: a b\r\n"), 400, "a header line is malformed");
}

BOOST_AUTO_TEST_CASE(the_host_field_is_checked) {
    check_refused("GET / HTTP/1.1\r\n\r\n", 400, "Host field is missing");
    check_refused("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400, "more than one Host");
    check_refused("GET / HTTP/1.0\r\nHost: a\r\nhost: b\r\n\r\n", 400, "more than one Host");
    for (std::string const host : {"a b", "a/b", "a,b", "user@a", "a:x", "a:99999", "[::1", "::1", "a:1:2", ":80", "a#",
                                   "a?b", "\xC3\xA9", "a\tb", "[a]", "<a>", "a%00"})
        check_refused("GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n", 400, "the Host field is malformed");
    for (std::string const host : {"", "a", "a:", "a:80", "A_b-c.example.", "127.0.0.1:1", "[::1]:80", "[2001:db8::1]"})
        BOOST_TEST((parse("GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n").status == state::complete), host);
}

BOOST_AUTO_TEST_CASE(ambiguous_body_lengths_are_refused) {
    check_refused(post_with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", ""), 400, "Transfer-Encoding");
    check_refused(post_with("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", ""), 400, "Transfer-Encoding");
    check_refused(post_with("Transfer-Encoding: gzip\r\nContent-Length: 5\r\n", ""), 400, "Transfer-Encoding");
    check_refused(post_with("Content-Length: 5\r\nContent-Length: 6\r\n", ""), 400, "Content-Length");
    check_refused(post_with("Content-Length: 5, 6\r\n", ""), 400, "Content-Length");
    for (std::string const length :
         {"", "-1", "+1", "0x5", "5 5", "5;", "a", "1.0", "18446744073709551616", ",5", "5,"})
        check_refused(post_with("Content-Length: " + length + "\r\n", ""), 400, "Content-Length");
    BOOST_TEST(parse(post_with("Content-Length: 2\r\nContent-Length: 2\r\n", "ab")).body == "ab");
}

BOOST_AUTO_TEST_CASE(transfer_codings_other_than_chunked_are_refused) {
    for (std::string const codings : {"gzip", "identity", "gzip, chunked", "xchunked", "chunked;q=1", "\"chunked\""})
        check_refused(post_with("Transfer-Encoding: " + codings + "\r\n", ""), 501, "transfer coding");
    check_refused(post_with("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", ""), 501, "transfer coding");
    for (std::string const codings : {"", "chunked, gzip", "chunked, chunked"})
        check_refused(post_with("Transfer-Encoding: " + codings + "\r\n", ""), 400, "Transfer-Encoding");
    check_refused(post_with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", ""), 400,
                  "Transfer-Encoding");
    check_refused("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "HTTP/1.0");
}

BOOST_AUTO_TEST_CASE(a_failed_parser_takes_nothing_more) {
    feeder failed;
    failed.put("nonsense\n");
    BOOST_TEST((failed.parser.status() == state::failed));
    BOOST_TEST(failed.parser.put("GET / HTTP/1.1\r\nHost: a\r\n\r\n") == 0U);
    BOOST_TEST((failed.parser.status() == state::failed));
}

BOOST_AUTO_TEST_CASE(a_parser_can_be_moved_between_two_pieces) {
    wsio::handshake::request_parser first({});
    std::string const text = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    BOOST_TEST(first.put(text.substr(0, 10)) == 0U);
    auto second = std::move(first);
    BOOST_TEST(second.put(text) == text.size());
    BOOST_TEST((second.status() == state::complete));
}

// Every mutation must end in some state, whole and byte by byte the same (the sanitizers watch).
BOOST_AUTO_TEST_CASE(a_parser_can_be_replaced_for_the_next_request) {
    feeder reader;
    reader.put("GET /first HTTP/1.1\r\nHost: a\r\n\r\n");
    BOOST_TEST(reader.finish().target == "/first");
    BOOST_TEST(reader.parser.keep_alive());
    reader.parser = wsio::handshake::request_parser(request_limits{});
    BOOST_TEST((reader.parser.status() == state::head));
    BOOST_TEST(!reader.parser.keep_alive());
    reader.put("GET /second HTTP/1.1\r\nHost: a\r\n\r\n");
    BOOST_TEST(reader.finish().target == "/second");
}

BOOST_AUTO_TEST_CASE(mutated_requests_never_depend_on_the_cut) {
    std::mt19937 random(6455);
    std::string const seeds[] = {
        post_with("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\nA: b\r\n\r\nGET "),
        post_with("Content-Length: 5\r\nConnection: close\r\n", "hello"), hixie_76_request(),
        get_with("Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n")};
    std::string const bytes = std::string("\r\n\0 \t:;,\"05fFG\x7F\xFF", 17);
    for (int round = 0; round < 2000; ++round) {
        auto text = seeds[random() % std::size(seeds)];
        for (auto count = 1 + random() % 4; count > 0; --count) {
            auto const at = random() % text.size();
            auto const byte = bytes[random() % bytes.size()];
            if (random() % 3 == 0)
                text.erase(at, 1 + random() % 3);
            else if (random() % 2 == 0)
                text.insert(at, 1, byte);
            else
                text[at] = byte;
        }
        auto const got = parse(text);
        BOOST_TEST((got.status != state::failed || !got.reason.empty()));
    }
}

BOOST_AUTO_TEST_SUITE_END()
