#include "handshake/proxies.hpp"

#include <boost/test/unit_test.hpp>

#include <stdexcept>
#include <string>
#include <vector>

BOOST_AUTO_TEST_SUITE(handshake_proxies)

using namespace wsio::handshake;
using boost::asio::ip::make_address;
using wsio::forwarding_header;

namespace {

bool contains(const std::vector<std::string>& entries, const char* address) {
    return trusted_proxies(entries).contains({make_address(address)});
}

/// Sends fields from an address to a server that trusts 10.0.0.0/8.
wsio::request sent(const char* from, wsio::headers fields,
                   forwarding_header header = forwarding_header::x_forwarded_for) {
    wsio::request request("GET", "/", std::move(fields));
    request.remote_endpoint({make_address(from), 4711});
    apply_forwarded(request, request.remote_endpoint(), trusted_proxies({"10.0.0.0/8"}), header);
    return request;
}

bool secure(const char* from, wsio::headers fields) { return sent(from, std::move(fields)).secure(); }

/// Gives the client that a list in X-Forwarded-For, sent by a trusted proxy, leads to.
std::string client(const std::string& list) {
    return sent("10.0.0.1", {{"X-Forwarded-For", list}}).client_endpoint().to_string();
}

/// The same for Forwarded, with an s when the client used TLS.
std::string forwarded(const std::string& list) {
    auto const request = sent("10.0.0.1", {{"Forwarded", list}}, forwarding_header::forwarded);
    return request.client_endpoint().to_string() + (request.secure() ? " s" : "");
}

}  // namespace

BOOST_AUTO_TEST_CASE(nobody_is_trusted_by_default) {
    BOOST_TEST(!trusted_proxies().contains({make_address("127.0.0.1")}));
    BOOST_TEST(!trusted_proxies().contains({make_address("::1")}));
    BOOST_TEST(!trusted_proxies().contains({{}, 0, "unix:"}));
    BOOST_TEST(trusted_proxies().empty());
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

BOOST_AUTO_TEST_CASE(unix_sockets_are_trusted_by_name) {
    trusted_proxies const local({"unix:"});
    BOOST_TEST(!local.empty());
    BOOST_TEST(local.contains({{}, 0, "unix:"}));
    BOOST_TEST(local.contains({{}, 0, "unix:/run/client.sock"}));
    BOOST_TEST(!local.contains({make_address("0.0.0.0")}));
    BOOST_TEST(!trusted_proxies({"0.0.0.0/0", "::/0"}).contains({{}, 0, "unix:"}));
}

BOOST_AUTO_TEST_CASE(an_entry_that_is_no_network_is_refused_by_name) {
    for (std::string const entry : {"", "localhost", "unix", "unix:/run/x.sock", "10.0.0.0/33", "::/129", "10.0.0.0/",
                                    "10.0.0.0/-1", "10.0.0.0/8 ", "10.0.0.0/8/8", "10.0.0/8", "/8", "10.0.0.1:80",
                                    "[::1]", "10.0.0.0/+8", "10.0.0.0/0x8", "10.0.0.0/99999999999"}) {
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
    // Who writes the first passes the client's others on.
    BOOST_TEST(!secure("10.0.0.1", {{"X-Forwarded-Ssl", "on"}, {"X-Forwarded-Proto", "http"}}));
    BOOST_TEST(!secure("10.0.0.1", {{"X-Forwarded-Scheme", "https"}, {"X-Forwarded-Proto", ""}}));
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
    apply_forwarded(request, request.remote_endpoint(), trusted_proxies({"10.0.0.0/8"}),
                    forwarding_header::x_forwarded_for);
    BOOST_TEST(request.secure());
}

BOOST_AUTO_TEST_CASE(without_a_header_the_sender_is_the_client) {
    BOOST_TEST(sent("10.0.0.1", {}).client_endpoint().to_string() == "10.0.0.1:4711");
    BOOST_TEST(sent("203.0.113.9", {}).client_endpoint().to_string() == "203.0.113.9:4711");
}

BOOST_AUTO_TEST_CASE(a_trusted_proxy_names_the_client) {
    BOOST_TEST(client("203.0.113.9") == "203.0.113.9");
    BOOST_TEST(client(" 203.0.113.9 ") == "203.0.113.9");
    BOOST_TEST(client("203.0.113.9:4711") == "203.0.113.9:4711");
    BOOST_TEST(client("2001:db8::9") == "2001:db8::9");
    BOOST_TEST(client("[2001:db8::9]") == "2001:db8::9");
    BOOST_TEST(client("[2001:db8::9]:4711") == "[2001:db8::9]:4711");
    BOOST_TEST(client("::ffff:203.0.113.9") == "203.0.113.9");
    auto const request = sent("10.0.0.1", {{"X-Forwarded-For", "203.0.113.9"}});
    BOOST_TEST(request.remote_endpoint().to_string() == "10.0.0.1:4711");  // which stays what it is
}

BOOST_AUTO_TEST_CASE(the_list_is_walked_from_the_right_past_trusted_proxies_only) {
    BOOST_TEST(client("198.51.100.1, 203.0.113.9") == "203.0.113.9");
    BOOST_TEST(client("127.0.0.1, 10.0.0.9, 203.0.113.9, 10.0.0.3") == "203.0.113.9");
    BOOST_TEST(client("203.0.113.9,10.0.0.3, 10.0.0.2") == "203.0.113.9");
    BOOST_TEST(client("10.0.0.3, 10.0.0.2") == "10.0.0.3");  // all trusted: the one farthest away
}

BOOST_AUTO_TEST_CASE(several_fields_are_one_list) {
    auto const request = sent("10.0.0.1", {{"X-Forwarded-For", "198.51.100.1"},
                                           {"x-forwarded-for", "203.0.113.9, 10.0.0.2"},
                                           {"X-Forwarded-For", "10.0.0.3"}});
    BOOST_TEST(request.client_endpoint().to_string() == "203.0.113.9");
}

BOOST_AUTO_TEST_CASE(empty_elements_are_none) {
    BOOST_TEST(client("203.0.113.9, , 10.0.0.7") == "203.0.113.9");
    BOOST_TEST(client(",203.0.113.9,,\t,") == "203.0.113.9");
    BOOST_TEST(client("198.51.100.1,,203.0.113.9") == "203.0.113.9");
    BOOST_TEST(forwarded("for=203.0.113.9,,") == "203.0.113.9");
    BOOST_TEST(forwarded(", for=203.0.113.9;proto=https , ,for=10.0.0.7") == "203.0.113.9 s");
    for (std::string const nothing : {"", " ", ",", " ,\t, "}) {
        BOOST_TEST(client(nothing) == "10.0.0.1:4711");
        BOOST_TEST(forwarded(nothing) == "10.0.0.1:4711");
    }
    // Nothing between semicolons is an element that names nobody.
    BOOST_TEST(forwarded("for=203.0.113.9, ;") == "10.0.0.1:4711");
    BOOST_TEST(forwarded("for=203.0.113.9, \"\"") == "10.0.0.1:4711");
}

BOOST_AUTO_TEST_CASE(the_walk_ends_at_what_is_no_address) {
    for (std::string const nothing : {"unknown",
                                      "_hidden",
                                      ";",
                                      "203.0.113",
                                      "203.0.113.256",
                                      "203.0.113.9:",
                                      "203.0.113.9:x",
                                      "203.0.113.9:65536",
                                      "203.0.113.9:080",
                                      "203.0.113.9 198.51.100.1",
                                      "[203.0.113.9]",
                                      "[2001:db8::9",
                                      "[2001:db8::9]x",
                                      "2001:db8::9%1",
                                      "[2001:db8::9%eth0]",
                                      "\"203.0.113.9\"",
                                      "for=203.0.113.9",
                                      "0xcb007109",
                                      "3405803785",
                                      "010.0.0.1"})
        BOOST_TEST_CONTEXT(nothing) {
            BOOST_TEST(client(nothing) == "10.0.0.1:4711");  // who sent it is all that is known
            BOOST_TEST(client("198.51.100.1, " + nothing) == "10.0.0.1:4711");
            BOOST_TEST(client(nothing + ", 10.0.0.2") == "10.0.0.2");
            BOOST_TEST(client(nothing + ", 203.0.113.9") == "203.0.113.9");
        }
}

BOOST_AUTO_TEST_CASE(nobody_else_can_name_a_client) {
    for (auto header : {forwarding_header::x_forwarded_for, forwarding_header::forwarded}) {
        auto const request = sent("203.0.113.9",
                                  {{"X-Forwarded-For", "198.51.100.1"},
                                   {"X-Forwarded-Proto", "https"},
                                   {"Forwarded", "for=198.51.100.1;proto=https"}},
                                  header);
        BOOST_TEST(request.client_endpoint().to_string() == "203.0.113.9:4711");
        BOOST_TEST(!request.secure());
    }
}

BOOST_AUTO_TEST_CASE(only_the_header_that_the_proxy_writes_counts) {
    // A proxy that writes X-Forwarded-For passes the client's own Forwarded on, and the other way round.
    wsio::headers const both{{"Forwarded", "for=198.51.100.1;proto=https"}, {"X-Forwarded-For", "203.0.113.9"}};
    auto const one = sent("10.0.0.1", both);
    BOOST_TEST(one.client_endpoint().to_string() == "203.0.113.9");
    BOOST_TEST(!one.secure());
    auto const other = sent("10.0.0.1",
                            {{"X-Forwarded-For", "198.51.100.1"},
                             {"X-Forwarded-Proto", "https"},
                             {"X-Forwarded-Ssl", "on"},
                             {"Forwarded", "for=203.0.113.9"}},
                            forwarding_header::forwarded);
    BOOST_TEST(other.client_endpoint().to_string() == "203.0.113.9");
    BOOST_TEST(!other.secure());
}

BOOST_AUTO_TEST_CASE(forwarded_names_the_client_and_whether_it_used_tls) {
    BOOST_TEST(forwarded("for=203.0.113.9") == "203.0.113.9");
    BOOST_TEST(forwarded("For=203.0.113.9; Proto=HTTPS") == "203.0.113.9 s");
    BOOST_TEST(forwarded("for=203.0.113.9;proto=http;by=10.0.0.1") == "203.0.113.9");
    BOOST_TEST(forwarded("by=10.0.0.1;host=\"a;b,c\";proto=wss;for=\"203.0.113.9:4711\"") == "203.0.113.9:4711 s");
    BOOST_TEST(forwarded("for=\"[2001:db8:cafe::17]:4711\"") == "[2001:db8:cafe::17]:4711");
    BOOST_TEST(forwarded("for=\"[2001:db8:cafe::17]\"") == "2001:db8:cafe::17");
    BOOST_TEST(forwarded("for=\"203.0.113.9:_port\"") == "203.0.113.9");
    BOOST_TEST(forwarded("host=\"a\\\"b;c\";for=203.0.113.9") == "203.0.113.9");
    BOOST_TEST(forwarded(";;for=203.0.113.9;") == "203.0.113.9");
}

BOOST_AUTO_TEST_CASE(forwarded_is_walked_from_the_right_with_each_proxys_own_word) {
    BOOST_TEST(forwarded("for=198.51.100.1;proto=https, for=203.0.113.9;proto=http") == "203.0.113.9");
    BOOST_TEST(forwarded("for=203.0.113.9;proto=https, for=10.0.0.2;proto=http") == "203.0.113.9 s");
    BOOST_TEST(forwarded("for=203.0.113.9;proto=http, for=10.0.0.2;proto=https") == "203.0.113.9");
    BOOST_TEST(forwarded("for=203.0.113.9, for=unknown;proto=https") == "10.0.0.1:4711 s");
    BOOST_TEST(forwarded("for=203.0.113.9, for=_hidden, for=10.0.0.2") == "10.0.0.2");
    BOOST_TEST(forwarded("proto=https") == "10.0.0.1:4711 s");
}

BOOST_AUTO_TEST_CASE(forwarded_that_is_malformed_names_nobody) {
    for (std::string const broken :
         {"for=203.0.113.9;for=198.51.100.1", "for=\"203.0.113.9", "for=\"203.0.113.9\\\"\"", "for=\"203.0.113.9\"x",
          "for", "for=", "=203.0.113.9", "203.0.113.9", "for=203.0.113.9;proto=https;proto=http", "for=\"\"", "for=\"",
          "for = 203.0.113.9 x", "for=203.0.113.9;by=\"", "for=203.0.113.9;by=a\"b\"", "for=203.0.113.9;by=\"a\\\"",
          "for=203.0.113.9;b y=a", "for=203.0.113.9;\"by\"=a"})
        BOOST_TEST_CONTEXT(broken) BOOST_TEST(forwarded(broken) == "10.0.0.1:4711");
}

BOOST_AUTO_TEST_CASE(a_quote_that_a_client_leaves_open_gains_it_nothing) {
    // What the proxy adds behind it becomes a part of the quoted text.
    for (std::string const opened :
         {"for=\"", "for=198.51.100.1, for=\"", "for=198.51.100.1;by=\"", "\"", "for=\"\\", "for=198.51.100.1;by=\"\\",
          "for=198.51.100.1;x\"=", "for=198.51.100.1;x\"", "for=198.51.100.1;\"x=", "for=198.51.100.1;x y\"=a"})
        for (std::string const added :
             {"for=203.0.113.9", "for=\"[2001:db8::9]\"", "for=\"203.0.113.9\";by=\"10.0.0.1\""}) {
            auto const got = forwarded(opened + ", " + added);
            BOOST_TEST(got.find("198.51.100.1") == std::string::npos, opened << added << " gives " << got);
        }
    // In a field of its own it spoils nothing.
    auto const request =
        sent("10.0.0.1", {{"Forwarded", "for=\""}, {"Forwarded", "for=203.0.113.9"}}, forwarding_header::forwarded);
    BOOST_TEST(request.client_endpoint().to_string() == "203.0.113.9");
}

BOOST_AUTO_TEST_CASE(the_walk_begins_with_whom_the_connection_names) {
    wsio::request request("GET", "/", {{"X-Forwarded-For", "203.0.113.9"}});
    request.remote_endpoint({make_address("10.0.0.1"), 4711});
    wsio::endpoint const direct{make_address("198.51.100.1"), 80};  // as a PROXY header said
    request.client_endpoint(direct);
    apply_forwarded(request, direct, trusted_proxies({"10.0.0.0/8"}), forwarding_header::x_forwarded_for);
    BOOST_TEST((request.client_endpoint() == direct));
}

BOOST_AUTO_TEST_SUITE_END()
