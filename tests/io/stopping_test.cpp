#include "io/fixture.hpp"

#include <optional>
#include <string>

using namespace wsio::test;
using wsio::close_code;
using wsio::ended_by;
using wsio::protocol_version;

BOOST_AUTO_TEST_SUITE(io_stopping)

BOOST_AUTO_TEST_CASE(drain_closes_everything_with_1001_and_waits) {
    world w;
    auto server = w.listen();
    auto one = connect(w, server.port());
    auto two = connect(w, server.port(), protocol_version::hixie_76);
    auto never_accepted = connect(w, server.port());
    auto const first = w.accept(server);
    auto const second = w.accept(server);

    auto draining = w.start(server.drain(5s));
    one.expect(server_close(1001, stopping));
    never_accepted.expect(server_close(1001, stopping));
    two.expect(std::string("\xFF\0", 2));
    w.turn_for(30ms);
    BOOST_TEST(!draining.done());
    BOOST_CHECK_THROW(client(w, server.port()), boost::system::system_error);

    one.send(close_frame(1001)).expect_end();
    never_accepted.send(close_frame(1001)).expect_end();
    BOOST_TEST(!draining.done());
    two.send(std::string_view("\xFF\0", 2)).expect_end();
    BOOST_TEST(w.until([&] { return draining.done(); }));
    check_status(first.status(), ended_by::server, close_code::going_away, true, stopping);
    check_status(second.status(), ended_by::server, close_code::no_status, true);
}

BOOST_AUTO_TEST_CASE(drain_drops_who_does_not_answer_within_the_deadline) {
    world w;
    auto server = w.listen();
    auto silent = connect(w, server.port());
    auto const socket = w.accept(server);
    auto const begin = std::chrono::steady_clock::now();
    w.run(server.drain(100ms));
    auto const took = std::chrono::steady_clock::now() - begin;
    BOOST_TEST((took >= 90ms && took < 2s));
    silent.expect_last(server_close(1001, stopping));
    check_status(socket.status(), ended_by::server, close_code::going_away, false, stopping);
}

BOOST_AUTO_TEST_CASE(what_was_sent_before_stop_arrives) {
    world w;
    auto server = w.listen();
    auto reader = connect(w, server.port());
    auto socket = w.accept(server);
    auto const text = letters(900'000);
    socket.write(text).write("last");
    server.stop();
    reader.expect(server_frame(text_frame, text)).expect(server_frame(text_frame, "last"));
    reader.expect(server_close(1001, stopping)).send(close_frame(1001)).expect_end();
}

BOOST_AUTO_TEST_CASE(stop_ends_handshakes_that_are_under_way) {
    world w;
    auto server = w.listen();
    client slow(w, server.port());
    slow.send("GET / HTTP/1.1\r\n");
    w.turn_for(20ms);
    auto draining = w.start(server.drain(2s));
    slow.read_all();
    BOOST_TEST(w.until([&] { return draining.done(); }));
}

BOOST_AUTO_TEST_CASE(a_server_without_handles_stops_but_its_connections_go_on) {
    world w;
    auto server = std::optional(w.listen());
    auto const port = server->port();
    auto client = connect(w, port);
    auto socket = w.accept(*server);
    server.reset();
    w.turn_for(10ms);
    BOOST_CHECK_THROW(wsio::test::client(w, port), boost::system::system_error);
    client.send(frame(text_frame, "still here"));
    BOOST_TEST(w.receive(socket)->text() == "still here");
    BOOST_TEST(w.run(socket.send("me too")).accepted);
    client.expect(server_frame(text_frame, "me too"));
}

BOOST_AUTO_TEST_CASE(connections_that_nobody_can_accept_any_more_are_closed) {
    world w;
    auto server = std::optional(w.listen());
    auto client = connect(w, server->port());
    w.turn_for(5ms);
    server.reset();
    auto const got = client.read(4);
    BOOST_TEST((got.substr(2) == number(1000, 2) || got.substr(2) == number(1001, 2)), readable(got));
}

BOOST_AUTO_TEST_CASE(a_handshake_that_the_last_handle_leaves_behind_gets_503) {
    world w;
    auto server = std::optional(w.listen({.authorize = [](const wsio::request&) -> awaitable<wsio::verdict> {
        co_await world::sleep(30ms);
        co_return wsio::verdict::accept();
    }}));
    client asking(w, server->port());
    asking.send(handshake());
    w.turn_for(10ms);
    server.reset();
    auto const answer = asking.read_all();
    BOOST_TEST(status_of(answer) == 503, readable(answer));
    BOOST_TEST(contains(body_of(answer), stopping), readable(answer));
}

BOOST_AUTO_TEST_SUITE_END()
