#include "io/client_tools.hpp"

#include <algorithm>
#include <set>
#include <vector>

using namespace wsio::test;
using wsio::error;

namespace {

wsio::reconnect_options const soon{.first = 20ms, .most = 50ms};

}  // namespace

BOOST_AUTO_TEST_SUITE(io_reconnecting)

BOOST_AUTO_TEST_CASE(times_double_up_to_the_most_and_are_jittered) {
    std::set<long> firsts;
    for (int i = 0; i < 50; ++i) {
        wsio::backoff times(100ms, 1500ms);
        for (auto const most : {100, 200, 400, 800, 1500, 1500}) {
            auto const time = times.next().count();
            BOOST_TEST(time >= most / 2);
            BOOST_TEST(time <= most);
            if (most == 100) firsts.insert(time);
        }
        times.reset();
        BOOST_TEST(times.next() <= 100ms);
    }
    BOOST_TEST(firsts.size() > 10U);
    BOOST_CHECK_THROW(wsio::backoff(0ms, 1s), std::invalid_argument);
    BOOST_CHECK_THROW(wsio::backoff(2s, 1s), std::invalid_argument);
    wsio::backoff forever(std::chrono::milliseconds::max() / 4, std::chrono::milliseconds::max());
    for (int i = 0; i < 10; ++i) BOOST_TEST(forever.next() > 0ms);  // and does not overflow
}

BOOST_AUTO_TEST_CASE(errors_that_may_go_away_are_told_from_others) {
    auto const temporary = [](error why, unsigned status = 0) {
        return wsio::is_temporary(wsio::connect_error(why, "", status));
    };
    BOOST_TEST(temporary(error::connection_refused));
    BOOST_TEST(temporary(error::handshake_timed_out));
    BOOST_TEST(temporary(error::unexpected_status, 503));
    BOOST_TEST(!temporary(error::unexpected_status, 404));
    BOOST_TEST(!temporary(error::certificate_expired));
    BOOST_TEST(!temporary(error::bad_url));
    BOOST_TEST(!temporary(error::wrong_accept_key));
}

BOOST_AUTO_TEST_CASE(connection_that_has_ended_is_followed_by_another) {
    world w;
    auto server = w.listen();
    wsio::reconnecting connections(url_of(server), {}, soon);
    for (int i = 0; i < 3; ++i) {
        auto socket = w.run(connections.next());
        auto peer = w.accept(server);
        peer.write("hello");
        BOOST_TEST(w.receive(socket)->text() == "hello");
        peer.destroy();
        BOOST_TEST(!w.receive(socket));
    }
}

BOOST_AUTO_TEST_CASE(server_that_is_away_for_a_while_is_waited_for) {
    world w;
    auto const port = [&] { return raw_server(w).port(); }();
    std::vector<std::string> failures;
    auto when = soon;
    when.on_failure = [&](const wsio::connect_error& e, std::chrono::milliseconds wait) {
        failures.push_back(std::to_string(wait.count()) + ' ' + e.what());
    };
    wsio::reconnecting connections("ws://127.0.0.1:" + std::to_string(port) + "/", {}, when);
    auto const connecting = w.start(connections.next());
    BOOST_REQUIRE(w.until([&] { return failures.size() == 3; }));
    BOOST_TEST(contains(failures.back(), "refused"));
    auto const executor = w.executor();
    auto server = wsio::listen(executor, port, {.host = "127.0.0.1"});
    BOOST_REQUIRE(w.until([&] { return connecting.done(); }));
    BOOST_TEST(connecting.get().is_open());
}

BOOST_AUTO_TEST_CASE(time_behind_the_end_of_a_connection_does_not_make_it_steady) {
    world w;
    auto server = w.listen();
    wsio::reconnecting connections(url_of(server), {}, {.first = 100ms, .most = 10s, .steady = 150ms});
    std::chrono::steady_clock::duration waited{};
    for (int i = 0; i < 4; ++i) {
        auto const begun = std::chrono::steady_clock::now();
        auto socket = w.run(connections.next());
        waited = std::chrono::steady_clock::now() - begun;
        w.accept(server).destroy();
        BOOST_TEST(!w.receive(socket));
        w.turn_for(200ms);
    }
    BOOST_TEST((waited >= 200ms));  // the third wait, which is four times as long
    auto socket = w.run(connections.next());
    auto peer = w.accept(server);
    w.turn_for(200ms);
    peer.destroy();
    BOOST_TEST(!w.receive(socket));
    auto const begun = std::chrono::steady_clock::now();
    static_cast<void>(w.run(connections.next()));
    BOOST_TEST((std::chrono::steady_clock::now() - begun < 790ms));  // the first again; the fifth is 800 ms at least
}

BOOST_AUTO_TEST_CASE(options_that_make_no_sense_are_refused_at_once) {
    BOOST_CHECK_THROW(wsio::reconnecting("ws://127.0.0.1/", {.protocols = {}}), std::invalid_argument);
    BOOST_CHECK_THROW(wsio::reconnecting("ws://127.0.0.1/", {}, {.first = 0ms}), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(error_that_stays_ends_it) {
    world w;
    auto server = w.listen({.path = "/here"});
    wsio::reconnecting connections(url_of(server, "/there"), {}, soon);
    BOOST_CHECK_EXCEPTION(w.run(connections.next()), wsio::connect_error,
                          [](auto& e) { return e.http_status() == 404; });
}

BOOST_AUTO_TEST_CASE(attempts_are_counted) {
    world w;
    auto const port = [&] { return raw_server(w).port(); }();
    auto when = soon;
    when.attempts = 3;
    int failures = 0;
    when.on_failure = [&](const wsio::connect_error&, std::chrono::milliseconds) { ++failures; };
    wsio::reconnecting connections("ws://127.0.0.1:" + std::to_string(port) + "/", {}, when);
    BOOST_CHECK_EXCEPTION(w.run(connections.next()), wsio::connect_error,
                          [](auto& e) { return e.why() == error::connection_refused; });
    BOOST_TEST(failures == 2);  // the third is thrown
}

BOOST_AUTO_TEST_CASE(application_may_decide_what_is_tried_again) {
    world w;
    auto server = w.listen({.path = "/here"});
    int asked = 0;
    auto when = soon;
    when.retry = [&](const wsio::connect_error&) { return ++asked < 3; };
    wsio::reconnecting connections(url_of(server, "/there"), {}, when);
    BOOST_CHECK_THROW(w.run(connections.next()), wsio::connect_error);
    BOOST_TEST(asked == 3);
}

BOOST_AUTO_TEST_CASE(wait_may_be_cancelled) {
    world w;
    auto const port = [&] { return raw_server(w).port(); }();
    wsio::reconnecting connections("ws://127.0.0.1:" + std::to_string(port) + "/", {}, {.first = 60s, .most = 60s});
    auto const connecting = w.start(connections.next());
    w.turn_for(50ms);
    connecting.cancel();
    BOOST_REQUIRE(w.until([&] { return connecting.done(); }));
    BOOST_CHECK_EXCEPTION(connecting.get(), boost::system::system_error,
                          [](auto& e) { return e.code() == asio::error::operation_aborted; });
}

BOOST_AUTO_TEST_SUITE_END()
