#include "handshake/tunnel.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <variant>

using namespace wsio::handshake;
using wsio::error;

namespace {

tunnel make(std::string_view url = "ws://example.com/", std::string_view proxy = "http://proxy:3128") {
    return {std::get<websocket_url>(parse_url(url)), std::get<websocket_url>(parse_proxy(proxy)), {}};
}

/// Feeds an answer whole and at every cut: the results must be equal.
tunnel run(std::string_view answer, std::string_view proxy = "http://proxy:3128") {
    auto whole = make("ws://example.com/", proxy);
    auto const used = whole.put(answer);
    if (!whole.is_over()) whole.end();
    for (std::size_t cut = 0; cut <= answer.size(); ++cut) {
        auto halves = make("ws://example.com/", proxy);
        auto taken = halves.put(answer.substr(0, cut));
        if (!halves.is_over()) taken = halves.put(answer);
        if (!halves.is_over()) halves.end();
        BOOST_TEST(taken == used, "a cut at " << cut);
        BOOST_TEST(halves.problem().message == whole.problem().message);
        BOOST_TEST(halves.succeeded() == whole.succeeded());
    }
    return whole;
}

void check_failed(const tunnel& t, error why, std::string_view part) {
    BOOST_TEST(t.is_over());
    BOOST_TEST(!t.succeeded());
    BOOST_TEST(static_cast<int>(t.problem().why) == static_cast<int>(why));
    BOOST_TEST((t.problem().message.find(part) != std::string::npos), t.problem().message << " does not say: " << part);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(handshake_tunnel)

BOOST_AUTO_TEST_CASE(request_names_host_and_port) {
    BOOST_TEST(make().request_bytes() == "CONNECT example.com:80 HTTP/1.1\r\nHost: example.com:80\r\n\r\n");
    BOOST_TEST(make("wss://[::1]/").request_bytes() == "CONNECT [::1]:443 HTTP/1.1\r\nHost: [::1]:443\r\n\r\n");
    BOOST_TEST(
        make("ws://a/", "http://Aladdin:open%20sesame@proxy").request_bytes() ==
        "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\nProxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n");
}

BOOST_AUTO_TEST_CASE(answer_of_2xx_opens_the_tunnel) {
    auto t = make();
    BOOST_TEST(t.put("HTTP/1.1 200 Connection established\r\nContent-Length: 5\r\n\r\nbytes of the server") == 58U);
    BOOST_TEST(t.succeeded());
    BOOST_TEST(run("HTTP/1.0 200 OK\r\n\r\n").succeeded());
    BOOST_TEST(run("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n").succeeded());
}

BOOST_AUTO_TEST_CASE(refusals_are_told_apart) {
    auto waits = make();
    waits.put("HTTP/1.1 403 Forbidden\r\nContent-Length: 6\r\n\r\nfil");
    BOOST_TEST(waits.reads_body());
    BOOST_TEST(!waits.is_over());
    // What follows the body is no part of it.
    check_failed(run("HTTP/1.1 403 Forbidden\r\nContent-Length: 6\r\n\r\nfilter, and more"), error::proxy_refused,
                 ": filter; ");
    auto const refused = run("HTTP/1.1 403 Forbidden\r\nContent-Length: 6\r\n\r\nfilter");
    check_failed(refused, error::proxy_refused, "403 Forbidden: filter");
    BOOST_TEST(refused.answer().body() == "filter");
    check_failed(run("HTTP/1.1 407 No\r\n\r\n"), error::proxy_unauthorized, "http://user:password@");
    check_failed(run("HTTP/1.1 407 No\r\n\r\n", "me:wrong@proxy"), error::proxy_unauthorized,
                 "are the user and the password");
    check_failed(run("HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n"), error::proxy_refused, "302 Found");
    check_failed(run("SSH-2.0"), error::proxy_failed, "is there an HTTP proxy");
    check_failed(run(""), error::proxy_failed, "ended the connection");
    check_failed(run("HTTP/1.1 200 O"), error::proxy_failed, "ended the connection");
}

BOOST_AUTO_TEST_SUITE_END()
