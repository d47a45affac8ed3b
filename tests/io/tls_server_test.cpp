#include "io/tls_client.hpp"

#include <algorithm>
#include <stdexcept>
#include <vector>

using namespace wsio::test;
using wsio::client_verification;
using wsio::protocol_version;

namespace {

constexpr std::size_t mebibyte = 1024 * 1024;
constexpr auto every_version = {protocol_version::hixie_75, protocol_version::hixie_76, protocol_version::hybi_7,
                                protocol_version::hybi_8, protocol_version::hybi_13};

}  // namespace

BOOST_AUTO_TEST_SUITE(io_tls_server)

BOOST_FIXTURE_TEST_CASE(every_protocol_version_works_over_tls, secure_world) {
    auto server = w.echo({.tls = tls()});
    for (auto const version : every_version) {
        auto client = connect(server.port(), version);
        client.send(client_text(version, "hello")).expect(server_text(version, "hello"));
        auto const large = letters(mebibyte + 1);
        client.send(client_text(version, large));
        auto const expected = server_text(version, large);
        BOOST_TEST((client.read(expected.size()) == expected));
    }
}

BOOST_FIXTURE_TEST_CASE(the_location_of_hixie_says_wss, secure_world) {
    auto server = w.echo({.tls = tls()});
    connect(server.port(), protocol_version::hixie_75);
    BOOST_TEST(contains(answer, "\r\nWebSocket-Location: wss://127.0.0.1/\r\n"), answer);
    connect(server.port(), protocol_version::hixie_76);
    BOOST_TEST(contains(answer, "\r\nSec-WebSocket-Location: wss://127.0.0.1/\r\n"), answer);
    BOOST_TEST(answer.ends_with(proof(protocol_version::hixie_76)), readable(answer));
}

BOOST_FIXTURE_TEST_CASE(a_request_over_tls_is_secure, secure_world) {
    bool secure = false;
    auto server = w.listen({.authorize = [&](const wsio::request& r) -> awaitable<wsio::verdict> {
                                secure = r.secure() && r.client_certificate() == nullptr;
                                co_return wsio::verdict::accept();
                            },
                            .tls = tls()});
    auto client = connect(server.port());
    BOOST_TEST(secure);
    BOOST_TEST(w.accept(server).request().secure());
}

BOOST_FIXTURE_TEST_CASE(the_clients_certificate_is_known_to_authorize_and_to_the_handler, secure_world) {
    auto const authorize = [](const wsio::request& r) -> awaitable<wsio::verdict> {
        auto const* const shown = r.client_certificate();
        if (shown == nullptr || shown->common_name != "Ada")
            co_return wsio::verdict::reject(403, "only Ada may come in");
        co_return wsio::verdict::accept(shown->fingerprint);
    };
    auto server = w.listen({.authorize = authorize, .tls = asking_clients(client_verification::optional)});
    auto const ada = ca.issue("Ada", "", purpose::client);
    auto const eve = ca.issue("Eve", "", purpose::client);
    trusting.certificate = &ada;
    auto client = connect(server.port());
    auto const socket = w.accept(server);
    BOOST_REQUIRE(socket.request().client_certificate() != nullptr);
    BOOST_TEST(socket.request().client_certificate()->subject == "CN=Ada,O=wsio");
    BOOST_TEST(std::any_cast<std::string>(socket.user_value()) == socket.request().client_certificate()->fingerprint);
    for (auto const* other : {&eve, static_cast<const identity*>(nullptr)}) {
        trusting.certificate = other;
        secure_client refused(w, server.port(), trusting);
        refused.send(handshake());
        BOOST_TEST(status_of(refused.read_all()) == 403);
    }
}

BOOST_FIXTURE_TEST_CASE(frames_come_together_with_the_handshake_and_split_anywhere, secure_world) {
    auto server = w.echo({.tls = tls()});
    secure_client glued(w, server.port(), trusting);
    glued.send(handshake() + frame(text_frame, "one") + frame(text_frame, "two"));
    glued.read_to("\r\n\r\n");
    glued.expect(server_frame(text_frame, "one") + server_frame(text_frame, "two"));
    secure_client split(w, server.port(), trusting);
    for (char const byte : handshake() + frame(text_frame, "one")) split.send({&byte, 1});
    split.read_to("\r\n\r\n");
    split.expect(server_frame(text_frame, "one"));
    // A record that arrives byte by byte.
    split.tls.write(frame(text_frame, "two"));
    for (char const byte : split.tls.drain()) {
        split.tcp.send({&byte, 1});
        w.turn();
    }
    split.expect(server_frame(text_frame, "two"));
}

BOOST_FIXTURE_TEST_CASE(a_burst_of_messages_arrives_while_the_handler_is_away, secure_world) {
    // More than the read-ahead, and some more than is received at once: the rest lies in OpenSSL, which makes no event.
    auto server = w.listen({.tls = tls(), .limits = {.read_ahead = 10'000}});
    auto client = connect(server.port());
    auto socket = w.accept(server);
    std::string burst;
    constexpr int count = 2550;
    for (int i = 0; i < count; ++i) burst += frame(text_frame, std::to_string(i) + letters(100));
    BOOST_TEST((burst.size() > 270'000 && burst.size() < 285'000));
    client.send(burst);
    w.turn_for(50ms);
    for (int i = 0; i < count; ++i) {
        auto const got = w.receive(socket);
        BOOST_REQUIRE(got.has_value());
        BOOST_REQUIRE(got->text() == std::to_string(i) + letters(100));
    }
}

BOOST_FIXTURE_TEST_CASE(a_slow_reader_gets_all_in_the_order_of_the_calls, secure_world) {
    auto server = w.listen({.tls = tls(), .limits = {.outbox = 20'000}});
    auto client = connect(server.port(), protocol_version::hybi_13, 8192);
    auto socket = w.accept(server);
    std::string calls;
    auto const sender = [&](char name, std::size_t rounds) -> awaitable<void> {
        for (std::size_t i = 0; i < rounds; ++i) {
            auto const text = name + std::to_string(i) + ' ' + letters(i * 7919 % 60'000);
            calls += server_frame(text_frame, text);
            if (text.size() < 1000) {
                socket.write(text);
            } else {
                auto const sent = co_await socket.send(text);
                BOOST_REQUIRE(sent);
            }
        }
    };
    auto const a = w.start(sender('a', 40)), b = w.start(sender('b', 40));
    w.turn_for(50ms);
    std::string got;
    while (!(a.done() && b.done()) || got.size() < calls.size())
        got += client.read(std::max<std::size_t>(1, std::min<std::size_t>(calls.size() - got.size(), 5000)));
    a.get();
    b.get();
    BOOST_TEST((got == calls));
}

BOOST_FIXTURE_TEST_CASE(a_handshake_waits_for_a_client_that_takes_its_time, secure_world) {
    auto const own = ca.issue("localhost");
    // More than the socket takes: 5 MB.
    auto const huge = ca.issue("padding", "DNS:" + letters(100'000)).certificate_pem();
    auto chain = own.certificate_pem();
    for (int i = 0; i < 50; ++i) chain += huge;
    wsio::tls const long_chain(
        {.certificate = folder.write("long.pem", chain), .key = folder.write("long.key", own.key_pem())});
    auto server = w.echo({.tls = long_chain});
    for (int const version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        trusting.version = version;
        client tcp(w, server.port(), 2048);
        tls_peer peer(trusting);
        peer.shake_hands();
        tcp.send(peer.drain());
        w.turn_for(50ms);
        while (!peer.shake_hands()) {
            if (auto const bytes = peer.drain(); !bytes.empty()) tcp.send(bytes);
            peer.feed(tcp.read_some());
        }
        peer.write(handshake());
        tcp.send(peer.drain());
        std::string got;
        while (!contains(got, "\r\n\r\n")) {
            peer.feed(tcp.read_some());
            got += peer.read();
        }
        BOOST_TEST(status_of(got) == 101);
    }
}

BOOST_FIXTURE_TEST_CASE(a_client_that_updates_its_keys_goes_on, secure_world) {
    auto server = w.echo({.tls = tls()});
    trusting.version = TLS1_3_VERSION;
    auto client = connect(server.port());
    for (int i = 0; i < 5; ++i) {
        SSL_key_update(client.tls.ssl(), SSL_KEY_UPDATE_REQUESTED);
        client.send(frame(text_frame, "update")).expect(server_frame(text_frame, "update"));
    }
}

BOOST_FIXTURE_TEST_CASE(http_beside_it_is_https, secure_world) {
    auto const page = [](const wsio::request& r) -> awaitable<wsio::http_response> {
        co_return wsio::http_response{.body = r.secure() ? "secure" : "plain"};
    };
    wsio::http_server http(w.executor(), page, {.host = "127.0.0.1", .tls = tls()});
    auto chat = attach(http, {.path = "/chat"});
    http.listen(0);
    secure_client client(w, http.port(), trusting);
    for (int i = 0; i < 3; ++i) {
        client.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
        BOOST_TEST(status_of(client.read_to("\r\n\r\n")) == 200);
        client.expect("secure");
    }
    client.send(handshake("/chat"));
    BOOST_TEST(status_of(client.read_to("\r\n\r\n")) == 101);
    BOOST_TEST(w.accept(chat).request().secure());
}

BOOST_FIXTURE_TEST_CASE(tls_belongs_to_who_listens, secure_world) {
    auto const page = [](const wsio::request&) -> awaitable<wsio::http_response> { co_return wsio::http_response{}; };
    wsio::http_server http(w.executor(), page);
    BOOST_CHECK_THROW(static_cast<void>(attach(http, {.tls = tls()})), std::invalid_argument);
    BOOST_CHECK_THROW(wsio::server(w.executor(), {.tls = tls()}), std::invalid_argument);
}

BOOST_FIXTURE_TEST_CASE(a_reload_is_for_new_connections_and_old_ones_go_on, secure_world) {
    auto const certificates = tls();
    auto server = w.echo({.tls = certificates});
    auto before = connect(server.port());
    ca.issue("renewed").save(folder, "server");
    certificates.reload();
    auto after = connect(server.port());
    BOOST_TEST(before.tls.server_common_name() == "localhost");
    BOOST_TEST(after.tls.server_common_name() == "renewed");
    folder.write("server.key", "not a key");
    BOOST_CHECK_THROW(certificates.reload(), std::runtime_error);
    auto later = connect(server.port());
    BOOST_TEST(later.tls.server_common_name() == "renewed");
    for (auto* client : {&before, &after, &later})
        client->send(frame(text_frame, "on")).expect(server_frame(text_frame, "on"));
}

BOOST_FIXTURE_TEST_CASE(a_hundred_connections_at_once, secure_world) {
    auto server = w.echo({.tls = tls()});
    auto clients = std::vector<secure_client>();
    for (int i = 0; i < 100; ++i) clients.push_back(connect(server.port()));
    for (std::size_t i = 0; i < clients.size(); ++i) clients[i].send(frame(text_frame, letters(i * 200)));
    for (std::size_t i = 0; i < clients.size(); ++i) clients[i].expect(server_frame(text_frame, letters(i * 200)));
    BOOST_TEST(server.clients_count() == 100U);
    for (auto& client : clients) client.tcp.reset();
    BOOST_TEST(w.until([&] { return server.clients_count() == 0; }));
}

BOOST_AUTO_TEST_SUITE_END()
