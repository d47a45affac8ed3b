#include "url.hpp"
#include "failure.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <string_view>

using wsio::bench::exit_code;
using wsio::bench::failure;
using wsio::bench::parse_url;
using wsio::bench::without_credentials;

namespace {

void is_refused(std::string_view text, std::string_view why) {
    BOOST_TEST_CONTEXT(text) {
        BOOST_CHECK_EXCEPTION(static_cast<void>(parse_url(text)), failure, [&](const failure& refusal) {
            return refusal.code() == exit_code::usage &&
                   std::string_view(refusal.what()).find(why) != std::string::npos;
        });
    }
}

void is_read_as(std::string_view text, std::string_view host, std::string_view port, std::string_view target,
                std::string_view authority) {
    BOOST_TEST_CONTEXT(text) {
        auto const url = parse_url(text);
        BOOST_TEST(url.host == host);
        BOOST_TEST(url.port == port);
        BOOST_TEST(url.target == target);
        BOOST_TEST(url.authority == authority);
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(url_)

BOOST_AUTO_TEST_CASE(urls_are_taken_apart) {
    is_read_as("ws://localhost:3000/echo?x=1", "localhost", "3000", "/echo?x=1", "localhost:3000");
    is_read_as("ws://127.0.0.1:9001", "127.0.0.1", "9001", "/", "127.0.0.1:9001");
    is_read_as("ws://example.com", "example.com", "80", "/", "example.com");
    is_read_as("WS://example.com/", "example.com", "80", "/", "example.com");
    is_read_as("ws://example.com?query", "example.com", "80", "/?query", "example.com");
    is_read_as("ws://[::1]:3000/a", "::1", "3000", "/a", "[::1]:3000");
    is_read_as("ws://[::1]/", "::1", "80", "/", "[::1]");
    is_read_as("ws://example.com/a:b", "example.com", "80", "/a:b", "example.com");
}

BOOST_AUTO_TEST_CASE(the_default_port_is_not_named_to_the_server) {
    is_read_as("ws://example.com:80/", "example.com", "80", "/", "example.com");
}

BOOST_AUTO_TEST_CASE(wrong_urls_are_refused_with_the_reason) {
    is_refused("http://localhost/", "must begin with ws://");
    is_refused("localhost:3000", "must begin with ws://");
    is_refused("", "must begin with ws://");
    is_refused("wss://localhost/", "TLS");
    is_refused("ws://", "host is missing");
    is_refused("ws:///path", "host is missing");
    is_refused("ws://:3000/", "host is missing");
    is_refused("ws://[]:3000/", "host is missing");
    is_refused("ws://[/", "brackets");
    is_refused("ws://[::1]x/", "brackets");
    is_refused("ws://a]b:80/", "brackets");
    is_refused("ws://localhost:/", "port ''");
    is_refused("ws://localhost:0/", "port '0'");
    is_refused("ws://localhost:70000/", "port '70000'");
    is_refused("ws://localhost:3o00/", "port '3o00'");
    is_refused("ws://localhost/#top", "fragment");
    is_refused("ws://me@localhost/", "user names");
    is_refused("ws://localhost/a b", "space");
    is_refused("ws://localhost/\r\nX: y", "space or control");
}

BOOST_AUTO_TEST_CASE(a_url_is_shown_without_its_password) {
    BOOST_TEST(without_credentials("ws://me:secret@host:81/a@b?c@d") == "ws://host:81/a@b?c@d");
    BOOST_TEST(without_credentials("ws://me:sec@ret@host") == "ws://host");
    BOOST_TEST(without_credentials("me:secret@host/x") == "host/x");
    for (auto const* const none : {"ws://host/a@b", "ws://host?a@b", "ws://[::1]:80/", "", "ws://"})
        BOOST_TEST(without_credentials(none) == none);
    BOOST_CHECK_EXCEPTION(static_cast<void>(parse_url("ws://me:secret@host/")), failure, [](const failure& refusal) {
        return std::string_view(refusal.what()).find("secret") == std::string_view::npos;
    });
}

BOOST_AUTO_TEST_SUITE_END()
