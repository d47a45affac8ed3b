#include "handshake/head_scanner.hpp"

#include <algorithm>
#include <ctime>
#include <limits>
#include <string>

#include "handshake_tools.hpp"

// The scanner is tested as the first part of a request_parser, so that what passes it is read to the end.
BOOST_AUTO_TEST_SUITE(handshake_head_scanner)

using namespace wsio::handshake::test;
using wsio::handshake::request_limits;

namespace {

/// Makes a request whose head has exactly `size` bytes.
std::string head_of(std::size_t size) {
    std::string const start = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
    return start + std::string(size - start.size() - 4, 'x') + "\r\n\r\n";
}

std::string with_fields(std::size_t count) {
    std::string text = "GET / HTTP/1.1\r\nHost: a\r\n";
    for (std::size_t i = 1; i < count; ++i) text += "N" + std::to_string(i) + ": v\r\n";
    return text + "\r\n";
}

}  // namespace

BOOST_AUTO_TEST_CASE(empty_lines_before_a_request_are_skipped) {
    BOOST_TEST((parse("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n").status == state::complete));
}

BOOST_AUTO_TEST_CASE(folded_lines_are_refused) {
    check_refused(get_with("X: a\r\n b\r\n"), 400, "folded");
    check_refused(get_with("X: a\r\n\tb\r\n"), 400, "folded");
    check_refused(get_with("X:\r\n \r\n"), 400, "folded");
    check_refused("GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400, "folded");
}

BOOST_AUTO_TEST_CASE(bare_line_ends_are_refused) {
    check_refused("GET / HTTP/1.1\nHost: a\n\n", 400, "bare LF");
    check_refused(get_with("X: a\nY: b\r\n"), 400, "bare LF");
    check_refused("\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "bare LF");
    check_refused(get_with("X: a\rY: b\r\n"), 400, "CR");
    check_refused(get_with("X: a\r\r\n"), 400, "CR");
    check_refused("GET / HTTP/1.1\r\nHost: a\r\n\rX", 400, "CR");
}

BOOST_AUTO_TEST_CASE(control_characters_are_refused_at_once) {
    for (int c = 0; c < 0x80; ++c) {
        if (c == '\t' || c == '\r' || c == '\n' || (c >= 0x20 && c != 0x7F)) continue;
        auto const byte = std::string(1, static_cast<char>(c));
        check_refused("GET /" + byte, 400, "control character");
        check_refused("GET / HTTP/1.1\r\nHost: a\r\nX: a" + byte, 400, "control character");
        check_refused("GET / HTTP/1.1\r\nHost: a\r\nX" + byte, 400, "control character");
    }
    check_refused("\x16\x03\x01\x02", 400, "control character");  // TLS on a plain port
}

BOOST_AUTO_TEST_CASE(a_head_may_reach_its_limit_and_no_more) {
    request_limits const limits{.head_size = 300};
    BOOST_TEST((parse(head_of(300), limits).status == state::complete));
    BOOST_TEST((parse(head_of(300) + "rest", limits).rest == "rest"));
    check_refused(head_of(301), 431, "larger than 300 bytes", limits);
    check_refused(head_of(1000), 431, "larger than 300 bytes", limits);
    check_refused("GET /" + std::string(300, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n", 414, "longer than 300 bytes",
                  limits);
    check_refused(std::string(300, 'G'), 414, "longer than 300 bytes", limits);
    BOOST_TEST((parse(std::string(299, 'G'), limits).status == state::head));
}

BOOST_AUTO_TEST_CASE(header_fields_may_reach_their_limit_and_no_more) {
    BOOST_TEST((parse(with_fields(100)).status == state::complete));
    check_refused(with_fields(101), 431, "more than 100 header fields");
    request_limits const limits{.header_count = 3};
    BOOST_TEST((parse(with_fields(3), limits).status == state::complete));
    check_refused(with_fields(4), 431, "more than 3 header fields", limits);
}

BOOST_AUTO_TEST_CASE(absurd_heads_are_refused) {
    check_refused(with_fields(10000), 431, "header fields");
    check_refused("GET /" + std::string(1 << 20, 'a'), 414, "longer than 16384 bytes");
    check_refused("GET / HTTP/1.1\r\nX: " + std::string(1 << 20, 'a'), 431, "larger than 16384 bytes");
    check_refused("GET / HTTP/1.1\r\nX: " + std::string(1 << 20, ' '), 431, "larger than 16384 bytes");
    check_refused(std::string(1 << 20, ' '), 414, "longer than 16384 bytes");
    check_refused(std::string(1 << 20, '\0'), 400, "control character");
    std::string empty_lines;
    for (int i = 0; i < 10000; ++i) empty_lines += "\r\n";
    check_refused(empty_lines, 414, "longer than 16384 bytes");
}

// Gives the processor time that a head of so many bytes takes when each byte comes alone.
std::clock_t cost_of(std::size_t size) {
    auto const head = head_of(size);
    auto least = std::numeric_limits<std::clock_t>::max();
    for (int i = 0; i < 3; ++i) {
        wsio::handshake::request_parser parser({.head_size = size});
        auto const begin = std::clock();
        std::size_t used = 0;
        for (std::size_t come = 1; come <= head.size(); ++come) used += parser.put({head.data(), come});
        least = std::min(least, std::clock() - begin);
        BOOST_TEST((parser.status() == state::complete));
        BOOST_TEST(used == head.size());
    }
    return least;
}

BOOST_AUTO_TEST_CASE(a_head_byte_by_byte_costs_linear_time) {
    auto const small = std::max<std::clock_t>(cost_of(64 * 1024), 1);
    auto const large = cost_of(512 * 1024);
    BOOST_TEST(large / small < 24, small << " and " << large);  // 8, or 64 if it were quadratic
}

BOOST_AUTO_TEST_SUITE_END()
