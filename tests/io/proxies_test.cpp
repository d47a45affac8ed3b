#include "io/tls_client.hpp"

#include <algorithm>
#include <string>
#include <vector>

using namespace wsio::test;
using namespace std::string_literals;
using wsio::protocol_version;

// What proxies say of clients, over real connections. The grammar is tested in tests/handshake, nginx and HAProxy in
// tests/proxies.

namespace {

const std::string v1 = "PROXY TCP4 203.0.113.9 198.51.100.1 4711 80\r\n";
const std::string v2_signature = "\r\n\r\n\0\r\nQUIT\n"s;
const std::string v2_addresses = "\xCB\0\x71\x09\xC6\x33\x64\x01\x12\x67\0\x50"s;
const std::string v2 = v2_signature + "\x21\x11\0\x0C"s + v2_addresses;
const std::string v2_tls = v2_signature + "\x21\x11\0\x14"s + v2_addresses + "\x20\0\x05\x01\0\0\0\0"s;
const std::string v2_local = v2_signature + "\x20\0\0\0"s;

/// A server that expects PROXY headers from this machine, and what it says of those that it drops.
struct expecting {
    world w;
    std::vector<std::string> reasons;
    std::vector<wsio::endpoint> senders;
    wsio::server server;

    explicit expecting(wsio::options options = {}) : server(listen(w, *this, std::move(options))) {}

    static wsio::server listen(world& w, expecting& self, wsio::options options) {
        options.proxy_protocol = true;
        if (options.trusted_proxies.empty()) options.trusted_proxies = {"127.0.0.1"};
        options.on_error = [&self](const wsio::request& request, std::string_view why) {
            self.reasons.emplace_back(why);
            self.senders.push_back(request.remote_endpoint());
        };
        return w.listen(std::move(options));
    }

    client raw() { return {w, server.port()}; }

    /// Sends these pieces one after the other and gives the socket that they open.
    wsio::socket opened(client& c, const std::vector<std::string>& pieces) {
        for (auto const& piece : pieces) {
            c.send(piece);
            w.turn_for(pieces.size() > 20 ? 1ms : 5ms);
        }
        return w.accept(server);
    }
};

std::vector<std::string> bytes_of(const std::string& text) {
    std::vector<std::string> bytes;
    for (char const c : text) bytes.emplace_back(1, c);
    return bytes;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(io_proxies)

BOOST_AUTO_TEST_CASE(a_proxy_header_names_the_client_in_every_version) {
    expecting e;
    for (auto version : wsio::all_protocol_versions)
        for (auto const& header : {v1, v2}) BOOST_TEST_CONTEXT(version) {
                auto c = e.raw();
                auto const proxy = c.local();
                auto socket = e.opened(c, {header + handshake(version, "/here")});
                BOOST_TEST(socket.client_endpoint().to_string() == "203.0.113.9:4711");
                BOOST_TEST(socket.remote_endpoint() == proxy);
                BOOST_TEST(socket.request().path() == "/here");
                BOOST_TEST(!socket.request().secure());
                auto answer = c.read_to("\r\n\r\n");
                if (version == protocol_version::hixie_76) answer += c.read(16);
                BOOST_TEST(contains(answer, proof(version)), answer);
                c.send(client_text(version, "hello"));
                BOOST_TEST(e.w.receive(socket)->text() == "hello");
            }
    BOOST_TEST(e.reasons.empty());
}

BOOST_AUTO_TEST_CASE(a_proxy_header_may_come_in_pieces) {
    expecting e;
    for (auto const& header : {v1, v2, v2_tls, v2_local}) {
        auto apart = e.raw();
        e.opened(apart, {header, handshake()});
        auto half = e.raw();
        e.opened(half, {header.substr(0, 7), header.substr(7) + handshake()});
        auto bytewise = e.raw();
        e.opened(bytewise, bytes_of(header + handshake()));
    }
}

BOOST_AUTO_TEST_CASE(a_proxy_header_may_say_that_the_client_used_tls) {
    expecting e;
    auto c = e.raw();
    auto const socket = e.opened(c, {v2_tls + handshake(protocol_version::hixie_76, "/x")});
    BOOST_TEST(socket.request().secure());
    BOOST_TEST(contains(c.read_to("\r\n\r\n"), "\r\nSec-WebSocket-Location: wss://127.0.0.1/x\r\n"));
}

BOOST_AUTO_TEST_CASE(a_proxy_that_speaks_for_itself_is_the_client) {
    expecting e;
    for (auto const& header : {v2_local, "PROXY UNKNOWN\r\n"s, "PROXY UNKNOWN ::1 ::1 1 2\r\n"s}) {
        auto c = e.raw();
        auto const socket = e.opened(c, {header + handshake()});
        BOOST_TEST(socket.client_endpoint() == c.local());
    }
}

BOOST_AUTO_TEST_CASE(a_connection_without_a_right_header_is_dropped_and_the_reason_told) {
    expecting e;
    auto check = [&](const std::string& bytes, std::string_view why) {
        e.reasons.clear();
        auto c = e.raw();
        auto const sender = c.local();
        c.send_some(bytes);
        BOOST_TEST(c.read_all() == "");
        BOOST_REQUIRE(e.reasons.size() == 1);
        BOOST_TEST(contains(e.reasons[0], "dropped: PROXY header: "), e.reasons[0]);
        BOOST_TEST(contains(e.reasons[0], why), e.reasons[0]);
        BOOST_TEST(e.senders.back() == sender);
    };
    check(handshake(), "does not begin with one");
    check("PROXY TCP4 203.0.113.999 198.51.100.1 4711 80\r\n" + handshake(), "address");
    check("PROXY " + std::string(200, 'x'), "107 bytes");
    check(v2_signature + "\x21\x11\xFF\xFF"s, "4096");
    check(v2_signature + "\x22\x11\0\x0C"s + v2_addresses, "neither");
    check("\x16\x03\x01\x02\0\x01"s, "does not begin with one");
    BOOST_TEST(e.server.clients_count() == 0u);
}

BOOST_AUTO_TEST_CASE(a_header_that_ends_early_is_told_and_a_connection_without_a_byte_is_not) {
    expecting e;
    auto silent = e.raw();  // as load balancers look whether a port is open
    e.w.turn_for(5ms);
    silent.finish();
    silent.expect_end();
    BOOST_TEST(e.reasons.empty());
    auto cut = e.raw();
    cut.send(v1.substr(0, 20)).finish();
    cut.expect_end();
    BOOST_REQUIRE(e.reasons.size() == 1);
    BOOST_TEST(contains(e.reasons[0], "ended within it"), e.reasons[0]);
}

BOOST_AUTO_TEST_CASE(a_header_from_somebody_who_is_not_trusted_is_not_read) {
    expecting e({.trusted_proxies = {"127.0.0.9", "10.0.0.0/8"}});
    auto c = e.raw();
    c.send_some(v1 + handshake());
    BOOST_TEST(c.read_all() == "");
    BOOST_REQUIRE(e.reasons.size() == 1);
    BOOST_TEST(contains(e.reasons[0], "not among the trusted proxies"), e.reasons[0]);
    auto proxy = client::from("127.0.0.9", e.w, e.server.port());
    BOOST_TEST(e.opened(proxy, {v1 + handshake()}).client_endpoint().to_string() == "203.0.113.9:4711");
}

BOOST_AUTO_TEST_CASE(the_deadline_of_the_handshake_covers_the_header) {
    expecting e({.timeouts = {.handshake = 600ms}});
    auto const begin = std::chrono::steady_clock::now();
    auto never = e.raw();
    auto slow = e.raw();  // its header comes late and does not buy it time
    never.send(v1.substr(0, 20));
    slow.send(v1.substr(0, 20));
    e.w.turn_for(400ms);
    slow.send(v1.substr(20));
    BOOST_TEST(never.read_all() == "");
    BOOST_TEST(slow.read_all() == "");
    auto const took = std::chrono::steady_clock::now() - begin;
    BOOST_TEST((took >= 590ms && took < 980ms), std::chrono::duration_cast<std::chrono::milliseconds>(took).count());
    BOOST_TEST(std::ranges::count(e.reasons, "dropped: PROXY header: it took too long") == 1);
}

BOOST_FIXTURE_TEST_CASE(tls_begins_behind_the_header, secure_world) {
    auto server = w.listen({.trusted_proxies = {"127.0.0.1"}, .proxy_protocol = true, .tls = tls()});
    for (auto const& header : {v1, v2})
        for (bool const glued : {true, false}) {
            client tcp(w, server.port());
            tls_peer peer(trusting);
            BOOST_TEST(!peer.shake_hands());
            if (!glued) {
                tcp.send(header);
                w.turn_for(5ms);
            }
            tcp.send((glued ? header : "") + peer.drain());
            while (!peer.shake_hands()) peer.feed(tcp.read_some());
            peer.write(handshake());
            tcp.send(peer.drain());
            auto const socket = w.accept(server);
            BOOST_TEST(socket.client_endpoint().to_string() == "203.0.113.9:4711");
            BOOST_TEST(socket.request().secure());
        }
}

BOOST_AUTO_TEST_CASE(without_the_option_a_proxy_header_is_a_bad_request) {
    world w;
    auto server = w.listen({.trusted_proxies = {"127.0.0.1"}});
    for (auto const& header : {v1, v2})
        BOOST_TEST(status_of(client(w, server.port()).send(header + handshake()).read_all()) == 400);
}

BOOST_AUTO_TEST_CASE(stopping_ends_connections_that_have_sent_half_a_header) {
    expecting e;
    auto c = e.raw();
    c.send(v1.substr(0, 20));
    auto nothing = e.raw();
    e.w.turn_for(20ms);
    auto draining = e.w.start(e.server.drain(2s));
    c.read_all();
    nothing.read_all();
    BOOST_TEST(e.w.until([&] { return draining.done(); }));
}

BOOST_AUTO_TEST_CASE(connections_are_counted_for_the_client_that_the_header_names) {
    expecting e({.limits = {.connections_per_address = 1}});
    auto first = e.raw();
    e.opened(first, {v1 + handshake()});
    auto second = e.raw();
    BOOST_TEST(status_of(second.send(v2 + handshake()).read_all()) == 429);
    auto other = e.raw();
    e.opened(other, {"PROXY TCP4 203.0.113.10 198.51.100.1 4711 80\r\n" + handshake()});
}

BOOST_AUTO_TEST_CASE(header_fields_are_believed_from_whom_the_proxy_header_names) {
    expecting e({.trusted_proxies = {"127.0.0.1", "10.0.0.0/8"}});
    auto const fields = handshake("/", "X-Forwarded-For: 198.51.100.7\r\n");
    auto forger = e.raw();
    BOOST_TEST(e.opened(forger, {v1 + fields}).client_endpoint().to_string() == "203.0.113.9:4711");
    auto chain = e.raw();
    auto const inner = "PROXY TCP4 10.0.0.7 198.51.100.1 4711 80\r\n"s;
    BOOST_TEST(e.opened(chain, {inner + fields}).client_endpoint().to_string() == "198.51.100.7");
    auto unknown = e.raw();
    BOOST_TEST(e.opened(unknown, {v2_local + fields}).client_endpoint().to_string() == "198.51.100.7");
}

BOOST_AUTO_TEST_CASE(header_fields_name_the_client_of_a_websocket) {
    world w;
    auto const fields = "X-Forwarded-For: 198.51.100.7, 203.0.113.9\r\nForwarded: for=198.51.100.8\r\n";
    auto const client_of = [&](wsio::options options, std::string_view from = "127.0.0.1") {
        auto server = w.listen(std::move(options));
        auto c = client::from(from, w, server.port());
        c.send(handshake("/", fields)).read_to("\r\n\r\n");
        auto const socket = w.accept(server);
        BOOST_TEST(socket.remote_endpoint() == c.local());
        return socket.client_endpoint() == c.local() ? "the peer" : socket.client_endpoint().to_string();
    };
    BOOST_TEST(client_of({}) == "the peer");
    BOOST_TEST(client_of({.trusted_proxies = {"10.0.0.0/8"}}) == "the peer");
    BOOST_TEST(client_of({.trusted_proxies = {"127.0.0.1"}}) == "203.0.113.9");
    BOOST_TEST(client_of({.trusted_proxies = {"127.0.0.1"}}, "127.0.0.2") == "the peer");
    BOOST_TEST(client_of({.trusted_proxies = {"127.0.0.1", "203.0.113.0/24"}}) == "198.51.100.7");
    BOOST_TEST(client_of({.trusted_proxies = {"127.0.0.1"}, .forwarding = wsio::forwarding_header::forwarded}) ==
               "198.51.100.8");
}

BOOST_AUTO_TEST_CASE(authorize_sees_who_the_client_is) {
    world w;
    std::string seen;
    auto authorize = [&](const wsio::request& request) -> awaitable<wsio::verdict> {
        seen = request.client_endpoint().to_string();
        co_return wsio::verdict::accept();
    };
    auto server = w.listen({.authorize = authorize, .trusted_proxies = {"127.0.0.1"}});
    connect(w, server.port(), protocol_version::hybi_13, "/", "X-Forwarded-For: 203.0.113.9\r\n");
    BOOST_TEST(seen == "203.0.113.9");
}

BOOST_AUTO_TEST_CASE(a_server_beside_http_trusts_its_own_proxies_or_else_those_of_the_port) {
    world w;
    auto page = [](const wsio::request& request) -> awaitable<wsio::http_response> {
        co_return wsio::http_response{.body = request.client_endpoint().to_string()};
    };
    wsio::http_server http(w.executor(), page, {.host = "127.0.0.1", .trusted_proxies = {"127.0.0.1"}});
    auto same = attach(http, {.path = "/same"});
    auto other = attach(http, {.path = "/other", .trusted_proxies = {"127.0.0.1", "203.0.113.9"}});
    auto cautious = attach(http, {.path = "/cautious", .trusted_proxies = {"10.0.0.0/8"}});
    http.listen(0);
    auto const fields = "X-Forwarded-For: 198.51.100.7, 203.0.113.9\r\n"s;
    auto client_of = [&](wsio::server& server, std::string_view path) {
        connect(w, http.port(), protocol_version::hybi_13, path, fields);
        return w.accept(server).client_endpoint().to_string();
    };
    BOOST_TEST(client_of(same, "/same") == "203.0.113.9");
    BOOST_TEST(client_of(other, "/other") == "198.51.100.7");
    BOOST_TEST(contains(client_of(cautious, "/cautious"), "127.0.0.1:"));
    client c(w, http.port());
    BOOST_TEST(body_of(c.send("GET / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n").read_response()) == "203.0.113.9");
}

BOOST_AUTO_TEST_CASE(over_a_unix_socket_the_proxy_is_trusted_by_name) {
    world w;
    auto const host = "unix:@wsio-proxies-" + std::to_string(::getpid());
    auto const client_of = [&](std::vector<std::string> trusted) {
        auto server = w.listen_where_told({.host = host, .trusted_proxies = std::move(trusted)});
        client c(w, server.local_endpoint());
        c.send(handshake("/", "X-Forwarded-For: 203.0.113.9\r\n"));
        return w.accept(server).client_endpoint().to_string();
    };
    BOOST_TEST(client_of({}) == "unix:");
    BOOST_TEST(client_of({"0.0.0.0/0", "::/0"}) == "unix:");
    BOOST_TEST(client_of({"unix:"}) == "203.0.113.9");
}

BOOST_AUTO_TEST_SUITE_END()
