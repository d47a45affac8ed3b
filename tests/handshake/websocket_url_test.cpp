#include "handshake/websocket_url.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <variant>

using namespace wsio::handshake;

namespace {

websocket_url good(const std::variant<websocket_url, std::string>& result) {
    auto const* const problem = std::get_if<std::string>(&result);
    BOOST_TEST_REQUIRE(problem == nullptr, (problem == nullptr ? "" : *problem));
    return std::get<websocket_url>(result);
}

void check(std::string_view text, bool secure, std::string_view host, std::uint16_t port, std::string_view authority,
           std::string_view target, std::string_view credentials = {}) {
    BOOST_TEST_CONTEXT(text) {
        auto const url = good(parse_url(text));
        BOOST_TEST(url.secure == secure);
        BOOST_TEST(url.host == host);
        BOOST_TEST(url.port == port);
        BOOST_TEST(url.authority == authority);
        BOOST_TEST(url.target == target);
        BOOST_TEST(url.credentials == credentials);
    }
}

void check_bad(const std::variant<websocket_url, std::string>& result, std::string_view part) {
    auto const* const problem = std::get_if<std::string>(&result);
    BOOST_TEST(problem != nullptr, "was taken, and not for: " << part);
    if (problem != nullptr)
        BOOST_TEST((problem->find(part) != std::string::npos), *problem << " does not say: " << part);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(handshake_websocket_url)

BOOST_AUTO_TEST_CASE(parts_are_read) {
    check("ws://example.com", false, "example.com", 80, "example.com", "/");
    check("wss://example.com/", true, "example.com", 443, "example.com", "/");
    check("WSS://Example.COM:443/Chat?Room=1", true, "example.com", 443, "example.com", "/Chat?Room=1");
    check("ws://example.com:443/", false, "example.com", 443, "example.com:443", "/");
    check("ws://example.com:/x", false, "example.com", 80, "example.com", "/x");
    check("ws://example.com?q", false, "example.com", 80, "example.com", "/?q");
    check("ws://127.0.0.1:8080/a%20b", false, "127.0.0.1", 8080, "127.0.0.1:8080", "/a%20b");
    check("ws://[2001:DB8::1]:9000/", false, "2001:db8::1", 9000, "[2001:db8::1]:9000", "/");
    check("wss://me:pa%3Ass@host/", true, "host", 443, "host", "/", "me:pa:ss");
    check("http://host/", false, "host", 80, "host", "/");
    check("https://host/", true, "host", 443, "host", "/");
}

BOOST_AUTO_TEST_CASE(what_is_no_websocket_url_is_told_apart) {
    check_bad(parse_url(""), "is no URL");
    check_bad(parse_url("example.com/chat"), "is no URL");
    check_bad(parse_url("//example.com"), "is no URL");
    check_bad(parse_url("ws://exa mple.com/"), "is no URL");
    check_bad(parse_url("ws://host/a b"), "is no URL");
    check_bad(parse_url("ws://host/\r\nX: y"), "\"ws://host/??X: y\" is no URL");  // in one line
    check_bad(parse_url("ws://[::1/"), "is no URL");
    check_bad(parse_url("ws://host:port/"), "is no URL");
    check_bad(parse_url("ws://host:8x/"), "is no URL");
    check_bad(parse_url("ftp://host/"), "begins with ftp:");
    check_bad(parse_url("localhost:3000"), "begins with localhost:");
    check_bad(parse_url("ws:///path"), "names no host");
    check_bad(parse_url("ws:path"), "names no host");
    check_bad(parse_url("ws://:80/"), "names no host");
    check_bad(parse_url("ws://a%2fb/"), "names no host");
    check_bad(parse_url("ws://[v1.x]/"), "names no host");
    check_bad(parse_url("ws://./"), "names no host");
    check_bad(parse_url("ws://.example.com/"), "names no host");
    check_bad(parse_url("ws://a..b/"), "names no host");
    check_bad(parse_url("ws://*.example.com/"), "names no host");
    check_bad(parse_url("ws://" + std::string(254, 'a') + '/'), "names no host");
    BOOST_TEST(good(parse_url("ws://" + std::string(253, 'a') + "./")).host.size() == 254U);
    check_bad(parse_url("ws://host:0/"), "has a port that is not from 1 to 65535");
    check_bad(parse_url("ws://host:65536/"), "has a port that is not from 1 to 65535");
    check_bad(parse_url("ws://host/#"), "has a fragment");
}

BOOST_AUTO_TEST_CASE(password_is_not_shown) {
    check_bad(parse_url("ws://me:secret@host:99999/"), "\"ws://***@host:99999/\"");
    check_bad(parse_url("ws://me:secret@host/#x@y"), "\"ws://***@host/#x@y\"");
    check_bad(parse_url("me:secret@host/x"), "\"***@host/x\"");
    check_bad(parse_url("ws://me:se/cr?e#t@host/"), "\"ws://***@host/\"");  // what should be %2F and the like
    check_bad(parse_url("ws://host:99999/@me"), "\"ws://host:99999/@me\"");
    check_bad(parse_url("ws:/x://y@z"), "\"ws:/x://y@z\"");
    check_bad(follow(good(parse_url("ws://host/")), "//me:secret@host:1x/"), "\"//***@host:1x/\"");
    check_bad(parse_proxy("me:secret@proxy:99999"), "\"***@proxy:99999\"");
    check_bad(parse_proxy("http://me:secret@proxy:99999"), "\"http://***@proxy:99999\"");
}

BOOST_AUTO_TEST_CASE(an_ipv6_address_is_no_user) {
    check_bad(parse_url("ws://[2001:db8::1]/room/a@b#f"), "\"ws://[2001:db8::1]/room/a@b#f\"");
    check_bad(parse_url("ws://[2001:db8::1]:80/a@b#f"), "\"ws://[2001:db8::1]:80/a@b#f\"");
    check_bad(parse_url("ws://[::1]:se/cr@host#f"), "\"ws://***@host#f\"");
    check_bad(parse_url("ws://[me:secret]/x@host#f"), "\"ws://***@host#f\"");
    check_bad(parse_url("ws://me:secret@[::1]/a@b#f"), "\"ws://***@[::1]/a@b#f\"");
}

BOOST_AUTO_TEST_CASE(credentials_are_what_basic_authentication_can_say) {
    for (auto const* url : {"ws://@host/", "ws://:@host/"}) check(url, false, "host", 80, "host", "/");
    check("ws://me@host/", false, "host", 80, "host", "/", "me:");
    check("ws://:secret@host/", false, "host", 80, "host", "/", ":secret");
    check("ws://me:a:b%3Ac@host/", false, "host", 80, "host", "/", "me:a:b:c");
    check_bad(parse_url("ws://a%3Ab:secret@host/"), "\"ws://***@host/\" has a user name with a colon");
    check_bad(parse_url("ws://a%3A@host/"), "has a user name with a colon");
    for (auto const* url : {"ws://a%0D%0Ab:c@host/", "ws://a:%00@host/", "ws://a:b%7F@host/"})
        check_bad(parse_url(url), "has a control character in its user name or password");
    check_bad(parse_proxy("a%3Ab:secret@proxy"), "has a user name with a colon");
    check_bad(follow(good(parse_url("ws://host/")), "//a%3Ab:c@host/"), "leads to no WebSocket URL");
}

BOOST_AUTO_TEST_CASE(redirects_are_resolved_against_the_url) {
    auto const from = good(parse_url("ws://example.com:8080/a/b?c"));
    auto const to = [&](std::string_view location) { return good(follow(from, location)).to_string(); };
    BOOST_TEST(to("/x") == "ws://example.com:8080/x");
    BOOST_TEST(to("x?y") == "ws://example.com:8080/a/x?y");
    BOOST_TEST(to("../x") == "ws://example.com:8080/x");
    BOOST_TEST(to("//other/x") == "ws://other/x");
    BOOST_TEST(to("wss://other/x") == "wss://other/x");
    BOOST_TEST(to("https://other:444") == "wss://other:444/");
    BOOST_TEST(to("/x#part") == "ws://example.com:8080/x");
    BOOST_TEST(to("../../../x") == "ws://example.com:8080/x");
    BOOST_TEST(to("../../..") == "ws://example.com:8080/");
    BOOST_TEST(to("../../..?y") == "ws://example.com:8080/?y");
    BOOST_TEST(to("ws://other/..") == "ws://other/");
    BOOST_TEST(to("ws://other/../x") == "ws://other/x");
    check_bad(follow(from, "//other:1x/z"), "leads to no WebSocket URL");
    check_bad(follow(from, "mailto:me@example.com"), "leads to no WebSocket URL");
    check_bad(follow(from, "ht tp://x"), "leads to no WebSocket URL");
}

BOOST_AUTO_TEST_CASE(proxies_are_read_with_and_without_a_scheme) {
    auto const proxy = good(parse_proxy("me:secret@proxy.example:3128"));
    BOOST_TEST(proxy.host == "proxy.example");
    BOOST_TEST(proxy.port == 3128);
    BOOST_TEST(proxy.credentials == "me:secret");
    BOOST_TEST(good(parse_proxy("http://10.0.0.1:8080/")).port == 8080);
    BOOST_TEST(good(parse_proxy("proxy")).port == 80);
    check_bad(parse_proxy("https://proxy:3128"), "http://");
    check_bad(parse_proxy("socks5://proxy:1080"), "http://");
    check_bad(parse_proxy("a b"), "is no URL of a proxy");
}

BOOST_AUTO_TEST_CASE(origins_are_compared_by_scheme_host_and_port) {
    auto const a = good(parse_url("ws://host/a"));
    BOOST_TEST(a.same_origin(good(parse_url("ws://HOST:80/b"))));
    BOOST_TEST(!a.same_origin(good(parse_url("wss://host/a"))));
    BOOST_TEST(!a.same_origin(good(parse_url("ws://host:81/a"))));
    BOOST_TEST(!a.same_origin(good(parse_url("ws://other/a"))));
}

BOOST_AUTO_TEST_SUITE_END()
