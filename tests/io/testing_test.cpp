#include <wsio/testing.hpp>

#include <wsio/wsio.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

// The simulation that programs test themselves with: what it promises, and what the library promises in it.

using namespace std::chrono_literals;
using boost::asio::awaitable;
using boost::asio::co_spawn;
using boost::asio::detached;
using wsio::close_code;
using wsio::protocol_version;
using wsio::testing::simulation;

namespace {

awaitable<void> echo(wsio::socket socket) {
    while (auto message = co_await socket.receive())
        if (!co_await socket.send(*message)) break;
}

awaitable<void> serve(wsio::server server) {
    while (auto socket = co_await server.accept()) co_spawn(server.get_executor(), echo(std::move(*socket)), detached);
}

// What a socket receives until its end, with the time of each message.
awaitable<void> note(simulation& s, wsio::socket socket, std::vector<std::string>& noted) {
    while (auto message = co_await socket.receive())
        noted.push_back(std::to_string(s.now().count()) + " " + std::string(message->text()));
    noted.push_back(std::to_string(s.now().count()) + " " + socket.status().to_string());
}

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

}  // namespace

BOOST_AUTO_TEST_SUITE(testing)

BOOST_AUTO_TEST_CASE(both_ends_of_a_connection_talk_in_every_version) {
    for (auto version : wsio::all_protocol_versions) {
        simulation s;
        auto [server, client, wire] = s.connect({}, {.protocols = {version}});
        BOOST_TEST((server.protocol_version() == version));
        co_spawn(s.get_executor(), echo(server), detached);
        BOOST_TEST(s.run(client.send("hello")).accepted);
        BOOST_TEST(s.run(client.receive())->text() == "hello");
        s.run(client.close());
        BOOST_TEST(client.status().clean);
        BOOST_TEST((server.ready_state() == wsio::ready_state::closed));
    }
}

BOOST_AUTO_TEST_CASE(time_stands_still_until_it_is_let_pass) {
    simulation s;
    BOOST_TEST(s.now().count() == 0);
    s.pass(24h);
    BOOST_TEST((s.now() == 24h));
    s.run(s.sleep(90s));
    BOOST_TEST((s.now() >= 24h + 90s));
    BOOST_TEST((s.now() <= 24h + 90s + 100ms));
}

BOOST_AUTO_TEST_CASE(times_may_be_as_long_as_their_type_lets_them_be) {
    using std::chrono::milliseconds;
    simulation s;
    s.pass(1s);
    bool woken = false;
    auto const sleep = [](simulation& in, milliseconds time, bool& over) -> awaitable<void> {
        co_await in.sleep(time);
        over = true;
    };
    co_spawn(s.get_executor(), sleep(s, milliseconds::max(), woken), detached);
    s.run(s.sleep(24h), milliseconds::max());
    BOOST_TEST(!woken);
}

BOOST_AUTO_TEST_CASE(a_peer_whose_cable_is_pulled_is_found_out_in_time) {
    simulation s;
    auto [server, client, wire] = s.connect({.timeouts = {.ping = 30s, .pong = 10s}}, {.timeouts = {.ping = 0ms}});
    s.pass(10min + 5s);
    BOOST_TEST(server.is_open());
    wire.cut();
    s.pass(34s);
    BOOST_TEST(server.is_open());
    s.pass(7s);
    BOOST_TEST((server.ready_state() == wsio::ready_state::closed));
    BOOST_TEST(contains(server.status().cause, "timeouts.pong"));
    BOOST_TEST(client.is_open());  // it has no way to know, and does not ping
}

BOOST_AUTO_TEST_CASE(every_deadline_is_on_the_clock_of_the_simulation) {
    simulation s;
    auto [server, client, wire] = s.connect({.timeouts = {.close = 5s, .ping = 0ms, .idle = 1h}});
    auto const begin = s.now();
    BOOST_TEST(!s.run(client.receive(3s)));
    BOOST_TEST((s.now() - begin >= 3s));
    BOOST_TEST((s.now() - begin <= 3s + 100ms));
    wire.cut();
    s.pass(1h);
    BOOST_TEST((server.ready_state() == wsio::ready_state::closing));
    s.pass(6s);
    BOOST_TEST((server.ready_state() == wsio::ready_state::closed));
    BOOST_TEST(contains(server.status().cause, "timeouts.idle"));
}

BOOST_AUTO_TEST_CASE(what_is_sent_takes_its_time) {
    simulation s;
    auto [server, client, wire] = s.connect();
    std::vector<std::string> noted;
    co_spawn(s.get_executor(), note(s, server, noted), detached);
    s.settle();
    wire.latency(200ms);
    auto const begin = s.now().count();
    client.write("one");
    s.pass(100ms);
    client.write("two");
    s.pass(1s);
    BOOST_TEST(noted == (std::vector{std::to_string(begin + 200) + " one", std::to_string(begin + 300) + " two"}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(everything_may_come_in_single_bytes) {
    simulation s;
    auto [server, client, wire] = s.connect();
    wire.piece_size(1);
    co_spawn(s.get_executor(), echo(server), detached);
    std::string const text(3000, 'x');
    s.run(client.send(text));
    BOOST_TEST(s.run(client.receive())->text() == text);
    BOOST_CHECK_THROW(wire.piece_size(0), std::invalid_argument);
    BOOST_CHECK_THROW(wire.latency(-1ms), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(a_connection_that_is_ended_from_outside_is_lost_to_both) {
    simulation s;
    auto [server, client, wire] = s.connect();
    wire.end();
    BOOST_TEST(!s.run(server.receive()));
    BOOST_TEST(!s.run(client.receive()));
    BOOST_TEST((server.status().code == close_code::abnormal));
    BOOST_TEST((client.status().code == close_code::abnormal));
}

BOOST_AUTO_TEST_CASE(a_reader_that_does_not_read_holds_its_peer_back) {
    simulation s;
    auto [server, client, wire] = s.connect({.limits = {.read_ahead = 10'000}}, {.timeouts = {.ping = 0ms}});
    std::string const text(100'000, 'x');
    std::size_t sent = 0;
    auto flood = [&]() -> awaitable<void> {
        while (co_await client.send(text)) ++sent;
    };
    co_spawn(s.get_executor(), flood(), detached);
    s.pass(1min);
    auto const before = sent;
    BOOST_TEST(before > 0U);
    BOOST_TEST(before < 200U);
    s.pass(1min);
    BOOST_TEST(sent == before);
    for (std::size_t i = 0; i < before; ++i) BOOST_TEST(s.run(server.receive())->size() == text.size());
    BOOST_TEST(sent > before);
}

BOOST_AUTO_TEST_CASE(a_server_takes_many_clients_and_refuses_as_over_a_network) {
    simulation s;
    auto server = s.listen({.path = "/chat", .limits = {.connections = 3}});
    co_spawn(s.get_executor(), serve(server), detached);
    std::vector<wsio::testing::connection> guests;
    for (int i = 0; i < 3; ++i) guests.push_back(s.connect(server, "ws://localhost/chat"));
    BOOST_TEST(server.clients_count() == 3U);
    auto const has_status = [](unsigned status) {
        return [status](const wsio::connect_error& e) { return e.http_status() == status; };
    };
    BOOST_CHECK_EXCEPTION(static_cast<void>(s.connect(server, "ws://localhost/chat")), wsio::connect_error,
                          has_status(503));
    guests.pop_back();  // its socket was the last handle
    s.settle();
    BOOST_CHECK_EXCEPTION(static_cast<void>(s.connect(server, "ws://localhost/other")), wsio::connect_error,
                          has_status(404));
    guests[0].client.write("still here");
    BOOST_TEST(s.run(guests[0].client.receive())->text() == "still here");
    s.run(server.drain(5s));
    s.settle();
    BOOST_TEST((guests[1].client.status().code == close_code::going_away));
}

BOOST_AUTO_TEST_CASE(draining_takes_the_time_of_the_simulation) {
    simulation s;
    auto [server_end, client, wire] = s.connect({.timeouts = {.close = 1h}});
    auto server = s.listen({.timeouts = {.close = 1h}});
    co_spawn(s.get_executor(), serve(server), detached);
    auto guest = s.connect(server);
    guest.wire.cut();
    auto const begin = s.now();
    s.run(server.drain(20s));
    BOOST_TEST((s.now() - begin >= 20s));
    BOOST_TEST((s.now() - begin <= 20s + 200ms));
    BOOST_TEST(client.is_open());
}

BOOST_AUTO_TEST_CASE(sockets_beside_pages) {
    simulation s;
    auto page = [](const wsio::request&) -> awaitable<wsio::http_response> {
        co_return wsio::http_response{.body = "page"};
    };
    wsio::http_server http(s.get_executor(), page);
    auto chat = wsio::attach(http, {.path = "/chat"});
    co_spawn(s.get_executor(), serve(chat), detached);
    auto guest = s.connect(http, "ws://localhost/chat");
    guest.client.write("hello");
    BOOST_TEST(s.run(guest.client.receive())->text() == "hello");
}

BOOST_AUTO_TEST_CASE(a_server_of_another_kind_is_refused) {
    simulation s;
    wsio::server const other(s.get_executor());
    BOOST_CHECK_THROW(static_cast<void>(s.connect(other)), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(a_coroutine_that_waits_for_ever_is_told) {
    simulation s;
    auto [server, client, wire] = s.connect({.timeouts = {.ping = 0ms}});
    BOOST_CHECK_THROW(static_cast<void>(s.run(client.receive(), 1min)), std::runtime_error);
    auto const fail = []() -> awaitable<void> {
        throw std::domain_error("of the coroutine");
        co_return;
    };
    BOOST_CHECK_THROW(s.run(fail()), std::domain_error);
}

BOOST_AUTO_TEST_CASE(sockets_outlive_their_simulation) {
    wsio::socket kept;
    {
        simulation s;
        kept = s.connect().client;
        BOOST_TEST(kept.is_open());
    }
    BOOST_TEST(!kept.is_open());
}

BOOST_AUTO_TEST_CASE(coroutines_that_sleep_end_with_their_simulation) {
    auto const kept = std::make_shared<int>();
    auto const sleep = [](simulation& s, std::shared_ptr<int>) -> awaitable<void> { co_await s.sleep(1h); };
    // One that has a server of its own: two that know the loop go at once.
    auto const serve_and_sleep = [](simulation& s, std::shared_ptr<int>) -> awaitable<void> {
        auto const server = s.listen();
        co_await s.sleep(1h);
    };
    {
        simulation s;
        co_spawn(s.get_executor(), sleep(s, kept), detached);
        co_spawn(s.get_executor(), serve_and_sleep(s, kept), detached);
        co_spawn(s.get_executor(), sleep(s, kept), detached);
        s.pass(1s);
        BOOST_TEST(kept.use_count() == 4);
    }
    BOOST_TEST(kept.use_count() == 1);
}

// The same events at the same times, run after run.
BOOST_AUTO_TEST_CASE(what_happens_is_the_same_each_time) {
    auto const run = [] {
        simulation s;
        auto server = s.listen({.timeouts = {.ping = 5s, .pong = 2s, .idle = 1min}});
        co_spawn(s.get_executor(), serve(server), detached);
        std::vector<std::string> noted;
        std::vector<wsio::testing::connection> guests;
        for (int i = 0; i < 10; ++i) {
            guests.push_back(s.connect(server));
            guests.back().wire.latency(std::chrono::milliseconds(37 * i));
            guests.back().wire.piece_size(1 + static_cast<std::size_t>(i));
            co_spawn(s.get_executor(), note(s, guests.back().client, noted), detached);
        }
        for (int turn = 0; turn < 20; ++turn) {
            for (auto& each : guests) each.client.write("message " + std::to_string(turn));
            if (turn == 7) guests[3].wire.cut();
            if (turn == 11) guests[5].wire.end();
            s.pass(333ms);
        }
        s.pass(2min);
        return noted;
    };
    auto const first = run();
    BOOST_TEST(first.size() > 150U);
    for (int i = 0; i < 3; ++i) BOOST_TEST((run() == first));
}

BOOST_AUTO_TEST_SUITE_END()
