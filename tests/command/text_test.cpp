#include "text.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

using namespace wsio::command;
using namespace std::string_literals;

BOOST_AUTO_TEST_SUITE(text_)

BOOST_AUTO_TEST_CASE(bytes_become_digits_and_digits_bytes) {
    auto const bytes = "\x00\x01\x7F\x80\xFE\xFF"s;
    BOOST_TEST(to_hex(bytes) == "00017f80feff");
    BOOST_TEST(to_hex(bytes, " ") == "00 01 7f 80 fe ff");
    BOOST_TEST(to_hex("") == "");
    BOOST_TEST((from_hex("00017f80feff") == bytes));
    BOOST_TEST((from_hex(" 00 01 7F80 FE  ff ") == bytes));
    BOOST_TEST((from_hex("") == ""s));
}

BOOST_AUTO_TEST_CASE(what_is_no_hexadecimal_is_nothing) {
    for (auto const* const wrong : {"0", "0 0", "0x00", "gg", "00,01", "00\n"}) BOOST_TEST(!from_hex(wrong), wrong);
}

BOOST_AUTO_TEST_CASE(a_terminal_gets_no_commands_from_a_server) {
    BOOST_TEST(without_controls("plain caf\xC3\xA9 \xE2\x82\xAC") == "plain caf\xC3\xA9 \xE2\x82\xAC");
    BOOST_TEST(without_controls("a\tb\nc") == "a\tb\nc");
    BOOST_TEST(without_controls("\x1B]0;owned\x07") == "\\x1b]0;owned\\x07");
    BOOST_TEST(without_controls("\r\b\x7F\0"s + "x") == "\\x0d\\x08\\x7f\\x00x");
    BOOST_TEST(without_controls("\xC2\x9B"
                                "2J") == "\\x9b2J");  // U+009B, which is ESC [
    BOOST_TEST(without_controls("\xC2\xA0") == "\xC2\xA0");
}

BOOST_AUTO_TEST_SUITE_END()
