#include "typed.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

using namespace wsio::command;
using wsio::close_code;

namespace {

template <typename Meaning>
Meaning read_as(std::string_view line) {
    auto const meant = read_typed(line);
    BOOST_TEST_REQUIRE(std::holds_alternative<Meaning>(meant), line);
    return std::get<Meaning>(meant);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(typed_)

BOOST_AUTO_TEST_CASE(a_line_is_a_text) {
    BOOST_TEST(read_as<typed::text>("hello").content == "hello");
    BOOST_TEST(read_as<typed::text>("").content == "");
    BOOST_TEST(read_as<typed::text>(" /ping").content == " /ping");
    BOOST_TEST(read_as<typed::text>("//ping").content == "/ping");
}

BOOST_AUTO_TEST_CASE(a_slash_begins_a_command) {
    BOOST_TEST(read_as<typed::ping>("/ping").payload == "");
    BOOST_TEST(read_as<typed::ping>("/ping are you there").payload == "are you there");
    BOOST_TEST((read_as<typed::bytes>("/binary 00 01fe").content == std::string("\x00\x01\xFE", 3)));
    BOOST_TEST((read_as<typed::close>("/close").code == close_code::normal));
    BOOST_TEST((read_as<typed::close>("/quit").code == close_code::normal));
    auto const close = read_as<typed::close>("/close 4001 that is enough");
    BOOST_TEST((close.code == close_code{4001}));
    BOOST_TEST(close.reason == "that is enough");
    read_as<typed::help>("/help");
}

BOOST_AUTO_TEST_CASE(what_cannot_be_sent_is_a_mistake) {
    for (auto const* const wrong : {"/binary 0", "/binary xy", "/close 999", "/close 1005", "/close 1006",
                                    "/close 1015", "/close 5000", "/close soon", "/close 70000", "/nothing", "/"})
        BOOST_TEST(!read_as<typed::mistake>(wrong).why.empty());
    read_as<typed::mistake>("/ping " + std::string(126, 'x'));
    read_as<typed::ping>("/ping " + std::string(125, 'x'));
    read_as<typed::mistake>("/close 1000 " + std::string(124, 'x'));
    read_as<typed::close>("/close 1000 " + std::string(123, 'x'));
}

BOOST_AUTO_TEST_SUITE_END()
