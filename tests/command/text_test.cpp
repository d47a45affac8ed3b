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

BOOST_AUTO_TEST_CASE(an_ending_is_told_from_the_client_s_side) {
    using enum wsio::ended_by;
    using wsio::close_code;
    BOOST_TEST(describe_ending({application, close_code::normal, "", "whatever", true}) == "closed: 1000 normal");
    BOOST_TEST(describe_ending({peer, close_code::going_away, "bye\x1B", "", true}) ==
               "closed by the server: 1001 going away \"bye\\x1b\"");
    BOOST_TEST(describe_ending({network, close_code::abnormal, "", "no route", false}) ==
               "ended: 1006 abnormal, ended by the network: no route");
}

BOOST_AUTO_TEST_CASE(a_failure_is_told_without_the_name_of_the_library) {
    BOOST_TEST(message_of({wsio::error::bad_url, "\x1B is no URL"}) == "\\x1b is no URL");
}

BOOST_AUTO_TEST_SUITE_END()
