#include "handshake/authority.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

BOOST_AUTO_TEST_SUITE(handshake_authority)

using namespace wsio::handshake;

BOOST_AUTO_TEST_CASE(host_and_port_are_read) {
    BOOST_TEST(parse_authority("Example.COM")->host == "example.com");
    BOOST_TEST(!parse_authority("example.com")->port.has_value());
    BOOST_TEST(!parse_authority("example.com:")->port.has_value());
    BOOST_TEST(parse_authority("example.com.:8080")->host == "example.com");
    BOOST_TEST(parse_authority("example.com.:8080")->port.value() == 8080);
    BOOST_TEST(parse_authority("a:65535")->port.value() == 65535);
    BOOST_TEST(parse_authority("[2001:DB8:0:0:0::1]:80")->host == "2001:db8::1");
    BOOST_TEST(parse_authority("[::1]:80")->port.value() == 80);
}

BOOST_AUTO_TEST_CASE(a_malformed_authority_is_nothing) {
    for (std::string const text :
         {"",       ".",          ":80",       "a:65536", "a:-1", "a:+1", "a: 1", "a:1:2", "::1", "[::1", "[]",
          "[::1]1", "[::1%25lo]", "[1.2.3.4]", "user@a",  "a/b",  "a?b",  "a#b",  "a b",   "a,b", "a\\b", "a%41"})
        BOOST_TEST(!parse_authority(text).has_value(), text);
    BOOST_TEST(!parse_authority(std::string("a\0b", 3)).has_value());
}

BOOST_AUTO_TEST_CASE(loopback_hosts_are_known_by_name) {
    for (std::string const text : {"localhost", "LOCALHOST.", "a.b.localhost", "127.0.0.1", "127.255.0.9", "[::1]"})
        BOOST_TEST(parse_authority(text)->is_loopback(), text);
    for (std::string const text : {"localhost.com", "mylocalhost", "128.0.0.1", "127.0.0.1.com", "0.0.0.0", "[::2]"})
        BOOST_TEST(!parse_authority(text)->is_loopback(), text);
}

BOOST_AUTO_TEST_CASE(a_target_gives_its_path_and_query) {
    BOOST_TEST(origin_form("/a?b").value() == "/a?b");
    BOOST_TEST(origin_form("//a").value() == "//a");
    BOOST_TEST(origin_form("HTTP://a:80/b?c").value() == "/b?c");
    BOOST_TEST(origin_form("https://a").value() == "/");
    BOOST_TEST(origin_form("wss://a?b").value() == "/?b");
    for (std::string const target : {"", "*", "a", "a:80", "ftp://a/", "http:/a", "http"})
        BOOST_TEST(!origin_form(target).has_value(), target);
}

BOOST_AUTO_TEST_CASE(an_absolute_target_says_what_the_host_is) {
    auto const host = [](std::string target, std::string_view field) {
        wsio::request request("GET", std::move(target), {{"Host", field}, {"X", "1"}});
        BOOST_TEST(take_host_of_target(request) == "");
        BOOST_TEST(request.headers().count("Host") == 1U);
        BOOST_TEST(request.headers().size() == 2U);
        return std::string(request.header("Host"));
    };
    BOOST_TEST(host("/chat", "other.example") == "other.example");
    BOOST_TEST(host("*", "") == "");
    BOOST_TEST(host("ftp://a/", "other.example") == "other.example");
    BOOST_TEST(host("http://good.example/chat", "other.example") == "good.example");
    BOOST_TEST(host("HTTPS://Good.example:444?http://a", "other.example") == "Good.example:444");
    BOOST_TEST(host("ws://[::1]:80", "") == "[::1]:80");
    for (std::string const target :
         {"http:///chat", "http://", "wss://?a", "http://me@host/", "http://a:x/", "ws://:80/"}) {
        wsio::request request("GET", target, {{"Host", "a"}});
        BOOST_TEST((take_host_of_target(request).find("names no host") != std::string_view::npos), target);
    }
    wsio::request without("GET", "http://a:80/");
    BOOST_TEST(take_host_of_target(without) == "");
    BOOST_TEST(!without.headers().contains("Host"));  // which is the problem of HTTP/1.1
    without.http_minor(0);
    BOOST_TEST(take_host_of_target(without) == "");
    BOOST_TEST(without.header("Host") == "a:80");
    wsio::request twice("GET", "http://a/", {{"Host", "a"}, {"Host", "b"}});
    BOOST_TEST(take_host_of_target(twice) == "");
    BOOST_TEST(twice.headers().count("Host") == 2U);
}

BOOST_AUTO_TEST_CASE(a_request_asks_for_a_path_in_any_form_of_its_target) {
    auto const path = [](std::string target) { return path_of({"GET", std::move(target)}); };
    BOOST_TEST(path("/a/b") == "/a/b");
    BOOST_TEST(path("/a?b?c") == "/a");
    BOOST_TEST(path("ws://a/chat?b=/c") == "/chat");
    BOOST_TEST(path("http://a?b") == "/");
    BOOST_TEST(path("*") == "*");
}

BOOST_AUTO_TEST_SUITE_END()
