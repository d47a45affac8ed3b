#include "io/fixture.hpp"

#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

using namespace wsio::test;
using wsio::protocol_version;

BOOST_AUTO_TEST_SUITE(io_server)

BOOST_AUTO_TEST_CASE(every_version_connects_and_talks_both_ways) {
    world w;
    auto server = w.listen();
    for (auto version : wsio::all_protocol_versions) BOOST_TEST_CONTEXT(version) {
            auto client = connect(w, server.port(), version);
            auto socket = w.accept(server);
            BOOST_TEST(socket.protocol_version() == version);
            BOOST_TEST(socket.name() == (wsio::is_hybi(version) ? "websocket" : "websocket-hixie"));
            BOOST_TEST(socket.can_send_binary() == wsio::is_hybi(version));
            BOOST_TEST(socket.ready_state() == wsio::ready_state::open);

            client.send(client_text(version, "woot"));
            auto const message = w.receive(socket);
            BOOST_REQUIRE(message.has_value());
            BOOST_TEST(message->text() == "woot");
            BOOST_TEST(message->is_text());

            BOOST_TEST(w.run(socket.send("h\xC3\xA9llo")).accepted);
            client.expect(server_text(version, "h\xC3\xA9llo"));
        }
}

BOOST_AUTO_TEST_CASE(the_request_is_kept) {
    world w;
    auto server = w.listen();
    auto client = connect(w, server.port(), protocol_version::hybi_13, "/chat?room=1&name=a%20b+c", "X-Thing: 42\r\n");
    auto const socket = w.accept(server);
    auto const& request = socket.request();
    BOOST_TEST(request.method() == "GET");
    BOOST_TEST(request.target() == "/chat?room=1&name=a%20b+c");
    BOOST_TEST(request.path() == "/chat");
    BOOST_TEST(request.query() == "room=1&name=a%20b+c");
    BOOST_TEST(request.query("room") == "1");
    BOOST_TEST(request.query("name") == "a b c");
    BOOST_TEST(request.header("x-thing") == "42");
    BOOST_TEST(request.header("Host") == "127.0.0.1");
    BOOST_TEST(request.http_minor() == 1u);
    BOOST_TEST(!request.secure());
    BOOST_TEST(request.remote_endpoint() == client.local());
    BOOST_TEST(socket.remote_endpoint() == client.local());
    BOOST_TEST(socket.local_endpoint() == server.local_endpoint());
    client.close();
    w.turn_for(20ms);
    BOOST_TEST(request.target() == "/chat?room=1&name=a%20b+c");  // also behind the end
}

BOOST_AUTO_TEST_CASE(a_path_that_is_set_is_checked) {
    world w;
    auto server = w.echo({.path = "/ws"});
    for (auto version : wsio::all_protocol_versions) {
        connect(w, server.port(), version, "/ws");
        connect(w, server.port(), version, "/ws?token=1");
        for (auto target : {"/", "/other", "/wsx", "/ws/", "/WS", "/ws/x", "/x/ws", "//ws"}) {
            client c(w, server.port());
            auto const answer = c.send(handshake(version, target)).read_all();
            BOOST_TEST(status_of(answer) == 404, version << ' ' << target << ": " << readable(answer));
        }
    }
}

BOOST_AUTO_TEST_CASE(no_path_serves_every_path) {
    world w;
    auto server = w.echo();
    for (auto version : wsio::all_protocol_versions)
        for (auto target : {"/", "/a/b", "/a?b=c"}) connect(w, server.port(), version, target);
}

BOOST_AUTO_TEST_CASE(clients_are_tracked_and_gaps_are_refilled) {
    world w;
    auto server = w.listen();
    auto sockets = std::vector<wsio::socket>();
    server.on_connection([&](wsio::socket socket) { sockets.push_back(std::move(socket)); });
    BOOST_TEST(server.clients_count() == 0u);

    auto first = connect(w, server.port());
    auto second = connect(w, server.port());
    BOOST_TEST(w.until([&] { return sockets.size() == 2; }));
    BOOST_TEST(server.clients_count() == 2u);
    BOOST_TEST((server.clients() == std::map<std::size_t, wsio::socket>{{0, sockets[0]}, {1, sockets[1]}}));

    first.send(close_frame(1000)).expect_last(server_close(1000));
    BOOST_TEST(w.until([&] { return server.clients_count() == 1; }));
    BOOST_TEST((server.clients() == std::map<std::size_t, wsio::socket>{{1, sockets[1]}}));

    auto third = connect(w, server.port());
    BOOST_TEST(w.until([&] { return sockets.size() == 3; }));
    BOOST_TEST((server.clients() == std::map<std::size_t, wsio::socket>{{0, sockets[2]}, {1, sockets[1]}}));

    sockets[1].destroy();
    sockets[2].end();
    third.expect(server_close(1000)).send(close_frame(1000)).expect_end();
    BOOST_TEST(w.until([&] { return server.clients_count() == 0; }));
    BOOST_TEST(server.clients().empty());
}

BOOST_AUTO_TEST_CASE(tracking_can_be_switched_off) {
    world w;
    auto server = w.echo({.client_tracking = false});
    auto client = connect(w, server.port());
    client.send(frame(text_frame, "a")).expect(server_frame(text_frame, "a"));
    BOOST_TEST(server.clients_count() == 0u);
    BOOST_TEST(server.clients().empty());
}

BOOST_AUTO_TEST_CASE(plain_http_gets_501) {
    world w;
    auto server = w.echo();
    for (auto method : {"GET", "POST", "PUT", "OPTIONS"}) {
        client c(w, server.port());
        c.send(std::string(method) + " / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
        auto const answer = c.read_response();
        BOOST_TEST(status_of(answer) == 501, readable(answer));
        BOOST_TEST(!body_of(answer).empty());
    }
}

BOOST_AUTO_TEST_CASE(accept_gives_connections_in_order_and_nothing_behind_stop) {
    world w;
    auto server = w.listen();
    auto a = connect(w, server.port(), protocol_version::hybi_13, "/a");
    auto b = connect(w, server.port(), protocol_version::hybi_13, "/b");
    BOOST_TEST(w.accept(server).request().target() == "/a");
    auto const second = w.accept(server);
    BOOST_TEST(second.request().target() == "/b");

    auto waiting = w.start(server.accept());
    auto also_waiting = w.start(server.accept());
    w.turn_for(5ms);
    BOOST_TEST(!waiting.done());
    server.stop();
    BOOST_TEST(w.until([&] { return waiting.done() && also_waiting.done(); }));
    BOOST_TEST(!waiting.get().has_value());
    BOOST_TEST(!also_waiting.get().has_value());
    BOOST_TEST(!w.run(server.accept()).has_value());
}

BOOST_AUTO_TEST_CASE(a_cancelled_accept_loses_no_connection) {
    world w;
    auto server = w.listen();
    for (int round = 0; round < 20; ++round) {
        auto waiting = w.start(server.accept());
        w.turn();
        client c(w, server.port());
        c.send(handshake("/" + std::to_string(round)));
        for (int turns = 0; turns < round % 5; ++turns) w.turn(0ms);
        waiting.cancel();
        BOOST_TEST(w.until([&] { return waiting.done(); }));
        if (waiting.shared->error) {
            BOOST_CHECK_THROW((void)waiting.get(), boost::system::system_error);
            BOOST_TEST(w.accept(server).request().target() == "/" + std::to_string(round));
        } else {
            BOOST_TEST(waiting.get()->request().target() == "/" + std::to_string(round));
        }
    }
}

BOOST_AUTO_TEST_CASE(connections_beyond_the_accept_backlog_get_503) {
    world w;
    auto server = w.listen({.limits = {.accept_backlog = 2}});
    auto first = connect(w, server.port());
    auto second = connect(w, server.port());
    client third(w, server.port());
    auto const answer = third.send(handshake()).read_all();
    BOOST_TEST(status_of(answer) == 503, readable(answer));

    auto const accepted = w.accept(server);
    connect(w, server.port());
}

BOOST_AUTO_TEST_CASE(who_ended_before_accept_takes_no_place_in_the_backlog_but_for_what_it_said) {
    world w;
    auto server = w.listen({.limits = {.accept_backlog = 2}});
    auto const waiting = [&] { return server.statistics().sockets_waiting; };
    for (int i = 0; i < 3; ++i) {
        auto gone = connect(w, server.port(), protocol_version::hybi_13, "/gone");
        BOOST_TEST(w.until([&] { return waiting() == 1; }));
        gone.send(close_frame(1000)).expect_last(server_close(1000));
        BOOST_TEST(w.until([&] { return waiting() == 0; }));
    }
    auto parting = connect(w, server.port(), protocol_version::hybi_13, "/parting");
    parting.send(frame(text_frame, "last words") + close_frame(1000)).expect_last(server_close(1000));
    BOOST_TEST(w.until([&] { return server.clients_count() == 0; }));
    auto there = connect(w, server.port(), protocol_version::hybi_13, "/there");
    auto heard = w.accept(server);
    BOOST_TEST(heard.request().target() == "/parting");
    BOOST_TEST(w.receive(heard)->text() == "last words");
    BOOST_TEST(w.accept(server).request().target() == "/there");
}

BOOST_AUTO_TEST_CASE(a_used_port_is_named) {
    world w;
    auto server = w.listen();
    auto const options = wsio::options{.host = "127.0.0.1"};
    auto again = [&]() -> awaitable<void> { (void)co_await wsio::listen(server.port(), options); };
    try {
        w.run(again());
        BOOST_FAIL("the port was given twice");
    } catch (const boost::system::system_error& error) {
        BOOST_TEST((error.code() == asio::error::address_in_use));
        BOOST_TEST(contains(error.what(), std::to_string(server.port())), error.what());
        BOOST_TEST(contains(error.what(), "127.0.0.1"), error.what());
    }
}

BOOST_AUTO_TEST_CASE(listen_needs_no_options) {
    world w;
    auto listen = []() -> awaitable<std::optional<wsio::server>> { co_return co_await wsio::listen(0); };
    auto const server = w.run(listen());
    connect(w, server->port());
}

BOOST_AUTO_TEST_CASE(options_that_make_no_sense_are_refused) {
    world w;
    auto check = [&](wsio::options options, std::string_view part) {
        BOOST_TEST_CONTEXT(part)
        BOOST_CHECK_EXCEPTION(wsio::server(w.executor(), options), std::invalid_argument, [&](const auto& error) {
            BOOST_TEST(contains(error.what(), part), "\"" << error.what() << "\" does not name " << part);
            return true;
        });
    };
    check({.limits = {.head_size = 0}}, "head_size");
    check({.limits = {.header_count = 0}}, "header_count");
    check({.limits = {.message_size = 0}}, "message_size");
    check({.limits = {.fragments = 0}}, "fragments");
    check({.limits = {.read_ahead = 0}}, "read_ahead");
    check({.limits = {.outbox = 0}}, "outbox");
    check({.limits = {.accept_backlog = 0}}, "accept_backlog");
    check({.limits = {.connections = 0}}, "connections");
    check({.limits = {.connections_per_address = 0}}, "connections_per_address");
    check({.timeouts = {.handshake = 0ms}}, "handshake");
    check({.timeouts = {.close = -1ms}}, "close");
    check({.timeouts = {.ping = -1ms}}, "ping");
    check({.timeouts = {.pong = -1ms}}, "pong");
    check({.timeouts = {.idle = -1ms}}, "idle");
    check({.unix_permissions = 660}, "unix_permissions");
    check({.path = "no-slash"}, "path");
    check({.protocols = wsio::protocol_set(std::initializer_list<protocol_version>())}, "protocols");
    check({.subprotocols = {"chat", "not a token"}}, "subprotocol");
    check({.subprotocols = {""}}, "subprotocol");
    check({.trusted_proxies = {"10.0.0.0/8", "somewhere"}}, "somewhere");
    check({.trusted_proxies = {"10.0.0.0/33"}}, "10.0.0.0/33");
    check({.proxy_protocol = true}, "trusted_proxies");
    auto const handler = [](const wsio::request&) -> awaitable<wsio::http_response> {
        co_return wsio::http_response();
    };
    BOOST_CHECK_THROW(wsio::http_server(w.executor(), handler, {.proxy_protocol = true}), std::invalid_argument);
    BOOST_CHECK_THROW(wsio::http_server(w.executor(), handler, {.unix_permissions = 01000}), std::invalid_argument);
    BOOST_CHECK_THROW(w.listen({.limits = {.outbox = 0}}), std::invalid_argument);
    BOOST_CHECK_THROW((void)wsio::verdict::reject(200, ""), std::invalid_argument);
    BOOST_CHECK_THROW((void)wsio::verdict::reject(600, ""), std::invalid_argument);
    BOOST_CHECK_THROW((void)wsio::verdict::accept().with_header("X", "a\r\nB: c"), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(only_the_versions_that_are_on_are_spoken) {
    world w;
    auto server = w.echo({.protocols = {protocol_version::hybi_13, protocol_version::hixie_76}});
    connect(w, server.port(), protocol_version::hybi_13);
    connect(w, server.port(), protocol_version::hixie_76);
    for (auto version : {protocol_version::hybi_7, protocol_version::hybi_8}) {
        client c(w, server.port());
        auto const answer = c.send(handshake(version)).read_all();
        BOOST_TEST(status_of(answer) == 426, readable(answer));
        BOOST_TEST(contains(answer, "\r\nSec-WebSocket-Version: 13\r\n"), answer);
    }
    client old(w, server.port());
    auto const answer = old.send(handshake(protocol_version::hixie_75)).read_all();
    BOOST_TEST(status_of(answer) >= 400, readable(answer));
}

BOOST_AUTO_TEST_SUITE_END()
