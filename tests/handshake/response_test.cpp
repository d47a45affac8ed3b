#include "handshake/response.hpp"

#include "handshake_tools.hpp"

#include <stdexcept>
#include <string>

BOOST_AUTO_TEST_SUITE(handshake_response)

using namespace wsio::handshake;
using namespace wsio::handshake::test;
using wsio::http_response;

BOOST_AUTO_TEST_CASE(a_response_has_its_parts_in_order) {
    BOOST_TEST(without_date(response({.body = "hello", .fields = {{"X-A", "1"}, {"X-B", "2"}}}, false, true)) ==
               "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 5\r\n"
               "Connection: keep-alive\r\nX-A: 1\r\nX-B: 2\r\n\r\nhello");
}

BOOST_AUTO_TEST_CASE(fields_of_the_application_cannot_change_the_framing) {
    http_response const odd{.body = "hello",
                            .fields = {{"content-length", "0"},
                                       {"Transfer-Encoding", "chunked"},
                                       {"X-A", "1"},
                                       {"connection", "close"},
                                       {"Content-type", "text/html"}}};
    BOOST_TEST(without_date(response(odd, false, true)) ==
               without_date(response({.body = "hello", .fields = {{"X-A", "1"}}}, false, true)));
}

BOOST_AUTO_TEST_CASE(an_answer_to_head_says_how_long_the_body_would_be) {
    BOOST_TEST(without_date(response({.status = 404, .body = "nothing", .content_type = "text/html"}, true, false)) ==
               "HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\nContent-Length: 7\r\nConnection: close\r\n\r\n");
}

BOOST_AUTO_TEST_CASE(statuses_without_a_body_have_none) {
    for (unsigned const status : {100U, 204U, 304U}) {
        auto const text = without_date(response({.status = status, .body = "not sent"}, false, true));
        BOOST_TEST(text.ends_with("\r\nConnection: keep-alive\r\n\r\n"), text);
        BOOST_TEST((text.find("Content-") == std::string::npos), text);
    }
}

BOOST_AUTO_TEST_CASE(an_application_cannot_split_the_response) {
    BOOST_CHECK_THROW(static_cast<void>(response({.content_type = "text/html\r\nX: y"}, false, true)),
                      std::invalid_argument);
}

BOOST_AUTO_TEST_SUITE_END()
