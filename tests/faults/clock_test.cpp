#include "faults/conversation.hpp"
#include "faults/system.hpp"

#include "io/deadlines.hpp"

#include <array>
#include <chrono>
#include <initializer_list>
#include <memory>
#include <new>
#include <vector>

using namespace wsio::test;
using wsio::close_code;
using wsio::ended_by;
using wsio::detail::deadlines;

// The steady clock of a machine that was suspended, or of a process that was stopped, goes forward at once by any time.

namespace {

struct alarm final : wsio::detail::deadline {
    int rung = 0;
    void deadline_passed() override { ++rung; }
};

/// Sets an alarm for each time, lets the clock jump, and gives which have rung.
std::vector<bool> rung_after(std::chrono::milliseconds leap, std::initializer_list<std::chrono::milliseconds> times) {
    deadlines all;
    std::vector<std::unique_ptr<alarm>> alarms;
    for (auto const time : times) all.set(*alarms.emplace_back(std::make_unique<alarm>()), time);
    jump(leap);
    all.advance();
    all.advance();
    std::vector<bool> rung;
    for (auto const& each : alarms) {
        BOOST_TEST(each->rung <= 1);
        rung.push_back(each->rung == 1);
    }
    for (auto const& each : alarms) all.clear(*each);
    BOOST_TEST(all.empty());
    return rung;
}

using bools = std::vector<bool>;

constexpr auto night = 10h;

}  // namespace

BOOST_AUTO_TEST_SUITE(faults_clock)

BOOST_AUTO_TEST_CASE(a_leap_rings_what_is_due_once_and_nothing_else) {
    BOOST_TEST((rung_after(1s, {0ms, 500ms, 900ms, 2s, 1min, 11h}) == bools{true, true, true, false, false, false}));
    // More than once around the wheel, which has 256 slots of 50 ms.
    BOOST_TEST((rung_after(13s, {50ms, 12s, 15s, 30s}) == bools{true, true, false, false}));
    BOOST_TEST((rung_after(night, {1s, 1min, 9h, 11h, 24h * 300}) == bools{true, true, true, false, false}));
}

BOOST_AUTO_TEST_CASE(the_count_of_ticks_goes_round_without_anybody_missing_it) {
    // 2^32 ticks are 6.8 years: in three leaps of more than two the count has gone round.
    for (int i = 0; i < 3; ++i) {
        BOOST_TEST((rung_after(24h * 900, {24h * 300, 24h * 364}) == bools{true, true}));
        BOOST_TEST((rung_after(1s, {500ms, 5s}) == bools{true, false}));
    }
}

BOOST_AUTO_TEST_CASE(an_alarm_that_fails_keeps_none_of_the_others_from_ringing) {
    struct failing final : wsio::detail::deadline {
        void deadline_passed() override { throw std::bad_alloc(); }
    };
    deadlines all;
    failing broken;
    std::array<struct alarm, 4> others;
    all.set(others[0], 100ms);
    all.set(others[1], 100ms);
    all.set(broken, 100ms);
    all.set(others[2], 100ms);
    all.set(others[3], 100ms);
    jump(1s);
    BOOST_CHECK_THROW(all.advance(), std::bad_alloc);
    all.clear(others[3]);
    BOOST_CHECK_NO_THROW(all.advance());
    for (std::size_t i = 0; i < 3; ++i) BOOST_TEST(others[i].rung == 1);
    BOOST_TEST(others[3].rung == 0);
    BOOST_TEST(all.empty());
}

BOOST_AUTO_TEST_CASE(an_open_connection_lives_through_a_leap) {
    world w;
    // The peer could not have answered, nor used the connection, while the machine slept.
    auto server = w.echo({.timeouts = {.ping = 1s, .pong = 1s, .idle = 5s}});
    auto open = connect(w, server.port());
    open.send(frame(text_frame, "before")).expect(server_frame(text_frame, "before"));
    for (int i = 0; i < 3; ++i) {
        jump(night);
        BOOST_TEST(readable(open.read_for(200ms)) == "\"\"");
        open.send(frame(text_frame, "after")).expect(server_frame(text_frame, "after"));
    }
    BOOST_TEST(server.clients_count() == 1U);
    // And its own deadlines hold behind it.
    open.expect(server_frame(ping_frame, ""));
    open.expect_end();
}

BOOST_AUTO_TEST_CASE(what_has_an_absolute_deadline_ends_at_a_leap_with_its_own_cause) {
    world w;
    auto server = w.listen({.timeouts = {.handshake = 5min, .close = 5min}});
    auto beginning = client(w, server.port());
    beginning.send("GET / HT");
    auto closing = connect(w, server.port());
    auto socket = w.accept(server);
    auto patient = connect(w, server.port());
    auto other = w.accept(server);
    socket.end();
    closing.expect(server_close(1000));
    auto receiving = w.start(other.receive(5min));
    w.turn_for(20ms);
    jump(night);
    BOOST_TEST(status_of(beginning.read_all()) == 408);
    closing.expect_end();
    BOOST_TEST(contains(socket.status().cause, "did not answer the closing handshake in time"), socket.status().cause);
    BOOST_REQUIRE(w.until([&] { return receiving.done(); }));
    BOOST_TEST(!receiving.get().has_value());
    BOOST_TEST(other.is_open());
    patient.send(frame(text_frame, "here"));
    BOOST_TEST(w.receive(other)->text() == "here");
}

BOOST_AUTO_TEST_CASE(a_drain_keeps_its_deadline_at_a_leap) {
    world w;
    auto server = w.echo();
    auto silent = connect(w, server.port());
    auto draining = w.start(server.drain(5min, 1min));
    w.turn_for(20ms);
    BOOST_TEST(!draining.done());
    jump(night);
    BOOST_TEST(w.until([&] { return draining.done(); }, 2s));
    silent.expect_last(server_close(1001, stopping));
    BOOST_TEST(server.statistics().connections().open == 0U);
}

BOOST_AUTO_TEST_CASE(who_is_closed_last_in_a_drain_is_told_although_its_time_is_over) {
    world w;
    auto server = w.echo();
    auto first = connect(w, server.port());
    auto last = connect(w, server.port());
    auto draining = w.start(server.drain(5min, 20ms));
    w.turn_for(5ms);
    jump(night);
    BOOST_TEST(w.until([&] { return draining.done(); }, 2s));
    first.expect_last(server_close(1001, stopping));
    last.expect_last(server_close(1001, stopping));
}

BOOST_AUTO_TEST_CASE(a_peer_that_vanishes_is_found_by_the_keepalive_whatever_waits_for_it) {
    for (std::size_t const waits : {0, 1'000, 500'000}) {
        BOOST_TEST_CONTEXT(waits << " bytes wait") {
            world w;
            auto server = w.listen({.timeouts = {.ping = 200ms, .pong = 200ms}});
            auto bystander = connect(w, server.port());
            auto also = w.accept(server);
            w.start(world::echo_back(also));
            auto const before = open_descriptors();
            plan now([](call, int) { return outcome{}; });
            auto lost = std::make_unique<client>(connect(w, server.port()));
            auto socket = w.accept(server);
            now.vanish(100'000);
            auto receiving = w.start(socket.receive());
            if (waits != 0) socket.write(letters(waits));
            auto closed = w.start(socket.drained());
            auto const end = std::chrono::steady_clock::now() + 3s;
            while (!receiving.done() && std::chrono::steady_clock::now() < end) {
                bystander.send(frame(text_frame, "here")).expect(server_frame(text_frame, "here"));
                w.turn_for(5ms);
            }
            BOOST_REQUIRE(receiving.done());
            BOOST_TEST(!receiving.get().has_value());
            check_status(socket.status(), ended_by::network, close_code::abnormal, false);
            BOOST_TEST(contains(socket.status().cause, "timeouts.pong"), socket.status().cause);
            BOOST_TEST(w.until([&] { return closed.done(); }));
            lost.reset();
            BOOST_TEST(open_descriptors() == before);
            BOOST_TEST(server.statistics().connections().open == 1U);
            BOOST_TEST(server.statistics().bytes_waiting == 0U);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_peer_that_vanishes_within_the_closing_handshake_keeps_nothing) {
    world w;
    auto server = w.listen({.timeouts = {.close = 200ms}});
    auto const before = open_descriptors();
    plan now([](call, int) { return outcome{}; });
    auto lost = std::make_unique<client>(connect(w, server.port()));
    auto socket = w.accept(server);
    now.vanish(10);
    auto closing = w.start(socket.close());
    BOOST_TEST(w.until([&] { return closing.done(); }, 2s));
    BOOST_TEST(!socket.status().clean);
    BOOST_TEST(contains(socket.status().cause, "in time"), socket.status().cause);
    lost.reset();
    BOOST_TEST(open_descriptors() == before);
}

BOOST_AUTO_TEST_SUITE_END()
