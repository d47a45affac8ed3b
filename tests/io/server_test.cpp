#include "io/fixture.hpp"

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

using namespace wsio::test;
using wsio::close_code;
using wsio::ended_by;
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

BOOST_AUTO_TEST_CASE(callbacks_may_replace_themselves) {
    world w;
    auto server = w.listen();
    auto seen = std::string();
    // What a callback captured is there until it returns.
    auto const held = [] { return std::make_shared<int>(); };
    server.on_connection([&, mine = held()](wsio::socket) {
        auto const witness = std::weak_ptr<int>(mine);
        auto& said = seen;
        server.on_connection([&said](wsio::socket) { said += "C"; });
        said += witness.expired() ? "!" : "c";
    });
    server.on_headers([&, mine = held()](const wsio::request&, wsio::headers&) {
        auto const witness = std::weak_ptr<int>(mine);
        auto& said = seen;
        server.on_headers([&said](const wsio::request&, wsio::headers&) { said += "H"; });
        said += witness.expired() ? "!" : "h";
    });
    server.on_error([&, mine = held()](const wsio::request&, std::string_view) {
        auto const witness = std::weak_ptr<int>(mine);
        auto& said = seen;
        server.on_error([&said](const wsio::request&, std::string_view) { said += "E"; });
        said += witness.expired() ? "!" : "e";
    });
    for (int i = 0; i < 2; ++i) {
        connect(w, server.port());
        client(w, server.port()).send("nonsense\r\n\r\n").read_all();
    }
    BOOST_TEST(seen == "hceHCE");
    server.on_connection(nullptr);
    auto accepted = connect(w, server.port(), protocol_version::hybi_13, "/accepted");
    BOOST_TEST(w.accept(server).request().target() == "/accepted");
}

BOOST_AUTO_TEST_CASE(the_option_on_error_may_let_go_of_the_last_handle) {
    for (std::string_view const request : {"nonsense\r\n\r\n", "GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n"}) {
        world w;
        auto server = std::optional<wsio::server>();
        bool gone = false;
        server = w.listen({.on_error = [&, mine = std::make_shared<int>()](const wsio::request&, std::string_view) {
            auto const witness = std::weak_ptr<int>(mine);
            auto& result = gone;
            server.reset();
            result = !witness.expired();  // the server is still there that is in the middle of it
        }});
        auto const port = server->port();
        BOOST_TEST(status_of(client(w, port).send(request).read_all()) == 400);
        BOOST_TEST(gone);
        BOOST_CHECK_THROW(client(w, port), boost::system::system_error);
    }
}

BOOST_AUTO_TEST_CASE(events_tell_of_connections_and_refusals) {
    world w;
    auto server = w.listen();
    auto seen = std::vector<std::string>();
    server
        .on_connection(
            [&](wsio::socket socket) { seen.push_back("connection " + std::string(socket.request().target())); })
        .on_error([&](const wsio::request& request, std::string_view why) {
            BOOST_TEST(!why.empty());
            seen.push_back("error " + std::string(request.target()));
        })
        .on_headers([&](const wsio::request& request, wsio::headers& fields) {
            seen.push_back("headers " + std::string(request.target()));
            fields.add("X-Served-By", "wsio");
        });
    for (auto version : wsio::all_protocol_versions) {
        client c(w, server.port());
        auto const answer = c.send(handshake(version, "/good")).read_to("\r\n\r\n");
        BOOST_TEST(contains(answer, "\r\nX-Served-By: wsio\r\n"), answer);
        BOOST_TEST((seen == std::vector<std::string>{"headers /good", "connection /good"}));
        seen.clear();
    }
    client bad(w, server.port());
    BOOST_TEST(status_of(bad.send("GET /bad HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                  "Sec-WebSocket-Version: 13\r\n\r\n")
                             .read_all()) == 400);
    BOOST_TEST((seen == std::vector<std::string>{"error /bad"}));
}

BOOST_AUTO_TEST_CASE(on_error_hears_of_requests_that_could_not_be_read) {
    world w;
    std::vector<std::string> reasons;
    auto server = w.echo({.on_error =
                              [&](const wsio::request& request, std::string_view why) {
                                  BOOST_TEST(request.target().empty());
                                  BOOST_TEST(request.remote_endpoint().address.is_loopback());
                                  reasons.emplace_back(why);
                              },
                          .limits = {.head_size = 1000},
                          .timeouts = {.handshake = 200ms}});
    client(w, server.port()).send("nonsense\r\n\r\n").read_all();
    client(w, server.port()).send("GET / HTTP/1.1\r\nHost: a\r\nX: " + letters(2000) + "\r\n\r\n").read_all();
    client(w, server.port()).send("GET / HTTP/1.1\r\nHost: ").read_all();
    BOOST_REQUIRE(reasons.size() == 3U);
    BOOST_TEST(reasons[0].starts_with("400: "));
    BOOST_TEST(reasons[1].starts_with("431: "));
    BOOST_TEST(reasons[2].starts_with("408: "));
}

BOOST_AUTO_TEST_CASE(the_option_on_error_hears_of_refusals_too_and_may_throw) {
    world w;
    auto seen = std::vector<std::string>();
    int reported = 0;
    auto server = w.listen({.path = "/here",
                            .on_exception = [&](auto, auto&) { ++reported; },
                            .on_error =
                                [&](const wsio::request& request, std::string_view why) {
                                    seen.push_back(std::string(request.target()) + " " + std::string(why.substr(0, 3)));
                                    throw std::runtime_error("from on_error");
                                }});
    client bad(w, server.port());
    BOOST_TEST(status_of(bad.send("GET /here HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                  "Sec-WebSocket-Version: 13\r\n\r\n")
                             .read_all()) == 400);
    BOOST_TEST((seen == std::vector<std::string>{"/here 400"}));
    BOOST_TEST(reported == 1);
    connect(w, server.port(), protocol_version::hybi_13, "/here");
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
