#include "handshake/proxy_header.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <string_view>

BOOST_AUTO_TEST_SUITE(handshake_proxy_header)

using namespace wsio::handshake;
using namespace std::string_literals;

namespace {

constexpr char tcp4 = 0x11;
constexpr char tcp6 = 0x21;
constexpr char unix_stream = 0x31;
constexpr char proxy_command = 0x21;
constexpr char local_command = 0x20;

const std::string v4_addresses =
    "\xCB\0\x71\x09\xC6\x33\x64\x01\x12\x67\0\x50"s;  // 203.0.113.9:4711 to 198.51.100.1:80
const std::string v6_addresses =
    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x09"s
    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x12\x67\0\x50"s;

std::string length(std::size_t size) { return {static_cast<char>(size >> 8), static_cast<char>(size)}; }

std::string v2(char command, char family, const std::string& body) {
    return "\r\n\r\n\0\r\nQUIT\n"s + command + family + length(body.size()) + body;
}

std::string field(char type, const std::string& value) { return type + length(value.size()) + value; }

bool incomplete(std::string_view input) { return std::holds_alternative<std::monostate>(read_proxy_header(input)); }

std::string problem(std::string_view input) {
    auto const result = read_proxy_header(input);
    auto const* const text = std::get_if<std::string_view>(&result);
    return text != nullptr ? std::string(*text) : "";
}

/// Reads a good header, cut at every byte and with the client's first bytes behind it; gives the client.
std::string source(const std::string& header) {
    for (std::size_t size = 0; size < header.size(); ++size)
        BOOST_TEST(incomplete(header.substr(0, size)), "not incomplete at " << size);
    std::string client;
    for (std::string const behind : {"", "G", "GET / HTTP/1.1\r\n", "\r\n", "\0"}) {
        auto const result = read_proxy_header(header + behind);
        auto const* const read = std::get_if<proxy_header>(&result);
        BOOST_REQUIRE_MESSAGE(read != nullptr, problem(header));
        BOOST_TEST(read->size == header.size());
        client = (read->source ? read->source->to_string() : "none") + (read->secure ? " s" : "");
    }
    return client;
}

/// Checks that a header is refused, for a reason with `why` in it, whole and with more behind it, and that once it is
/// refused more bytes do not mend it.
void check_refused(const std::string& header, std::string_view why) {
    BOOST_TEST_CONTEXT(header) {
        BOOST_TEST(problem(header).find(why) != std::string::npos,
                   "\"" << problem(header) << "\" does not say " << why);
        bool refused = false;
        for (std::size_t size = 0; size <= header.size() + 3; ++size) {
            auto const result = problem((header + "abc").substr(0, size));
            BOOST_TEST((!refused || !result.empty()), "mended at " << size);
            refused = !result.empty();
        }
        BOOST_TEST(refused);
    }
}

}  // namespace

BOOST_AUTO_TEST_CASE(version_1_names_the_client) {
    BOOST_TEST(source("PROXY TCP4 203.0.113.9 198.51.100.1 4711 80\r\n") == "203.0.113.9:4711");
    BOOST_TEST(source("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n") == "255.255.255.255:65535");
    BOOST_TEST(source("PROXY TCP6 2001:db8::9 2001:db8::1 4711 80\r\n") == "[2001:db8::9]:4711");
    BOOST_TEST(source("PROXY TCP6 ::ffff:203.0.113.9 ::1 4711 80\r\n") == "203.0.113.9:4711");
    BOOST_TEST(source("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
                      "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n") ==
               "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
}

BOOST_AUTO_TEST_CASE(version_1_may_not_know_the_client) {
    BOOST_TEST(source("PROXY UNKNOWN\r\n") == "none");
    BOOST_TEST(source("PROXY UNKNOWN what ever 1 2 \r\n") == "none");
    auto const longest = "PROXY UNKNOWN " + std::string(proxy_v1_limit - 16, 'x') + "\r\n";
    BOOST_TEST(longest.size() == proxy_v1_limit);
    BOOST_TEST(source(longest) == "none");
}

BOOST_AUTO_TEST_CASE(version_1_ends_within_107_bytes) {
    auto const endless = "PROXY UNKNOWN " + std::string(1000, 'x');
    BOOST_TEST(incomplete(endless.substr(0, proxy_v1_limit - 1)));
    BOOST_TEST(problem(endless.substr(0, proxy_v1_limit)) == "the line has no end within 107 bytes");
    check_refused("PROXY UNKNOWN " + std::string(proxy_v1_limit - 15, 'x') + "\r\n", "no end");
}

BOOST_AUTO_TEST_CASE(version_1_that_is_malformed_is_refused) {
    check_refused("PROXY TCP4 203.0.113.9 198.51.100.1 4711 80\n", "CR LF");
    check_refused("PROXY \n", "CR LF");
    check_refused("PROXY \r\n", "family");
    check_refused("PROXY UDP4 203.0.113.9 198.51.100.1 4711 80\r\n", "family");
    check_refused("PROXY tcp4 203.0.113.9 198.51.100.1 4711 80\r\n", "family");
    check_refused("PROXY  TCP4 203.0.113.9 198.51.100.1 4711 80\r\n", "family");
    check_refused("PROXY TCP4\r\n", "two addresses");
    check_refused("PROXY TCP4 203.0.113.9 198.51.100.1 4711\r\n", "two addresses");
    check_refused("PROXY TCP4 203.0.113.9 198.51.100.1 4711 80 \r\n", "two addresses");
    check_refused("PROXY TCP4  203.0.113.9 198.51.100.1 4711\r\n", "address");
    check_refused("PROXY TCP4 2001:db8::9 2001:db8::1 4711 80\r\n", "address");
    check_refused("PROXY TCP6 203.0.113.9 198.51.100.1 4711 80\r\n", "address");
    check_refused("PROXY TCP6 fe80::1%1 2001:db8::1 4711 80\r\n", "address");
    check_refused("PROXY TCP4 203.0.113.256 198.51.100.1 4711 80\r\n", "address");
    check_refused("PROXY TCP4 203.0.113.9\t198.51.100.1 4711 80 \r\n", "address");
    check_refused("PROXY TCP4 203.0.113.9\0 198.51.100.1 4711 80\r\n"s, "address");
    check_refused("PROXY TCP4 client 198.51.100.1 4711 80\r\n", "address");
    for (std::string const port : {"65536", "99999999999", "-1", "+1", "080", "x", "8 0", "4.5", ""})
        for (bool first : {true, false})
            check_refused("PROXY TCP4 203.0.113.9 198.51.100.1 " + (first ? port + " 80" : "80 " + port) + "\r\n",
                          port == "8 0" ? "two addresses" : "port");
}

BOOST_AUTO_TEST_CASE(version_2_names_the_client) {
    BOOST_TEST(source(v2(proxy_command, tcp4, v4_addresses)) == "203.0.113.9:4711");
    BOOST_TEST(source(v2(proxy_command, tcp6, v6_addresses)) == "[2001:db8::9]:4711");
    BOOST_TEST(source(v2(proxy_command, 0x12, v4_addresses)) == "203.0.113.9:4711");  // QUIC on the proxy's other side
    std::string paths(216, '\0');
    paths.replace(0, 11, "/run/a.sock");
    paths.replace(108, 11, "/run/b.sock");
    BOOST_TEST(source(v2(proxy_command, unix_stream, paths)) == "unix:/run/a.sock");
    paths.replace(0, 4, "a\nb ");  // nothing that a log should have
    BOOST_TEST(source(v2(proxy_command, unix_stream, paths)) == "unix:");
    BOOST_TEST(source(v2(proxy_command, unix_stream, std::string(216, 'x'))) == "unix:" + std::string(108, 'x'));
}

BOOST_AUTO_TEST_CASE(version_2_may_speak_for_the_proxy_itself) {
    BOOST_TEST(source(v2(local_command, 0, "")) == "none");
    BOOST_TEST(source(v2(local_command, tcp4, v4_addresses)) == "none");
    BOOST_TEST(source(v2(local_command, tcp4, "")) == "none");  // its addresses are not looked at,
    BOOST_TEST(source(v2(local_command, 0x7F, "")) == "none");  // nor is their family
    BOOST_TEST(source(v2(proxy_command, 0, "")) == "none");
    BOOST_TEST(source(v2(proxy_command, 0, "whatever")) == "none");
    BOOST_TEST(source(v2(proxy_command, 0x10, v4_addresses)) == "none");
}

BOOST_AUTO_TEST_CASE(version_2_may_say_that_the_client_used_tls) {
    auto const with = [](const std::string& fields) { return source(v2(proxy_command, tcp4, v4_addresses + fields)); };
    BOOST_TEST(with(field(0x20, "\x01\0\0\0\0"s)) == "203.0.113.9:4711 s");
    BOOST_TEST(with(field(0x20, "\x07\0\0\0\0"s + field(0x21, "TLSv1.3"))) == "203.0.113.9:4711 s");
    BOOST_TEST(with(field(0x20, "\0\0\0\0\0"s)) == "203.0.113.9:4711");
    BOOST_TEST(with(field(0x20, "\x06\0\0\0\0"s)) == "203.0.113.9:4711");  // a certificate alone is no TLS
    BOOST_TEST(with(field(0x04, "")) == "203.0.113.9:4711");
    BOOST_TEST(with(field(0x01, "h2") + field(0x03, "abcd") + field(0x20, "\x01\0\0\0\0"s) + field(0x04, "..")) ==
               "203.0.113.9:4711 s");
}

BOOST_AUTO_TEST_CASE(version_2_that_is_malformed_is_refused) {
    check_refused(v2(0x22, tcp4, v4_addresses), "neither LOCAL nor PROXY");
    check_refused(v2(0x11, tcp4, v4_addresses), "neither LOCAL nor PROXY");
    check_refused(v2(0x31, tcp4, v4_addresses), "neither LOCAL nor PROXY");
    check_refused(v2(0x01, tcp4, v4_addresses), "neither LOCAL nor PROXY");
    check_refused(v2(proxy_command, 0x41, v4_addresses), "unknown");
    check_refused(v2(proxy_command, 0x13, v4_addresses), "unknown");
    check_refused(v2(proxy_command, static_cast<char>(0xF1), v4_addresses), "unknown");
    check_refused(v2(proxy_command, tcp4, v4_addresses.substr(1)), "too short");
    check_refused(v2(proxy_command, tcp6, v6_addresses.substr(1)), "too short");
    check_refused(v2(proxy_command, tcp6, v4_addresses), "too short");
    check_refused(v2(proxy_command, unix_stream, std::string(215, 'x')), "too short");
    check_refused(v2(proxy_command, tcp4, ""), "too short");
}

BOOST_AUTO_TEST_CASE(version_2_with_malformed_fields_is_refused) {
    for (std::string const& fields :
         {"\x04"s, "\x04\0"s, "\x04\0\x01"s, "\x04\xFF\xFFx"s, field(0x04, "") + "\x04", field(0x20, "\x01\0\0\0"s)})
        check_refused(v2(proxy_command, tcp4, v4_addresses + fields), "fields");
}

BOOST_AUTO_TEST_CASE(version_2_is_taken_up_to_4096_bytes) {
    auto const filled = [](std::size_t size) {
        return v4_addresses + field(0x04, std::string(size - 16 - 12 - 3, 'x'));
    };
    BOOST_TEST(source(v2(proxy_command, tcp4, filled(proxy_v2_limit))) == "203.0.113.9:4711");
    check_refused(v2(proxy_command, tcp4, filled(proxy_v2_limit + 1)), "4096");
    check_refused(v2(local_command, 0, std::string(65535, 'x')).substr(0, 16), "4096");  // before any of it has come
}

BOOST_AUTO_TEST_CASE(what_is_no_header_is_refused_at_its_first_wrong_byte) {
    for (std::string const& other : {"GET / HTTP/1.1\r\n"s, "PROXI TCP4"s, "proxy TCP4"s, "P "s, "\r\nX"s,
                                     "\r\n\r\n\r\nQUIT\n"s, "\x16\x03\x01"s, "\0"s})
        check_refused(other, "does not begin with one");
    BOOST_TEST(incomplete(""));
    BOOST_TEST(incomplete("PROX"));
    BOOST_TEST(!problem("PROXX").empty());
    BOOST_TEST(!problem("\r\n\r\n\0\r\nQUIX"s).empty());
}

BOOST_AUTO_TEST_SUITE_END()
