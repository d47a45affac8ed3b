#include "io/opening.hpp"

#include <boost/test/unit_test.hpp>

#include <any>
#include <string>
#include <vector>

// What is kept of a handshake is packed; nothing of it may be lost.

namespace {

namespace ip = boost::asio::ip;
using wsio::endpoint;
using wsio::detail::opening;

endpoint const here{ip::make_address("127.0.0.1"), 40000};

wsio::request a_request() {
    wsio::request r("GET", "/chat?room=1");
    r.remote_endpoint(here);
    return r;
}

const wsio::request& unpacked(const opening& o, const wsio::request& r) {
    auto const& whole = o.request();
    BOOST_TEST(whole.method() == r.method());
    BOOST_TEST(whole.target() == r.target());
    BOOST_TEST(whole.http_minor() == r.http_minor());
    BOOST_TEST(whole.secure() == r.secure());
    BOOST_TEST((whole.remote_endpoint() == r.remote_endpoint()));
    BOOST_TEST((whole.client_endpoint() == r.client_endpoint()));
    BOOST_TEST(whole.headers().size() == r.headers().size());
    auto at = r.headers().begin();
    for (auto const& [name, value] : whole.headers()) {
        BOOST_TEST(name == (*at).name);
        BOOST_TEST(value == (*at).value);
        ++at;
    }
    return whole;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(an_opening)

BOOST_AUTO_TEST_CASE(keeps_the_fields_that_everybody_sends_and_all_others) {
    auto r = a_request();
    auto& fields = r.headers();
    for (const char* value : {"websocket", "WebSocket", "", "h2c, websocket"}) fields.add("Upgrade", value);
    for (const char* value : {"Upgrade", "keep-alive, Upgrade", "upgrade", ""}) fields.add("Connection", value);
    for (const char* value : {"13", "8", ""}) fields.add("Sec-WebSocket-Version", value);
    fields.add("upgrade", "websocket");  // the case of a name is kept as well
    fields.add("X-Anything", "at all");
    fields.add("X-Empty", "");
    fields.add("Host", "localhost:9001");
    fields.add("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits");
    fields.add("Sec-WebSocket-Extensions", "permessage-deflate");
    unpacked(opening(r, "", {}), r);
}

BOOST_AUTO_TEST_CASE(keeps_values_of_every_length) {
    auto r = a_request();
    for (std::size_t const size : {1U, 126U, 127U, 128U, 129U, 255U, 256U, 16383U, 16384U, 70000U}) {
        r.headers().add("Cookie", std::string(size, 'c'));
        r.headers().add("X-" + std::string(size, 'n'), std::string(size, 'v'));
    }
    unpacked(opening(r, "", {}), r);
}

BOOST_AUTO_TEST_CASE(keeps_every_kind_of_address) {
    std::vector<endpoint> const ends{here,
                                     {ip::make_address("255.1.2.3"), 65535},
                                     {ip::make_address("2001:db8::ff00:42"), 443},
                                     {ip::make_address("fe80::1%7"), 1},
                                     {ip::make_address("10.0.0.1"), 0},
                                     {{}, 0, "unix:/run/echo.sock"},
                                     {{}, 0, "unix:"}};
    for (auto const& remote : ends)
        for (auto const& client : ends) {
            auto r = a_request();
            r.remote_endpoint(remote);
            r.client_endpoint(client);
            unpacked(opening(r, "", {}), r);
        }
}

BOOST_AUTO_TEST_CASE(keeps_what_else_was_agreed_on) {
    auto r = a_request();
    r.http_minor(0);
    r.secure(true);
    opening const agreed(r, "chat", std::string("who"));
    BOOST_TEST(agreed.subprotocol() == "chat");
    BOOST_TEST(std::any_cast<std::string>(agreed.user_value()) == "who");
    auto const& whole = unpacked(agreed, r);
    BOOST_TEST(&agreed.request() == &whole);  // one request for all who look at it
    BOOST_TEST(std::any_cast<std::string>(agreed.user_value()) == "who");
}

BOOST_AUTO_TEST_CASE(of_nothing_is_empty) {
    opening const nothing;
    BOOST_TEST(nothing.subprotocol().empty());
    BOOST_TEST(!nothing.user_value().has_value());
}

BOOST_AUTO_TEST_SUITE_END()
