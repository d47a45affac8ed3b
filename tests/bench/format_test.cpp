#include "format.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

using namespace wsio::bench;
using namespace std::string_literals;

BOOST_AUTO_TEST_SUITE(format_)

BOOST_AUTO_TEST_CASE(numbers_have_commas) {
    BOOST_TEST(with_commas(0) == "0");
    BOOST_TEST(with_commas(999) == "999");
    BOOST_TEST(with_commas(1000) == "1,000");
    BOOST_TEST(with_commas(9061234.4) == "9,061,234");
    BOOST_TEST(with_commas(-1234) == "-1,234");
}

BOOST_AUTO_TEST_CASE(times_have_the_unit_that_suits) {
    BOOST_TEST(as_time(999) == "999 ns");
    BOOST_TEST(as_time(3312) == "3.31 us");
    BOOST_TEST(as_time(12'345'678) == "12.3 ms");
    BOOST_TEST(as_time(2.5e9) == "2.50 s");
}

BOOST_AUTO_TEST_CASE(sizes_have_the_unit_that_suits) {
    BOOST_TEST(as_bytes(1472) == "1472 B");
    BOOST_TEST(as_bytes(12'340) == "12.3 kB");
    BOOST_TEST(as_bytes(6'100'000) == "6.10 MB");
    BOOST_TEST(as_bytes(-500) == "-500 B");
}

BOOST_AUTO_TEST_CASE(json_strings_are_quoted) {
    BOOST_TEST(as_json("a\"b\\c\n") == "\"a\\\"b\\\\c\\u000a\"");
    BOOST_TEST(as_json("caf\xC3\xA9") == "\"caf\xC3\xA9\"");
    BOOST_TEST(as_json("\x7F\xC2\x9B") == "\"\\u007f\\u009b\"");
}

BOOST_AUTO_TEST_CASE(json_strings_are_utf_8_whatever_comes) {
    BOOST_TEST(as_json("a\xFFz") == "\"a\\ufffdz\"");
    BOOST_TEST(as_json("\xE2\x82") == "\"\\ufffd\\ufffd\"");
}

BOOST_AUTO_TEST_CASE(a_terminal_gets_no_commands_from_a_server) {
    BOOST_TEST(without_controls("plain caf\xC3\xA9 \xE2\x82\xAC") == "plain caf\xC3\xA9 \xE2\x82\xAC");
    BOOST_TEST(without_controls("a\tb\nc") == "a\tb\nc");
    BOOST_TEST(without_controls("\x1B]0;owned\x07") == "\\x1b]0;owned\\x07");
    BOOST_TEST(without_controls("\r\b\x7F\0"s + "x") == "\\x0d\\x08\\x7f\\x00x");
    BOOST_TEST(without_controls("\xC2\x9B"
                                "2J") == "\\x9b2J");  // U+009B, which is ESC [
    BOOST_TEST(without_controls("\xC2\xA0") == "\xC2\xA0");
    BOOST_TEST(without_controls("\xC2\x80\xC2\x9F") == "\\x80\\x9f");
}

BOOST_AUTO_TEST_CASE(a_terminal_gets_no_bytes_that_are_no_utf_8) {
    BOOST_TEST(without_controls("\x9B"
                                "31m") == "\\x9b31m");  // a command where the terminal speaks Latin-1
    BOOST_TEST(without_controls("caf\xE9") == "caf\\xe9");
    BOOST_TEST(without_controls("\xE2\x82 \xC2") == "\\xe2\\x82 \\xc2");
    BOOST_TEST(without_controls("\xC0\x9B\xED\xA0\x80") == "\\xc0\\x9b\\xed\\xa0\\x80");  // overlong; a surrogate
    BOOST_TEST(without_controls("\xF0\x9F\x8C\x8D") == "\xF0\x9F\x8C\x8D");
}

BOOST_AUTO_TEST_SUITE_END()
