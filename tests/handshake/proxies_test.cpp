#include "handshake/proxies.hpp"

#include <boost/test/unit_test.hpp>

#include <stdexcept>
#include <string>
#include <vector>

BOOST_AUTO_TEST_SUITE(handshake_proxies)

using namespace wsio::handshake;
using boost::asio::ip::make_address;

namespace {

bool contains(const std::vector<std::string>& entries, const char* address) {
    return trusted_proxies(entries).contains(make_address(address));
}

/// Sends fields from an address to a server that trusts 10.0.0.0/8.
bool secure(const char* from, wsio::headers fields) {
    wsio::request request("GET", "/", std::move(fields));
    request.remote_endpoint({make_address(from), 4711});
    apply_forwarded_proto(request, trusted_proxies({"10.0.0.0/8"}));
    return request.secure();
}

}  // namespace

BOOST_AUTO_TEST_CASE(nobody_is_trusted_by_default) {
    BOOST_TEST(!trusted_proxies().contains(make_address("127.0.0.1")));
    BOOST_TEST(!trusted_proxies().contains(make_address("::1")));
}

BOOST_AUTO_TEST_CASE(a_single_address_matches_itself_only) {
    BOOST_TEST(contains({"127.0.0.1", "::1"}, "127.0.0.1"));
    BOOST_TEST(contains({"127.0.0.1", "::1"}, "::1"));
    BOOST_TEST(!contains({"127.0.0.1", "::1"}, "127.0.0.2"));
    BOOST_TEST(!contains({"127.0.0.1", "::1"}, "::2"));
}

BOOST_AUTO_TEST_CASE(a_network_matches_by_its_prefix) {
    BOOST_TEST(contains({"10.0.0.0/8"}, "10.255.255.255"));
    BOOST_TEST(!contains({"10.0.0.0/8"}, "11.0.0.0"));
    BOOST_TEST(contains({"192.168.128.0/17"}, "192.168.255.1"));
    BOOST_TEST(!contains({"192.168.128.0/17"}, "192.168.127.255"));
    BOOST_TEST(contains({"10.1.2.3/8"}, "10.9.9.9"));  // bits behind the prefix do not matter
    BOOST_TEST(contains({"fd00::/8"}, "fdff::1"));
    BOOST_TEST(!contains({"fd00::/8"}, "fe00::1"));
    BOOST_TEST(contains({"2001:db8::/33"}, "2001:db8:7fff::1"));
    BOOST_TEST(!contains({"2001:db8::/33"}, "2001:db8:8000::1"));
    BOOST_TEST(contains({"0.0.0.0/0"}, "203.0.113.9"));
    BOOST_TEST(!contains({"0.0.0.0/0"}, "2001:db8::1"));
    BOOST_TEST(contains({"10.0.0.1/32"}, "10.0.0.1"));
    BOOST_TEST(!contains({"10.0.0.1/32"}, "10.0.0.0"));
    BOOST_TEST(contains({"::1/128"}, "::1"));
}

BOOST_AUTO_TEST_CASE(a_mapped_ipv4_address_equals_the_plain_one) {
    BOOST_TEST(contains({"10.0.0.0/8"}, "::ffff:10.1.2.3"));
    BOOST_TEST(contains({"::ffff:10.0.0.0/104"}, "10.1.2.3"));
    BOOST_TEST(!contains({"10.0.0.0/8"}, "::10.1.2.3"));
}

BOOST_AUTO_TEST_CASE(an_entry_that_is_no_network_is_refused_by_name) {
    for (std::string const entry :
         {"", "localhost", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8 ", "10.0.0.0/8/8",
          "10.0.0/8", "/8", "10.0.0.1:80", "[::1]", "10.0.0.0/+8", "10.0.0.0/0x8", "10.0.0.0/99999999999"}) {
        BOOST_CHECK_EXCEPTION(trusted_proxies({"127.0.0.1", entry}), std::invalid_argument,
                              [&](const std::invalid_argument& error) {
                                  return std::string(error.what()).find('"' + entry + '"') != std::string::npos;
                              });
    }
}

BOOST_AUTO_TEST_CASE(a_trusted_proxy_can_say_that_the_client_used_tls) {
    BOOST_TEST(secure("10.0.0.1", {{"X-Forwarded-Proto", "https"}}));
    BOOST_TEST(secure("10.0.0.1", {{"x-forwarded-proto", "HTTPS"}}));
    BOOST_TEST(secure("10.0.0.1", {{"X-Forwarded-Proto", "https, http"}}));
    BOOST_TEST(secure("10.0.0.1", {{"X-Forwarded-Proto", "wss"}}));
    BOOST_TEST(secure("10.0.0.1", {{"X-Forwarded-Ssl", "on"}}));
    BOOST_TEST(secure("10.0.0.1", {{"X-Forwarded-Scheme", "https"}}));
    BOOST_TEST(secure("::ffff:10.0.0.1", {{"X-Forwarded-Proto", "https"}}));
}

BOOST_AUTO_TEST_CASE(only_the_right_value_counts) {
    BOOST_TEST(!secure("10.0.0.1", {{"X-Forwarded-Proto", "http"}}));
    BOOST_TEST(!secure("10.0.0.1", {{"X-Forwarded-Proto", "http, https"}}));
    BOOST_TEST(!secure("10.0.0.1", {{"X-Forwarded-Proto", "httpsx"}}));
    BOOST_TEST(!secure("10.0.0.1", {{"X-Forwarded-Proto", ""}}));
    BOOST_TEST(!secure("10.0.0.1", {{"X-Forwarded-Ssl", "off"}}));
    BOOST_TEST(!secure("10.0.0.1", {}));
}

BOOST_AUTO_TEST_CASE(forged_fields_from_anybody_else_change_nothing) {
    BOOST_TEST(!secure("203.0.113.9", {{"X-Forwarded-Proto", "https"}}));
    BOOST_TEST(!secure("203.0.113.9", {{"X-Forwarded-Ssl", "on"}, {"X-Forwarded-Scheme", "https"}}));
    BOOST_TEST(!secure("203.0.113.9", {{"X-Forwarded-For", "10.0.0.1"}, {"X-Forwarded-Proto", "https"}}));
}

BOOST_AUTO_TEST_CASE(a_connection_with_tls_stays_secure) {
    wsio::request request("GET", "/", {{"X-Forwarded-Proto", "http"}});
    request.remote_endpoint({make_address("10.0.0.1"), 4711});
    request.secure(true);
    apply_forwarded_proto(request, trusted_proxies({"10.0.0.0/8"}));
    BOOST_TEST(request.secure());
}

BOOST_AUTO_TEST_SUITE_END()
