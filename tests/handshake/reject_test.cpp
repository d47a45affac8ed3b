#include "handshake_tools.hpp"

#include <string>

BOOST_AUTO_TEST_SUITE(handshake_reject)

using namespace wsio::handshake::test;
using namespace wsio::handshake;

BOOST_AUTO_TEST_CASE(a_refusal_is_a_whole_response) {
    BOOST_TEST(without_date(reject_response({400, "what was wrong"})) ==
               "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n"
               "Content-Length: 15\r\n\r\nwhat was wrong\n");
}

BOOST_AUTO_TEST_CASE(an_answer_to_head_says_how_long_the_body_would_be) {
    BOOST_TEST(without_date(reject_response({.status = 400, .reason = "what was wrong", .to_head = true})) ==
               "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n"
               "Content-Length: 15\r\n\r\n");
}

BOOST_AUTO_TEST_CASE(the_application_may_give_the_date) {
    BOOST_TEST(reject_response({400, "no", {{"Date", "Sun, 06 Nov 1994 08:49:37 GMT"}}}) ==
               "HTTP/1.1 400 Bad Request\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nConnection: close\r\n"
               "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 3\r\n\r\nno\n");
}

BOOST_AUTO_TEST_CASE(a_version_that_is_not_spoken_gets_the_list) {
    BOOST_TEST(without_date(reject_response(refused(get(hybi_fields("14"))))) ==
               "HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13, 8, 7\r\n"
               "Connection: close, Upgrade\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 66\r\n\r\n"
               "this Sec-WebSocket-Version is not supported; use one of: 13, 8, 7\n");
}

BOOST_AUTO_TEST_CASE(no_refusal_repeats_what_the_client_sent) {
    for (auto const* name : {"Host", "Upgrade", "Connection", "Sec-WebSocket-Version", "Sec-WebSocket-Key", "Origin",
                             "Sec-WebSocket-Protocol"}) {
        auto const request = get(with(without(hybi_fields(), name), name, "<script> forged"), "/forged");
        auto const result = recognise(request, {});
        if (auto const* refusal = std::get_if<rejection>(&result))
            BOOST_TEST((reject_response(*refusal).find("forged") == std::string::npos), name);
    }
}

BOOST_AUTO_TEST_CASE(fields_of_the_application_cannot_change_the_framing) {
    rejection refusal{401,
                      "log in",
                      {{"WWW-Authenticate", "Basic"},
                       {"connection", "keep-alive"},
                       {"Content-Length", "0"},
                       {"Transfer-Encoding", "chunked"},
                       {"Content-Type", "application/json"}}};
    BOOST_TEST(without_date(reject_response(refusal)) ==
               "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\nContent-Type: application/json\r\n"
               "Connection: close\r\nContent-Length: 7\r\n\r\nlog in\n");
}

BOOST_AUTO_TEST_CASE(every_status_has_a_phrase) {
    for (unsigned const status : {100U, 101U, 200U, 400U, 401U, 403U, 404U, 405U, 408U, 413U, 414U, 426U, 429U, 431U,
                                  500U, 501U, 503U, 505U, 511U})
        BOOST_TEST(reason_phrase(status) != "Unknown", status);
    BOOST_TEST(reason_phrase(426) == "Upgrade Required");
    BOOST_TEST(reason_phrase(501) == "Not Implemented");
    for (unsigned const status : {0U, 99U, 299U, 418U, 600U, 4000000000U})
        BOOST_TEST(reason_phrase(status) == "Unknown");
}

BOOST_AUTO_TEST_SUITE_END()
