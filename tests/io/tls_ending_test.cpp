#include "io/tls_client.hpp"

#include <stdexcept>
#include <vector>

// How connections over TLS end, those that never came to be included.

using namespace wsio::test;
using wsio::client_verification;
using wsio::close_code;
using wsio::ended_by;
using wsio::protocol_version;

BOOST_AUTO_TEST_SUITE(io_tls_ending)

BOOST_FIXTURE_TEST_CASE(a_client_without_the_certificate_that_is_required_is_told_so, secure_world) {
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

BOOST_FIXTURE_TEST_CASE(plain_http_is_told_to_use_tls, secure_world) {
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

BOOST_FIXTURE_TEST_CASE(garbage_in_place_of_a_handshake_is_dropped_with_an_alert, secure_world) {
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

BOOST_FIXTURE_TEST_CASE(a_stall_anywhere_within_the_tls_handshake_meets_the_deadline, secure_world) {
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

BOOST_FIXTURE_TEST_CASE(a_stall_between_tls_and_the_request_is_under_the_same_deadline, secure_world) {
    auto server = w.echo({.tls = tls(), .timeouts = {.handshake = 300ms, .close = 200ms}});
    secure_client silent(w, server.port(), trusting);
    silent.expect_last("");
    secure_client slow(w, server.port(), trusting);
    slow.send("GET / HT");
    auto const got = slow.read_all();
    BOOST_TEST(status_of(got) == 408);
    BOOST_TEST(slow.tls.server_said_goodbye());
}

BOOST_FIXTURE_TEST_CASE(the_server_says_goodbye_in_tls_too, secure_world) {
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

BOOST_FIXTURE_TEST_CASE(a_close_that_comes_together_with_the_end_is_answered, secure_world) {
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

BOOST_FIXTURE_TEST_CASE(an_end_without_goodbye_is_the_end, secure_world) {
    auto server = w.listen({.tls = tls()});
    auto client = connect(server.port());
    auto socket = w.accept(server);
    client.tcp.finish();
    BOOST_TEST(!w.receive(socket).has_value());
    client.read_all();
    check_status(socket.status(), ended_by::peer, close_code::abnormal, false);
}

BOOST_FIXTURE_TEST_CASE(a_record_that_was_altered_ends_the_connection, secure_world) {
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

BOOST_FIXTURE_TEST_CASE(what_waits_is_sent_before_the_goodbye, secure_world) {
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

BOOST_FIXTURE_TEST_CASE(a_server_that_stops_says_goodbye_to_all, secure_world) {
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

BOOST_AUTO_TEST_SUITE_END()
