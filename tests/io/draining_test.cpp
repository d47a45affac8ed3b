#include "io/fixture.hpp"

#include <algorithm>
#include <optional>
#include <vector>

using namespace wsio::test;
using wsio::close_code;
using wsio::ended_by;
using wsio::protocol_version;

namespace {

auto since(std::chrono::steady_clock::time_point begin) { return std::chrono::steady_clock::now() - begin; }

/// A server that echoes, and clients that are connected to it.
struct crowd {
    world w;
    wsio::server server;
    std::vector<client> clients;

    explicit crowd(int count, wsio::options options = {}) : server(w.echo(std::move(options))) {
        for (int i = 0; i < count; ++i) clients.push_back(connect(w, server.port()));
        BOOST_REQUIRE(w.until([&] { return server.statistics().sockets_waiting == 0; }));
    }

    /// Counts those that got their closing frame.
    [[nodiscard]] std::size_t closed(std::vector<std::string>& received) {
        received.resize(clients.size());
        for (std::size_t i = 0; i < clients.size(); ++i) received[i] += clients[i].read_for(2ms);
        return static_cast<std::size_t>(std::count(received.begin(), received.end(), server_close(1001, stopping)));
    }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(io_draining)

BOOST_AUTO_TEST_CASE(heads_that_have_begun_get_503) {
    for (std::string_view const head : {"G", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: webs"}) {
        world w;
        auto server = w.listen();
        client slow(w, server.port());
        slow.send(head);
        w.turn_for(20ms);
        auto const draining = w.start(server.drain(5s));
        auto const answer = slow.read_all();
        BOOST_TEST(status_of(answer) == 503, readable(answer));
        BOOST_TEST(contains(body_of(answer), stopping), readable(answer));
        BOOST_TEST(w.until([&] { return draining.done(); }, 2s));
        BOOST_TEST((server.statistics().refusals == decltype(wsio::statistics::refusals){{503, 1}}));
    }
}

BOOST_AUTO_TEST_CASE(a_handshake_that_waits_for_authorize_gets_503) {
    world w;
    auto server = w.listen({.authorize = [](const wsio::request&) -> awaitable<wsio::verdict> {
        co_await world::sleep(50ms);
        co_return wsio::verdict::accept();
    }});
    client asking(w, server.port());
    asking.send(handshake());
    w.turn_for(10ms);
    auto const draining = w.start(server.drain(5s));
    auto const answer = asking.read_all();
    BOOST_TEST(status_of(answer) == 503, readable(answer));
    BOOST_TEST(contains(body_of(answer), stopping), readable(answer));
    BOOST_TEST(w.until([&] { return draining.done(); }, 2s));
}

BOOST_AUTO_TEST_CASE(connections_that_have_said_nothing_just_end) {
    world w;
    auto server = w.listen();
    client silent(w, server.port());
    w.turn_for(20ms);
    auto const draining = w.start(server.drain(5s));
    silent.expect_end();
    BOOST_TEST(w.until([&] { return draining.done(); }, 2s));
}

BOOST_AUTO_TEST_CASE(a_handshake_that_waits_for_its_nonce_ends_and_opens_nothing) {
    world w;
    auto server = w.listen();
    client late(w, server.port());
    auto const whole = handshake(protocol_version::hixie_76);
    late.send(whole.substr(0, whole.size() - 8)).read_to("\r\n\r\n");
    auto const draining = w.start(server.drain(5s));
    w.turn_for(5ms);
    late.send_some(whole.substr(whole.size() - 8));
    late.expect_end();
    BOOST_TEST(w.until([&] { return draining.done(); }, 2s));
    BOOST_TEST(server.statistics().connections().total == 0U);
}

BOOST_AUTO_TEST_CASE(a_nonce_that_comes_to_a_server_without_a_port_that_has_stopped_opens_nothing) {
    world w;
    wsio::server server(w.executor());
    asio::io_context elsewhere;
    asio::ip::tcp::acceptor port(elsewhere, {asio::ip::address_v4::loopback(), 0});
    client late(w, port.local_endpoint().port());
    wsio::request request("GET", "/");
    for (auto const& [name, value] :
         {std::pair("Host", "127.0.0.1"), std::pair("Upgrade", "WebSocket"), std::pair("Connection", "Upgrade"),
          std::pair("Origin", "http://127.0.0.1"), std::pair("Sec-WebSocket-Key1", "4 @1  46546xW%0l 1 5"),
          std::pair("Sec-WebSocket-Key2", "12998 5 Y3 1  .P00")})
        request.headers().add(name, value);
    auto stream = port.accept();
    auto const fd = stream.release();
    server.handle_upgrade(request, asio::ip::tcp::socket(w.context, asio::ip::tcp::v4(), fd));
    late.read_to("\r\n\r\n");
    server.stop();
    w.turn_for(5ms);
    late.send("^n:ds[4U");
    late.read_all();
    BOOST_TEST(server.statistics().connections().total == 0U);
}

BOOST_AUTO_TEST_CASE(nothing_that_was_sent_before_is_lost) {
    for (auto const spread : {0ms, 100ms}) {
        world w;
        auto server = w.listen();
        auto reader = connect(w, server.port(), protocol_version::hybi_13, "/", {}, 8192);
        auto socket = w.accept(server);
        auto const text = letters(900'000);
        socket.write(text).write("last");
        auto const draining = w.start(server.drain(5s, spread));
        reader.expect(server_frame(text_frame, text)).expect(server_frame(text_frame, "last"));
        reader.expect(server_close(1001, stopping)).send(close_frame(1001)).expect_end();
        BOOST_TEST(w.until([&] { return draining.done(); }, 2s));
        check_status(socket.status(), ended_by::server, close_code::going_away, true, stopping);
    }
}

BOOST_AUTO_TEST_CASE(the_deadline_is_kept_with_a_peer_that_never_answers) {
    for (auto const spread : {0ms, 100ms, 200ms, 10'000ms}) {
        crowd c(3);
        auto const begin = std::chrono::steady_clock::now();
        c.w.run(c.server.drain(200ms, spread));
        BOOST_TEST((since(begin) >= 190ms && since(begin) < 2s));
        BOOST_TEST(c.server.statistics().connections().open == 0U);
        for (auto& each : c.clients) each.expect_last(server_close(1001, stopping));
    }
}

BOOST_AUTO_TEST_CASE(a_deadline_may_be_as_long_as_its_type_lets_it_be) {
    crowd c(1);
    auto const draining = c.w.start(c.server.drain(std::chrono::milliseconds::max()));
    c.clients[0].expect(server_close(1001, stopping));
    c.w.turn_for(50ms);
    BOOST_TEST(!draining.done());
    c.clients[0].send(close_frame(1001)).expect_end();
    BOOST_TEST(c.w.until([&] { return draining.done(); }));
}

BOOST_AUTO_TEST_CASE(spread_closes_a_few_at_a_time_and_the_others_work_until_then) {
    constexpr std::size_t count = 6;
    crowd c(count);
    auto const begin = std::chrono::steady_clock::now();
    auto const draining = c.w.start(c.server.drain(10s, 1500ms));
    std::vector<std::string> received;
    std::vector<std::chrono::steady_clock::duration> times;
    bool echoed = false;
    while (times.size() < count && since(begin) < 5s) {
        c.w.turn();
        auto const closed = c.closed(received);
        while (times.size() < closed) times.push_back(since(begin));
        auto const open = std::find(received.begin(), received.end(), "");
        if (closed == count / 2 && !echoed && open != received.end()) {
            auto& still_there = c.clients[static_cast<std::size_t>(open - received.begin())];
            still_there.send(frame(text_frame, "still there?"));
            echoed = still_there.read(14) == server_frame(text_frame, "still there?");
        }
    }
    BOOST_REQUIRE(times.size() == count);
    BOOST_TEST(echoed);
    // Evenly: the half of them not before about half of the time. The machine may be slow, but never early.
    BOOST_TEST((times[count / 2] >= 700ms));
    BOOST_TEST((times.back() >= 1200ms));
    BOOST_TEST(!draining.done());
    for (auto& each : c.clients) each.send(close_frame(1001)).expect_end();
    BOOST_TEST(c.w.until([&] { return draining.done(); }, 2s));
}

BOOST_AUTO_TEST_CASE(a_spread_ends_early_when_nobody_is_left) {
    crowd c(2);
    auto const draining = c.w.start(c.server.drain(60s, 50s));
    c.w.turn_for(5ms);
    for (auto& each : c.clients) each.reset();
    BOOST_TEST(c.w.until([&] { return draining.done(); }, 5s));
}

BOOST_AUTO_TEST_CASE(stop_during_a_spread_closes_the_rest_at_once) {
    crowd c(5);
    auto const draining = c.w.start(c.server.drain(60s, 50s));
    c.w.turn_for(5ms);
    BOOST_TEST(!draining.done());
    c.server.stop();
    for (auto& each : c.clients) each.expect(server_close(1001, stopping)).send(close_frame(1001)).expect_end();
    BOOST_TEST(c.w.until([&] { return draining.done(); }, 5s));
}

BOOST_AUTO_TEST_CASE(sockets_that_wait_for_accept_do_not_wait_for_their_turn) {
    world w;
    auto server = w.listen();
    auto clients = std::vector<client>();
    for (int i = 0; i < 3; ++i) clients.push_back(connect(w, server.port()));
    BOOST_TEST(w.until([&] { return server.statistics().sockets_waiting == 3; }));
    auto const draining = w.start(server.drain(60s, 50s));
    for (auto& each : clients) each.expect(server_close(1001, stopping)).send(close_frame(1001)).expect_end();
    BOOST_TEST(w.until([&] { return draining.done(); }, 5s));
}

BOOST_AUTO_TEST_CASE(an_http_server_finishes_its_answers_and_spreads_the_closing) {
    world w;
    auto const page = [](const wsio::request&) -> awaitable<wsio::http_response> {
        co_await world::sleep(50ms);
        co_return wsio::http_response{.body = "done"};
    };
    wsio::http_server http(w.executor(), page, {.host = "127.0.0.1"});
    auto chat = attach(http, {.path = "/chat"});
    http.listen(0);
    w.serve(chat, world::echo_back);
    auto talking = connect(w, http.port(), protocol_version::hybi_13, "/chat");
    client reading(w, http.port()), half(w, http.port());
    reading.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    half.send("GET / HTTP/1.1\r\nHo");
    w.turn_for(10ms);
    auto const draining = w.start(http.drain(5s, 100ms));
    BOOST_TEST(status_of(half.read_all()) == 503);
    auto const answer = reading.read_all();
    BOOST_TEST(status_of(answer) == 200);
    BOOST_TEST(body_of(answer) == "done");
    talking.expect(server_close(1001, stopping)).send(close_frame(1001)).expect_end();
    BOOST_TEST(w.until([&] { return draining.done(); }, 2s));
}

BOOST_AUTO_TEST_CASE(options_that_make_no_sense_are_refused) {
    world w;
    BOOST_CHECK_THROW(w.listen({.drain = {.deadline = 0ms}}), std::invalid_argument);
    BOOST_CHECK_THROW(w.listen({.drain = {.deadline = 1s, .spread = 2s}}), std::invalid_argument);
    BOOST_CHECK_THROW(w.listen({.drain = {.spread = -1ms}}), std::invalid_argument);
}

BOOST_AUTO_TEST_SUITE_END()
