#include "handshake_tools.hpp"

#include <stdexcept>
#include <string>
#include <vector>

BOOST_AUTO_TEST_SUITE(handshake_accept)

using namespace wsio::handshake::test;
using namespace wsio::handshake;

namespace {

std::string response(const wsio::request& request, std::string_view subprotocol = "") {
    auto const offer = accepted(request);
    return accept_head(offer.version, accept_fields(offer, request, subprotocol));
}

std::string location(wsio::request request, bool secure) {
    request.secure(secure);
    auto const offer = accepted(request);
    return std::string(accept_fields(offer, request, "")["Sec-WebSocket-Location"]);
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_hixie_75_response_is_exact) {
    std::string const expected =
        "HTTP/1.1 101 Web Socket Protocol Handshake\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n"
        "WebSocket-Origin: http://example.com\r\nWebSocket-Location: ws://example.com/chat\r\n\r\n";
    BOOST_TEST(response(get(hixie_75_fields())) == expected);
    // pywebsocket's client compares so many bytes, as the draft says.
    std::string const first =
        "HTTP/1.1 101 Web Socket Protocol Handshake\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n";
    BOOST_TEST(first.size() == 85U);
    BOOST_TEST(expected.substr(0, 85) == first);
}

BOOST_AUTO_TEST_CASE(the_hixie_75_response_ends_with_the_subprotocol) {
    auto const request = get(with(hixie_75_fields(), "WebSocket-Protocol", "sample"), "/demo?a=b");
    BOOST_TEST(response(request, "sample") ==
               "HTTP/1.1 101 Web Socket Protocol Handshake\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n"
               "WebSocket-Origin: http://example.com\r\nWebSocket-Location: ws://example.com/demo?a=b\r\n"
               "WebSocket-Protocol: sample\r\n\r\n");
}

BOOST_AUTO_TEST_CASE(the_hixie_76_response_is_exact) {
    BOOST_TEST(response(get(hixie_76_fields())) ==
               "HTTP/1.1 101 WebSocket Protocol Handshake\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n"
               "Sec-WebSocket-Origin: http://example.com\r\nSec-WebSocket-Location: ws://example.com/chat\r\n\r\n");
    BOOST_TEST(response(get(with(hixie_76_fields(), "Sec-WebSocket-Protocol", "a b")), "b") ==
               "HTTP/1.1 101 WebSocket Protocol Handshake\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n"
               "Sec-WebSocket-Origin: http://example.com\r\nSec-WebSocket-Location: ws://example.com/chat\r\n"
               "Sec-WebSocket-Protocol: b\r\n\r\n");
}

BOOST_AUTO_TEST_CASE(the_hybi_response_is_exact_and_the_same_for_7_8_and_13) {
    for (auto const* version : {"7", "8", "13"}) {
        BOOST_TEST(response(get(with(hybi_fields(version), "Origin", "http://example.com"))) ==
                   "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                   "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
        BOOST_TEST(response(get(hybi_fields(version)), "chat") ==
                   "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                   "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: chat\r\n\r\n");
    }
}

BOOST_AUTO_TEST_CASE(the_key_is_hashed_as_it_came) {
    auto const request = get(replaced(hybi_fields(), "Sec-WebSocket-Key", "AQIDBAUGBwgJCgsMDQ4PEC=="));
    BOOST_TEST(accept_fields(accepted(request), request, "")["Sec-WebSocket-Accept"] == "OfS0wDaT5NoxF2gqm7Zj2YtetzM=");
}

BOOST_AUTO_TEST_CASE(the_location_is_scheme_host_and_target) {
    auto const fields = replaced(hixie_76_fields(), "Host", "Example.com:8080");
    BOOST_TEST(location(get(fields, "/a?b=c"), false) == "ws://Example.com:8080/a?b=c");
    BOOST_TEST(location(get(fields, "/a"), true) == "wss://Example.com:8080/a");
    BOOST_TEST(location(get(fields, "http://other/a?b"), false) == "ws://Example.com:8080/a?b");
    BOOST_TEST(location(get(fields, "ws://other"), false) == "ws://Example.com:8080/");
    BOOST_TEST(location(get(fields, "WSS://other?b=/"), false) == "ws://Example.com:8080/?b=/");
}

BOOST_AUTO_TEST_CASE(extensions_are_never_answered_here) {
    auto const request = get(with(hybi_fields(), "Sec-WebSocket-Extensions", "permessage-deflate, deflate-stream"));
    BOOST_TEST(!accept_fields(accepted(request), request, "").contains("Sec-WebSocket-Extensions"));
}

BOOST_AUTO_TEST_CASE(the_server_prefers_in_its_own_order) {
    auto const request = get(with(hybi_fields(), "Sec-WebSocket-Protocol", "a, b, c"));
    auto const offer = accepted(request);
    BOOST_TEST(choose_subprotocol(offer, {"x", "c", "a"}) == "c");
    BOOST_TEST(choose_subprotocol(offer, {"A", "x"}).empty());
    BOOST_TEST(choose_subprotocol(offer, {}).empty());
    auto const none = get(hybi_fields());
    BOOST_TEST(choose_subprotocol(accepted(none), {"a"}).empty());
}

BOOST_AUTO_TEST_CASE(a_subprotocol_cannot_split_the_response) {
    auto const request = get(hybi_fields());
    auto const offer = accepted(request);
    BOOST_CHECK_THROW(static_cast<void>(accept_fields(offer, request, "a\r\nSet-Cookie: b")), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(further_fields_come_behind) {
    auto const request = get(hybi_fields());
    auto const offer = accepted(request);
    auto fields = accept_fields(offer, request, "");
    fields.add("X-Custom", "a b");
    BOOST_TEST(accept_head(offer.version, fields).ends_with("xOo=\r\nX-Custom: a b\r\n\r\n"));
    BOOST_TEST(accept_head(offer.version, accept_fields(offer, request, ""), fields) ==
               accept_head(offer.version, fields));
}

BOOST_AUTO_TEST_CASE(fields_of_the_application_cannot_change_the_handshake) {
    for (auto const& asked : {hybi_fields(), hixie_76_fields(), hixie_75_fields()}) {
        auto const request = get(asked);
        auto const offer = accepted(request);
        auto const fields = accept_fields(offer, request, "");
        wsio::headers const further{{"Content-Length", "0"},
                                    {"transfer-encoding", "chunked"},
                                    {"X-A", "1"},
                                    {"connection", "close"},
                                    {"Upgrade", "h2c"},
                                    {"sec-websocket-accept", "a"},
                                    {"Sec-WebSocket-Extensions", "permessage-deflate"},
                                    {"WebSocket-Location", "ws://other/"},
                                    {"Sec-WebSocke", "2"}};
        auto expected = accept_head(offer.version, fields);
        expected.insert(expected.size() - 2, "X-A: 1\r\nSec-WebSocke: 2\r\n");
        BOOST_TEST(accept_head(offer.version, fields, further) == expected);
    }
}

BOOST_AUTO_TEST_SUITE_END()
