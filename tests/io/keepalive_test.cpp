#include "io/fixture.hpp"

#include <thread>

// Peers that fall silent, and connections that nobody uses. Times are real and short; nothing may come too early, and how
// late it may come is generous.

using wsio::close_code;
using wsio::ended_by;
using wsio::protocol_version;
using wsio::ready_state;
using namespace wsio::test;

namespace {

using std::chrono::steady_clock;

const std::string ping = server_frame(ping_frame, "");

/// A server's socket and its client, with the time that has passed since.
struct kept {
    world w;
    wsio::server s;
    client c;
    wsio::socket here;
    steady_clock::time_point const begin = steady_clock::now();

    explicit kept(wsio::timeouts timeouts, protocol_version version = protocol_version::hybi_13,
                  wsio::limits bounds = {}, int receive_buffer = 0)
        : s(w.listen({.limits = bounds, .timeouts = timeouts})),
          c(connect(w, s.port(), version, "/", {}, receive_buffer)),
          here(w.accept(s)) {}

    [[nodiscard]] steady_clock::duration passed() const { return steady_clock::now() - begin; }
    [[nodiscard]] bool ended() const { return here.ready_state() == ready_state::closed; }
    [[nodiscard]] bool ends() {
        return w.until([&] { return ended(); });
    }
};

// What can be told from outside: the socket was there a little before `begin`.
constexpr auto clock_error = 5ms;

}  // namespace

BOOST_AUTO_TEST_SUITE(keepalive)

BOOST_AUTO_TEST_CASE(a_silent_peer_is_pinged_and_then_dropped) {
    kept k({.ping = 200ms, .pong = 300ms});
    BOOST_TEST(readable(k.c.read(ping.size())) == readable(ping));
    BOOST_TEST((k.passed() >= 200ms - clock_error));
    BOOST_TEST(k.here.is_open());
    BOOST_TEST(k.ends());
    BOOST_TEST((k.passed() >= 500ms - clock_error));
    check_status(k.here.status(), ended_by::network, close_code::abnormal, false);
    BOOST_TEST(contains(k.here.status().cause, "timeouts.pong"));
    k.c.expect_end();
}

BOOST_AUTO_TEST_CASE(one_who_answers_is_pinged_again_and_lives) {
    kept k({.ping = 100ms, .pong = 150ms});
    for (int i = 0; i < 5; ++i) {
        BOOST_TEST(readable(k.c.read(ping.size())) == readable(ping));
        k.c.send(frame(pong_frame, ""));
    }
    BOOST_TEST((k.passed() >= 500ms - clock_error));
    BOOST_TEST(k.here.is_open());
}

BOOST_AUTO_TEST_CASE(any_byte_is_a_sign_of_life) {
    kept k({.ping = 250ms, .pong = 250ms});
    auto const trickle = frame(text_frame, "trickle");
    for (char const each : trickle) {
        k.c.send(std::string_view(&each, 1));
        BOOST_TEST(k.c.read_for(60ms).empty());  // no ping
    }
    BOOST_TEST((k.passed() >= 600ms));
    BOOST_TEST(k.w.receive(k.here)->text() == "trickle");
}

BOOST_AUTO_TEST_CASE(a_pong_that_waits_while_the_loop_is_busy_counts) {
    kept k({.ping = 100ms, .pong = 100ms});
    BOOST_TEST(readable(k.c.read(ping.size())) == readable(ping));
    k.c.send(frame(pong_frame, ""));
    std::this_thread::sleep_for(600ms);  // the loop does not turn
    k.w.turn_for(50ms);
    BOOST_TEST(k.here.is_open());
}

BOOST_AUTO_TEST_CASE(a_peer_is_not_silent_when_nobody_listens) {
    kept k({.ping = 100ms, .pong = 100ms}, protocol_version::hybi_13, {.read_ahead = 1000});
    auto const payload = letters(600);
    for (int i = 0; i < 3; ++i) k.c.send(frame(text_frame, payload));
    BOOST_TEST(k.c.read_for(600ms).empty());
    BOOST_TEST(k.here.is_open());
    for (int i = 0; i < 3; ++i) BOOST_TEST(k.w.receive(k.here)->text() == payload);
    BOOST_TEST(readable(k.c.read(ping.size())) == readable(ping));  // now it is heard, and silent
}

BOOST_AUTO_TEST_CASE(a_slow_reader_is_alive_until_it_stops) {
    kept k({.ping = 100ms, .pong = 150ms}, protocol_version::hybi_13, {}, 4096);
    auto const payload = letters(std::size_t{16} << 20);
    auto sending = k.w.start(k.here.send(payload));
    // So slowly that the socket has no room for another send between two looks.
    std::size_t got = 0;
    while (k.passed() < 1500ms) {
        got += k.c.read_some().size();
        k.w.turn_for(20ms);
    }
    BOOST_TEST(k.here.is_open());
    BOOST_TEST(got < payload.size() / 2);
    BOOST_TEST(k.ends());
    BOOST_TEST(contains(k.here.status().cause, "timeouts.pong"));
    BOOST_TEST(k.w.until([&] { return sending.done(); }));
    BOOST_TEST(!sending.get().accepted);
}

// It is not read, because the handler waits for it: that excuses who does not keep up, and this is the peer.
BOOST_AUTO_TEST_CASE(a_peer_that_takes_no_answers_is_dropped_though_it_talks) {
    kept k({.ping = 100ms, .pong = 150ms}, protocol_version::hybi_13, {.read_ahead = 1000, .outbox = 1000}, 4096);
    auto echoing = k.w.start(world::echo_back(k.here));
    auto const flood = frame(binary_frame, letters(15'000));
    for (int i = 0; i < 1000; ++i)
        if (k.c.send_some(flood, 20ms) < flood.size()) break;
    BOOST_TEST(k.w.until([&] { return k.ended(); }, 2s));
    BOOST_TEST(contains(k.here.status().cause, "timeouts.pong"));
    BOOST_TEST(k.w.until([&] { return echoing.done(); }));
}

// What is sent while it reads makes more wait than before, and still it reads.
BOOST_AUTO_TEST_CASE(a_slow_reader_is_alive_though_ever_more_waits_for_it) {
    kept k({.ping = 100ms, .pong = 150ms}, protocol_version::hybi_13, {.outbox = std::size_t{64} << 20}, 4096);
    auto const payload = letters(std::size_t{1} << 20);
    while (k.passed() < 1200ms) {
        if (k.here.buffered_amount() < std::size_t{32} << 20) k.here.write(payload);
        k.c.read_some();
        k.w.turn_for(20ms);
        BOOST_REQUIRE(k.here.is_open());
    }
    BOOST_TEST(k.here.buffered_amount() > std::size_t{16} << 20);
}

// The system would send it for minutes after the connection is gone, and nobody would count what it holds.
BOOST_AUTO_TEST_CASE(what_a_dropped_peer_did_not_take_is_not_kept_for_it) {
    enum { silent, closing, hixie };
    for (auto how : {silent, closing, hixie}) {
        kept k({.close = 200ms, .ping = how == silent ? 100ms : 0ms, .pong = 150ms},
               how == hixie ? protocol_version::hixie_76 : protocol_version::hybi_13, {}, 4096);
        k.here.write(letters(500'000));
        if (how != silent) k.w.start(k.here.close());
        BOOST_TEST(k.ends());
        BOOST_TEST(k.c.read_all().size() < 50'000U);
    }
}

BOOST_AUTO_TEST_CASE(one_who_takes_slowly_gets_what_the_system_has_when_the_time_to_close_is_over) {
    kept k({.close = 300ms, .ping = 0ms}, protocol_version::hybi_13, {}, 4096);
    k.here.write(letters(500'000));
    k.w.start(k.here.close());
    std::size_t got = 0;
    while (!k.ended()) {
        got += k.c.read_some().size();
        k.w.turn_for(10ms);
    }
    BOOST_TEST(got < 200'000U);
    BOOST_TEST(k.c.read_all().size() > 50'000U);
}

BOOST_AUTO_TEST_CASE(pings_and_pongs_can_be_switched_off) {
    kept never({.ping = 0ms, .pong = 100ms});
    BOOST_TEST(never.c.read_for(500ms).empty());
    BOOST_TEST(never.here.is_open());

    kept patient({.ping = 100ms, .pong = 0ms});
    for (int i = 0; i < 4; ++i) BOOST_TEST(readable(patient.c.read(ping.size())) == readable(ping));
    BOOST_TEST((patient.passed() >= 400ms - clock_error));
    BOOST_TEST(patient.here.is_open());
}

BOOST_AUTO_TEST_CASE(a_connection_that_nobody_uses_is_closed) {
    kept k({.ping = 80ms, .pong = 0ms, .idle = 300ms});
    std::string got;
    while (!contains(got, server_close(1001, "idle"))) got += k.c.read_some();  // pings are no use
    BOOST_TEST((k.passed() >= 300ms - clock_error));
    k.c.send(close_frame(1001)).expect_end();
    BOOST_TEST(k.ends());
    check_status(k.here.status(), ended_by::library, close_code::going_away, true, "idle");
    BOOST_TEST(contains(k.here.status().cause, "timeouts.idle"));
}

BOOST_AUTO_TEST_CASE(a_message_in_either_direction_is_use) {
    for (bool received : {true, false}) {
        kept k({.ping = 0ms, .idle = 300ms});
        while (k.passed() < 900ms) {
            if (received) {
                k.c.send(frame(text_frame, "still here"));
                k.w.receive(k.here);
            } else {
                k.here.write("still here");
            }
            k.w.turn_for(60ms);
            BOOST_REQUIRE(k.here.is_open());
        }
        auto const last = k.passed();
        BOOST_TEST(k.w.until([&] { return !k.here.is_open(); }));
        BOOST_TEST((k.passed() >= last + 200ms));
    }
}

BOOST_AUTO_TEST_CASE(the_hixie_drafts_have_the_idle_time_alone) {
    for (auto version : {protocol_version::hixie_75, protocol_version::hixie_76}) {
        kept k({.close = 200ms, .ping = 50ms, .pong = 50ms, .idle = 400ms}, version);
        k.w.turn_for(250ms);
        BOOST_TEST(k.here.is_open());
        k.c.expect_last(version == protocol_version::hixie_76 ? std::string_view("\xFF\0", 2) : std::string_view());
        BOOST_TEST((k.passed() >= 400ms - clock_error));
        BOOST_TEST(k.ends());
        BOOST_TEST(contains(k.here.status().cause, "timeouts.idle"));
    }
}

BOOST_AUTO_TEST_CASE(the_closing_handshake_keeps_its_own_time) {
    kept k({.close = 600ms, .ping = 50ms, .pong = 50ms, .idle = 100ms});
    auto closing = k.w.start(k.here.close());
    k.w.turn_for(400ms);
    BOOST_TEST(!closing.done());
    k.c.expect(server_close(1000)).send(close_frame(1000)).expect_end();
    BOOST_TEST(k.ends());
    check_status(k.here.status(), ended_by::application, close_code::normal, true);
}

BOOST_AUTO_TEST_CASE(one_who_left_behind_the_handshake_is_not_kept) {
    world w;
    auto server = w.listen({.timeouts = {.close = 200ms}});
    client c(w, server.port());
    c.send(handshake()).finish();
    auto here = w.accept(server);
    c.read_all();
    BOOST_TEST(w.until([&] { return here.ready_state() == ready_state::closed; }));
}

BOOST_AUTO_TEST_SUITE_END()
