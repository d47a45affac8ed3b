#include "io/fixture.hpp"
#include "io/no_descriptors_left.hpp"

#include <algorithm>
#include <ctime>
#include <string>
#include <vector>

using namespace wsio::test;

BOOST_AUTO_TEST_SUITE(io_listener)

BOOST_AUTO_TEST_CASE(without_descriptors_connections_are_dropped_at_once_and_the_others_go_on) {
    world w;
    auto reasons = std::vector<std::string>(), lines = std::vector<std::string>();
    auto server = w.echo({.log = [&](wsio::log_level, std::string_view line) { lines.emplace_back(line); },
                          .on_error = [&](const wsio::request&, std::string_view why) { reasons.emplace_back(why); }});
    auto open = connect(w, server.port());
    auto too_many = std::vector<client>();
    for (int i = 0; i < 3; ++i) too_many.emplace_back(w, server.port());  // connected, but not yet accepted
    {
        no_descriptors_left const now;
        for (auto& c : too_many) c.send(handshake());
        for (auto& c : too_many) c.expect_end();
        open.send(frame(text_frame, "fine")).expect(server_frame(text_frame, "fine"));
    }
    BOOST_REQUIRE(reasons.size() == 3);
    BOOST_TEST(contains(reasons[0], "no descriptors left"), reasons[0]);
    auto const said = std::count_if(lines.begin(), lines.end(),
                                    [](auto const& line) { return contains(line, "no descriptors left: dropped"); });
    BOOST_TEST(said == 1);  // in a second, however many there are
    auto next = connect(w, server.port());
    next.send(frame(text_frame, "fine")).expect(server_frame(text_frame, "fine"));
    open.send(frame(text_frame, "fine")).expect(server_frame(text_frame, "fine"));
}

BOOST_AUTO_TEST_CASE(it_happens_again_and_again_and_the_reserve_is_still_there) {
    world w;
    auto server = w.echo();
    for (int i = 0; i < 3; ++i) {
        client c(w, server.port());
        no_descriptors_left const now;
        c.expect_end();
    }
    connect(w, server.port());
}

BOOST_AUTO_TEST_CASE(when_not_even_the_reserve_helps_accepting_pauses_and_recovers) {
    world w;
    auto lines = std::vector<std::string>();
    auto server = w.echo({.log = [&](wsio::log_level, std::string_view line) {
        if (contains(line, "accepting")) lines.emplace_back(line);
    }});
    auto open = connect(w, server.port());
    client waiting(w, server.port());
    double cpu = 0;
    {
        no_descriptors_left now;
        now.set_limit(3);  // what is given back is beyond the limit, so it cannot be had again
        auto const before = std::clock();
        w.turn_for(400ms);
        cpu = static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC;
        open.send(frame(text_frame, "fine")).expect(server_frame(text_frame, "fine"));
    }
    BOOST_TEST(cpu < 0.2, cpu << " s of processor time: the listener spins");
    waiting.send(handshake());
    BOOST_TEST(status_of(waiting.read_to("\r\n\r\n")) == 101);
    auto const at = "127.0.0.1:" + std::to_string(server.port());
    BOOST_REQUIRE(lines.size() == 2U);
    BOOST_TEST(lines[0] == at + ": accepting pauses: Too many open files");
    BOOST_TEST(lines[1] == at + ": accepting goes on");
    {
        client last(w, server.port());
        no_descriptors_left const now;  // and there is a reserve again
        last.expect_end();
    }
}

BOOST_AUTO_TEST_CASE(a_burst_larger_than_one_turn_is_accepted_whole) {
    world w;
    auto server = w.echo();
    auto burst = std::vector<client>();
    for (int i = 0; i < 150; ++i) burst.emplace_back(w, server.port());
    for (auto& c : burst) c.send(handshake());
    for (auto& c : burst) BOOST_TEST(status_of(c.read_to("\r\n\r\n")) == 101);
}

BOOST_AUTO_TEST_SUITE_END()
