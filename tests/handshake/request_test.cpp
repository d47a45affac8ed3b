#include <wsio/request.hpp>

#include <boost/asio/ip/address.hpp>
#include <boost/test/unit_test.hpp>

#include <string>

BOOST_AUTO_TEST_SUITE(handshake_request)

using wsio::endpoint;
using wsio::request;

BOOST_AUTO_TEST_CASE(a_target_is_split_at_the_first_question_mark) {
    request const asked("GET", "/chat?room=1?2");
    BOOST_TEST(asked.path() == "/chat");
    BOOST_TEST(asked.query() == "room=1?2");
    request const plain("GET", "/chat");
    BOOST_TEST(plain.path() == "/chat");
    BOOST_TEST(plain.query().empty());
}

BOOST_AUTO_TEST_CASE(a_query_field_is_found_by_its_name) {
    request const asked("GET", "/?room=1&name=a%20b&empty=&flag&room=2");
    BOOST_TEST(asked.query("room") == "1");
    BOOST_TEST(asked.query("name") == "a b");
    BOOST_TEST(asked.query("empty").empty());
    BOOST_TEST(asked.query("flag").empty());
    BOOST_TEST(asked.query("absent").empty());
    BOOST_TEST(asked.query("roo").empty());
}

BOOST_AUTO_TEST_CASE(plus_and_percent_signs_are_decoded_in_names_and_values) {
    request const asked("GET", "/?a+b=1%2B1%3D2&%C3%A9=%e2%82%AC&x=a=b&nul=%00");
    BOOST_TEST(asked.query("a b") == "1+1=2");
    BOOST_TEST(asked.query("\xC3\xA9") == "\xE2\x82\xAC");
    BOOST_TEST(asked.query("x") == "a=b");
    BOOST_TEST(asked.query("nul") == std::string(1, '\0'));
}

BOOST_AUTO_TEST_CASE(a_percent_sign_without_two_digits_stays) {
    request const asked("GET", "/?a=100%&b=%4&c=%zz&d=%4g1&e=%%41");
    BOOST_TEST(asked.query("a") == "100%");
    BOOST_TEST(asked.query("b") == "%4");
    BOOST_TEST(asked.query("c") == "%zz");
    BOOST_TEST(asked.query("d") == "%4g1");
    BOOST_TEST(asked.query("e") == "%A");
}

BOOST_AUTO_TEST_CASE(an_endpoint_writes_its_address_and_port) {
    namespace ip = boost::asio::ip;
    BOOST_TEST((endpoint{ip::make_address("127.0.0.1"), 3000}.to_string()) == "127.0.0.1:3000");
    BOOST_TEST((endpoint{ip::make_address("::1"), 3000}.to_string()) == "[::1]:3000");
    BOOST_TEST((endpoint{ip::make_address("2001:db8::1")}.to_string()) == "2001:db8::1");
    BOOST_TEST((endpoint{{}, 0, "unix:/run/echo.sock"}.to_string()) == "unix:/run/echo.sock");
    BOOST_TEST((endpoint{{}, 0, "unix:"}.to_string()) == "unix:");
    BOOST_TEST((endpoint{}.to_string()) == "0.0.0.0");
}

BOOST_AUTO_TEST_CASE(the_client_is_the_remote_endpoint_until_it_is_known_to_be_another) {
    auto const proxy = endpoint{boost::asio::ip::make_address("10.0.0.1"), 4711};
    auto const client = endpoint{boost::asio::ip::make_address("203.0.113.9")};
    request asked("GET", "/");
    asked.remote_endpoint(proxy);
    BOOST_TEST((asked.client_endpoint() == proxy));
    asked.client_endpoint(client);
    BOOST_TEST((asked.client_endpoint() == client));
    BOOST_TEST((asked.remote_endpoint() == proxy));
}

BOOST_AUTO_TEST_SUITE_END()
