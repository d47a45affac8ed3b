#include "handshake/origin.hpp"

#include "handshake_tools.hpp"

#include <string>
#include <vector>

BOOST_AUTO_TEST_SUITE(handshake_origin)

using namespace wsio::handshake;
using namespace wsio::handshake::test;

namespace {

bool allowed(std::string_view origin, std::string_view host, const std::vector<std::string>& list = {}) {
    offer asked;
    asked.origin = origin;
    asked.has_origin = true;
    return origin_allowed(asked, get({{"Host", host}}), list);
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_request_without_an_origin_passes) {
    BOOST_TEST(origin_allowed(offer{}, get({{"Host", "example.com"}}), {}));
    BOOST_TEST(origin_allowed(offer{}, get({{"Host", "example.com"}}), {"https://example.com"}));
}

BOOST_AUTO_TEST_CASE(the_same_host_passes_whatever_the_port_and_case) {
    BOOST_TEST(allowed("http://example.com", "example.com"));
    BOOST_TEST(allowed("https://example.com", "example.com:8443"));
    BOOST_TEST(allowed("http://example.com:3000", "example.com"));
    BOOST_TEST(allowed("HTTP://Example.COM", "eXample.com"));
    BOOST_TEST(allowed("http://example.com.", "example.com"));
    BOOST_TEST(allowed("http://example.com", "example.com.:80"));
    BOOST_TEST(allowed("http://example.com/", "example.com"));
    BOOST_TEST(allowed("http://192.0.2.1", "192.0.2.1:80"));
    BOOST_TEST(allowed("http://[2001:db8::1]:3000", "[2001:DB8:0:0::1]"));
}

BOOST_AUTO_TEST_CASE(another_host_is_refused) {
    BOOST_TEST(!allowed("http://evil.com", "example.com"));
    BOOST_TEST(!allowed("http://www.example.com", "example.com"));
    BOOST_TEST(!allowed("http://example.com.evil.com", "example.com"));
    BOOST_TEST(!allowed("http://notexample.com", "example.com"));
    BOOST_TEST(!allowed("http://example.com", "www.example.com"));
    BOOST_TEST(!allowed("http://[2001:db8::1]", "[2001:db8::2]"));
    BOOST_TEST(!allowed("http://localhost", "example.com"));
    BOOST_TEST(!allowed("http://evil.com", "localhost"));
    BOOST_TEST(!allowed("http://evil.com", ""));
    BOOST_TEST(!allowed("http://localhost.evil.com", "localhost"));
    BOOST_TEST(!allowed("http://127.0.0.1.evil.com", "127.0.0.1"));
    BOOST_TEST(!allowed("http://notlocalhost", "localhost"));
}

BOOST_AUTO_TEST_CASE(loopback_names_are_one_host) {
    std::vector<std::string> const names{"localhost", "LOCALHOST", "localhost.", "app.localhost",
                                         "127.0.0.1", "127.1.2.3", "[::1]",      "[0:0:0:0:0:0:0:1]"};
    for (auto const& origin : names)
        for (auto const& host : names)
            BOOST_TEST(allowed("http://" + origin + ":8080", host + ":3000"), origin << " at " << host);
}

BOOST_AUTO_TEST_CASE(malformed_and_opaque_origins_are_refused) {
    for (std::string const origin : {"",
                                     "null",
                                     "NULL",
                                     "example.com",
                                     "//example.com",
                                     "http://",
                                     "http:///",
                                     "http:example.com",
                                     "://example.com",
                                     "http://example.com/path",
                                     "http://example.com//",
                                     "http://example.com?x",
                                     "http://example.com#x",
                                     "http://user@example.com",
                                     "http://evil.com@example.com",
                                     "http://example.com:x",
                                     "http://example.com:99999",
                                     "http://example.com:80:80",
                                     "http://[::1",
                                     "http://::1",
                                     "http://[::1]x",
                                     "http://[example.com]",
                                     "http://example.com http://example.com",
                                     "http://example.com, http://evil.com",
                                     "http://exa mple.com",
                                     "file://",
                                     "file:///",
                                     "chrome-extension://example.com",
                                     "capacitor://example.com",
                                     "http://example.com\\",
                                     "http://[fe80::1%25eth0]",
                                     "http://.",
                                     "http://\xC3\xA9xample.com"})
        BOOST_TEST(!allowed(origin, "example.com"), origin);
    BOOST_TEST(!allowed("capacitor://localhost", "localhost"));
}

BOOST_AUTO_TEST_CASE(a_list_replaces_the_rule_of_the_same_host) {
    std::vector<std::string> const list{"https://example.com", "http://other.org:8080"};
    BOOST_TEST(allowed("https://example.com", "api.example.com", list));
    BOOST_TEST(allowed("https://EXAMPLE.com:443", "api.example.com", list));
    BOOST_TEST(allowed("http://other.org:8080", "api.example.com", list));
    BOOST_TEST(!allowed("http://example.com", "example.com", list));
    BOOST_TEST(!allowed("https://example.com:8443", "example.com", list));
    BOOST_TEST(!allowed("http://other.org", "other.org", list));
    BOOST_TEST(!allowed("https://example.com.evil.com", "example.com", list));
    BOOST_TEST(!allowed("null", "example.com", list));
    BOOST_TEST(!allowed("", "example.com", list));
}

BOOST_AUTO_TEST_CASE(default_ports_of_a_list_are_those_of_the_scheme) {
    for (std::string const scheme : {"http", "ws"}) {
        BOOST_TEST(allowed(scheme + "://a:80", "b", {scheme + "://a"}), scheme);
        BOOST_TEST(!allowed(scheme + "://a:443", "b", {scheme + "://a"}), scheme);
    }
    for (std::string const scheme : {"https", "wss"}) {
        BOOST_TEST(allowed(scheme + "://a", "b", {scheme + "://a:443"}), scheme);
        BOOST_TEST(!allowed(scheme + "://a", "b", {scheme + "://a:80"}), scheme);
    }
    BOOST_TEST(allowed("app://A", "b", {"app://a/"}));
    BOOST_TEST(!allowed("app://a:80", "b", {"app://a"}));
    for (std::string const scheme : {"ws", "wss"}) BOOST_TEST(allowed(scheme + "://a", "a"), scheme);
}

BOOST_AUTO_TEST_CASE(origins_that_are_no_url_can_be_listed) {
    BOOST_TEST(allowed("null", "example.com", {"null"}));
    BOOST_TEST(allowed("file://", "example.com", {"file://"}));
    BOOST_TEST(allowed("chrome-extension://abcdef", "example.com", {"chrome-extension://abcdef"}));
    BOOST_TEST(!allowed("chrome-extension://other", "example.com", {"chrome-extension://abcdef"}));
    BOOST_TEST(!allowed("file://", "example.com", {"null"}));
}

BOOST_AUTO_TEST_CASE(a_star_allows_every_origin) {
    for (std::string const origin : {"http://evil.com", "null", "", "nonsense"})
        BOOST_TEST(allowed(origin, "example.com", {"https://example.com", "*"}), origin);
}

BOOST_AUTO_TEST_SUITE_END()
