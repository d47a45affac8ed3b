#include "io/fixture.hpp"
#include "io/tls_tools.hpp"

#include <algorithm>
#include <stdexcept>
#include <vector>

using namespace wsio::test;
using wsio::client_verification;
using wsio::close_code;
using wsio::ended_by;
using wsio::protocol_version;

namespace {

constexpr std::size_t mebibyte = 1024 * 1024;
constexpr auto every_version = {protocol_version::hixie_75, protocol_version::hixie_76, protocol_version::hybi_7,
                                protocol_version::hybi_8, protocol_version::hybi_13};

/// A client that speaks TLS over a raw TCP client.
class secure_client {
public:
    secure_client(world& world, std::uint16_t port, const tls_peer::settings& settings, int receive_buffer = 0)
        : tcp(world, port, receive_buffer), tls(settings) {
        while (!tls.shake_hands()) {
            flush();
            tls.feed(tcp.read_some());
        }
        flush();
    }

    void flush() {
        if (auto const bytes = tls.drain(); !bytes.empty()) tcp.send(bytes);
    }
    secure_client& send(std::string_view text) {
        tls.write(text);
        flush();
        return *this;
    }
    std::string read(std::size_t size) {
        return take([&] { return text_.size() >= size ? size : std::string::npos; });
    }
    std::string read_to(std::string_view mark) {
        return take([&] {
            auto const at = text_.find(mark);
            return at == std::string::npos ? at : at + mark.size();
        });
    }
    void expect(std::string_view bytes) { BOOST_TEST(readable(read(bytes.size())) == readable(bytes)); }

    /// Reads to the end of the TCP connection.
    std::string read_all() {
        tls.feed(tcp.read_all());
        text_ += tls.read();
        return std::exchange(text_, {});
    }
    void expect_last(std::string_view bytes) {
        BOOST_TEST(readable(read_all()) == readable(bytes));
        BOOST_TEST(tls.server_said_goodbye());
    }

    client tcp;
    tls_peer tls;

private:
    std::string take(const auto& enough) {
        for (;;) {
            text_ += tls.read();
            flush();  // an answer to a key update, say
            if (auto const size = enough(); size != std::string::npos) {
                auto rest = text_.substr(size);
                text_.resize(size);
                return std::exchange(text_, std::move(rest));
            }
            tls.feed(tcp.read_some());
        }
    }

    std::string text_;
};

struct ground {
    temporary_folder folder;
    authority ca;
    wsio::tls_certificate files = ca.issue("localhost").save(folder, "server");
    tls_peer::settings trusting{.trusted = &ca};
    world w;

    [[nodiscard]] wsio::tls tls() const { return wsio::tls({.certificate = files.certificate, .key = files.key}); }
    [[nodiscard]] wsio::tls asking_clients(client_verification how) const {
        return wsio::tls({.certificate = files.certificate,
                          .key = files.key,
                          .client_ca = folder.write("ca.pem", ca.own().certificate_pem()),
                          .client_verify = how});
    }

    secure_client connect(std::uint16_t port, protocol_version version = protocol_version::hybi_13,
                          int receive_buffer = 0) {
        secure_client made(w, port, trusting, receive_buffer);
        made.send(handshake(version));
        answer = made.read_to("\r\n\r\n");
        if (version == protocol_version::hixie_76) answer += made.read(16);
        BOOST_REQUIRE_MESSAGE(status_of(answer) == 101, answer);
        return made;
    }
    std::string answer;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(io_tls_server)

BOOST_FIXTURE_TEST_CASE(every_protocol_version_works_over_tls, ground) {
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

BOOST_FIXTURE_TEST_CASE(the_location_of_hixie_says_wss, ground) {
    auto server = w.echo({.tls = tls()});
    connect(server.port(), protocol_version::hixie_75);
    BOOST_TEST(contains(answer, "\r\nWebSocket-Location: wss://127.0.0.1/\r\n"), answer);
    connect(server.port(), protocol_version::hixie_76);
    BOOST_TEST(contains(answer, "\r\nSec-WebSocket-Location: wss://127.0.0.1/\r\n"), answer);
    BOOST_TEST(answer.ends_with(proof(protocol_version::hixie_76)), readable(answer));
}

BOOST_FIXTURE_TEST_CASE(a_request_over_tls_is_secure, ground) {
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

BOOST_FIXTURE_TEST_CASE(the_clients_certificate_is_known_to_authorize_and_to_the_handler, ground) {
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

BOOST_FIXTURE_TEST_CASE(a_client_without_the_certificate_that_is_required_is_told_so, ground) {
    auto server = w.listen({.tls = asking_clients(client_verification::required)});
    auto reported = std::vector<std::string>();
    server.on_error([&](const wsio::request& r, std::string_view why) {
        BOOST_TEST(r.remote_endpoint().port != 0);
        reported.emplace_back(why);
    });
    for (int const version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        trusting.version = version;
        std::string why = "nothing went wrong";
        try {
            secure_client client(w, server.port(), trusting);
            client.send(handshake());  // TLS 1.3 tells only now
            client.read_all();
        } catch (const std::runtime_error& e) {
            why = e.what();
        }
        BOOST_TEST(why ==
                   (version == TLS1_3_VERSION ? "tlsv13 alert certificate required" : "sslv3 alert handshake failure"));
    }
    BOOST_REQUIRE(w.until([&] { return reported.size() == 2; }));
    BOOST_TEST(reported.front() == "400: TLS: peer did not return a certificate");
}

BOOST_FIXTURE_TEST_CASE(plain_http_is_told_to_use_tls, ground) {
    auto server = w.echo({.tls = tls()});
    auto reported = std::string();
    server.on_error([&](const wsio::request&, std::string_view why) { reported = why; });
    for (auto const& request :
         {handshake(), std::string("POST / HTTP/1.1\r\nContent-Length: 50000\r\n\r\n") + letters(50'000)}) {
        client plain(w, server.port());
        plain.send(request);
        auto const got = plain.read_all();
        BOOST_TEST(status_of(got) == 400);
        BOOST_TEST(body_of(got) == "this port speaks TLS: use https or wss\n");
    }
    BOOST_TEST(reported == "400: TLS: http request");
}

BOOST_FIXTURE_TEST_CASE(garbage_in_place_of_a_handshake_is_dropped_with_an_alert, ground) {
    auto server = w.echo({.tls = tls(), .timeouts = {.close = 300ms}});
    for (auto const& garbage : {letters(5), letters(100'000), std::string("\x16\x03\x01\x00\x05hello", 10)}) {
        client broken(w, server.port());
        broken.send_some(garbage);
        auto const got = broken.read_all();
        BOOST_TEST(got.size() <= 7U, readable(got));
        BOOST_TEST((got.empty() || got.front() == '\x15'), readable(got));
    }
    auto good = connect(server.port());
    good.send(client_text(protocol_version::hybi_13, "x")).expect(server_text(protocol_version::hybi_13, "x"));
}

BOOST_FIXTURE_TEST_CASE(a_stall_anywhere_within_the_tls_handshake_meets_the_deadline, ground) {
    auto server = w.echo({.tls = tls(), .timeouts = {.handshake = 300ms, .close = 200ms}});
    auto const hello = [&] {
        tls_peer peer(trusting);
        peer.shake_hands();
        return peer.drain();
    }();
    for (auto const& begin : {std::string(), hello.substr(0, 1), hello.substr(0, hello.size() - 1), hello}) {
        client stalled(w, server.port());
        if (!begin.empty()) stalled.send(begin);
        auto const started = std::chrono::steady_clock::now();
        stalled.read_all();
        auto const took = std::chrono::steady_clock::now() - started;
        BOOST_TEST((took > 200ms && took < 1500ms), begin.size());
    }
    // Bytes that trickle in do not extend it.
    client trickling(w, server.port());
    auto const started = std::chrono::steady_clock::now();
    for (char const byte : hello) {
        if (trickling.send_some({&byte, 1}, 10ms) == 0) break;
        w.turn_for(20ms);
        if (std::chrono::steady_clock::now() - started > 1s) break;
    }
    trickling.read_all();
    BOOST_TEST((std::chrono::steady_clock::now() - started < 1500ms));
}

BOOST_FIXTURE_TEST_CASE(a_stall_between_tls_and_the_request_is_under_the_same_deadline, ground) {
    auto server = w.echo({.tls = tls(), .timeouts = {.handshake = 300ms, .close = 200ms}});
    secure_client silent(w, server.port(), trusting);
    silent.expect_last("");
    secure_client slow(w, server.port(), trusting);
    slow.send("GET / HT");
    auto const got = slow.read_all();
    BOOST_TEST(status_of(got) == 408);
    BOOST_TEST(slow.tls.server_said_goodbye());
}

BOOST_FIXTURE_TEST_CASE(the_server_says_goodbye_in_tls_too, ground) {
    auto server = w.listen({.tls = tls()});
    auto client = connect(server.port());
    auto socket = w.accept(server);
    socket.end(close_code::normal, "bye");
    client.expect(server_close(1000, "bye"));
    client.send(frame(close_opcode, number(1000, 2)));
    client.expect_last("");
    BOOST_REQUIRE(w.until([&] { return socket.ready_state() == wsio::ready_state::closed; }));
    check_status(socket.status(), ended_by::application, close_code::normal, true, "bye");
}

BOOST_FIXTURE_TEST_CASE(a_close_that_comes_together_with_the_end_is_answered, ground) {
    auto server = w.listen({.tls = tls()});
    auto client = connect(server.port());
    auto socket = w.accept(server);
    client.tls.write(frame(text_frame, "last"));
    client.tls.write(frame(close_opcode, number(1000, 2)));
    client.tls.say_goodbye();
    client.flush();
    client.tcp.finish();
    auto const last = w.receive(socket);
    BOOST_REQUIRE(last.has_value());
    BOOST_TEST(last->text() == "last");
    client.expect_last(server_close(1000));
    check_status(socket.status(), ended_by::peer, close_code::normal, true);
}

BOOST_FIXTURE_TEST_CASE(an_end_without_goodbye_is_the_end, ground) {
    auto server = w.listen({.tls = tls()});
    auto client = connect(server.port());
    auto socket = w.accept(server);
    client.tcp.finish();
    BOOST_TEST(!w.receive(socket).has_value());
    client.read_all();
    check_status(socket.status(), ended_by::peer, close_code::abnormal, false);
}

BOOST_FIXTURE_TEST_CASE(a_record_that_was_altered_ends_the_connection, ground) {
    auto server = w.listen({.tls = tls()});
    auto client = connect(server.port());
    auto socket = w.accept(server);
    client.tls.write(frame(text_frame, "hello"));
    auto bytes = client.tls.drain();
    bytes.back() = static_cast<char>(bytes.back() ^ 1);
    client.tcp.send(bytes);
    BOOST_TEST(!w.receive(socket).has_value());
    check_status(socket.status(), ended_by::network, close_code::abnormal, false);
    BOOST_TEST(socket.status().cause == "TLS: decryption failed or bad record mac");
    BOOST_CHECK_EXCEPTION(client.read_all(), std::runtime_error, [](const std::runtime_error& e) {
        return std::string(e.what()) == "sslv3 alert bad record mac";
    });
}

BOOST_FIXTURE_TEST_CASE(frames_come_together_with_the_handshake_and_split_anywhere, ground) {
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

BOOST_FIXTURE_TEST_CASE(a_burst_of_messages_arrives_while_the_handler_is_away, ground) {
    // More than the read-ahead: what lies in OpenSSL when the connection is not read makes no event.
    auto server = w.listen({.tls = tls(), .limits = {.read_ahead = 10'000}});
    auto client = connect(server.port());
    auto socket = w.accept(server);
    std::string burst;
    constexpr int count = 3000;
    for (int i = 0; i < count; ++i) burst += frame(text_frame, std::to_string(i) + letters(100));
    client.send(burst);
    w.turn_for(50ms);
    for (int i = 0; i < count; ++i) {
        auto const got = w.receive(socket);
        BOOST_REQUIRE(got.has_value());
        BOOST_REQUIRE(got->text() == std::to_string(i) + letters(100));
    }
}

BOOST_FIXTURE_TEST_CASE(a_slow_reader_gets_all_in_the_order_of_the_calls, ground) {
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

BOOST_FIXTURE_TEST_CASE(what_waits_is_sent_before_the_goodbye, ground) {
    auto server = w.listen({.tls = tls()});
    auto client = connect(server.port(), protocol_version::hybi_13, 8192);
    auto socket = w.accept(server);
    auto const large = letters(6'000'000);
    socket.write(large);
    socket.end(close_code::normal);
    w.turn_for(50ms);
    BOOST_TEST(socket.buffered_amount() > 0U);
    auto const expected = server_frame(text_frame, large) + server_close(1000);
    BOOST_TEST((client.read(expected.size()) == expected));
    client.send(frame(close_opcode, number(1000, 2)));
    client.expect_last("");
    check_status(socket.status(), ended_by::application, close_code::normal, true);
}

BOOST_FIXTURE_TEST_CASE(a_handshake_waits_for_a_client_that_takes_its_time, ground) {
    auto const own = ca.issue("localhost");
    auto chain = own.certificate_pem();
    for (int i = 0; i < 60; ++i) chain += ca.issue("padding " + letters(20)).certificate_pem();
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

BOOST_FIXTURE_TEST_CASE(a_client_that_updates_its_keys_goes_on, ground) {
    auto server = w.echo({.tls = tls()});
    trusting.version = TLS1_3_VERSION;
    auto client = connect(server.port());
    for (int i = 0; i < 5; ++i) {
        SSL_key_update(client.tls.ssl(), SSL_KEY_UPDATE_REQUESTED);
        client.send(frame(text_frame, "update")).expect(server_frame(text_frame, "update"));
    }
}

BOOST_FIXTURE_TEST_CASE(http_beside_it_is_https, ground) {
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

BOOST_FIXTURE_TEST_CASE(tls_belongs_to_who_listens, ground) {
    auto const page = [](const wsio::request&) -> awaitable<wsio::http_response> { co_return wsio::http_response{}; };
    wsio::http_server http(w.executor(), page);
    BOOST_CHECK_THROW(static_cast<void>(attach(http, {.tls = tls()})), std::invalid_argument);
    BOOST_CHECK_THROW(wsio::server(w.executor(), {.tls = tls()}), std::invalid_argument);
}

BOOST_FIXTURE_TEST_CASE(a_reload_is_for_new_connections_and_old_ones_go_on, ground) {
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

BOOST_FIXTURE_TEST_CASE(a_server_that_stops_says_goodbye_to_all, ground) {
    auto server = w.listen({.tls = tls()});
    auto open = connect(server.port());
    auto socket = w.accept(server);
    secure_client waiting(w, server.port(), trusting);
    client in_handshake(w, server.port());
    w.turn_for(20ms);
    auto const drained = w.start(server.drain(5s));
    waiting.expect_last("");
    in_handshake.expect_end();
    open.expect(server_close(1001, stopping));
    open.send(frame(close_opcode, number(1001, 2)));
    open.expect_last("");
    BOOST_REQUIRE(w.until([&] { return drained.done(); }));
    check_status(socket.status(), ended_by::server, close_code::going_away, true, stopping);
}

BOOST_FIXTURE_TEST_CASE(a_hundred_connections_at_once, ground) {
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
