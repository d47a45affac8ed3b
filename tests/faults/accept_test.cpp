#include "faults/conversation.hpp"
#include "faults/system.hpp"

#include <cerrno>
#include <ctime>
#include <vector>

using namespace wsio::test;

namespace {

// Lets each of the first calls of a kind fail, one after the other, while clients come; the others must be served.
void fail_some(call what, int error, std::size_t lost) {
    BOOST_TEST_CONTEXT("error " << error) {
        world w;
        auto server = w.echo({.timeouts = {.handshake = 2s, .close = 1s}});
        auto bystander = connect(w, server.port());
        for (int at = 1; at <= 6; ++at) {
            auto const before = open_descriptors();
            {
                plan const now(plan::one_failure(what, at, error));
                std::vector<client> all;
                for (int i = 0; i < 6; ++i) {
                    all.emplace_back(w, server.port());
                    all.back().send(handshake());
                }
                std::size_t served = 0;
                for (auto& each : all) {
                    bool ended = false;
                    std::string got;
                    auto const done = [&] { return ended || contains(got, "\r\n\r\n"); };
                    BOOST_REQUIRE(w.until([&] {
                        got += each.take(4096, ended);
                        return done();
                    }));
                    if (ended) continue;
                    each.send(frame(text_frame, "served")).expect(server_frame(text_frame, "served"));
                    ++served;
                }
                BOOST_TEST(served == all.size() - lost);
                BOOST_TEST(now.made(what) >= at);
            }
            BOOST_TEST(
                w.until([&] { return server.statistics().connections().open == 1 && open_descriptors() == before; }));
            bystander.send(frame(text_frame, "still here")).expect(server_frame(text_frame, "still here"));
        }
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(faults_accept)

BOOST_AUTO_TEST_CASE(a_client_that_went_before_it_was_accepted_disturbs_nobody) {
    for (int const error : {ECONNABORTED, EPROTO, EPERM, ETIMEDOUT, EHOSTUNREACH, EINTR, EAGAIN})
        fail_some(call::accept, error, 0);  // the kernel forgets such a connection; here it is there at the next call
}

BOOST_AUTO_TEST_CASE(out_of_descriptors_or_buffers_for_a_moment_costs_one_client_and_no_more) {
    for (int const error : {EMFILE, ENFILE, ENOBUFS, ENOMEM}) fail_some(call::accept, error, 1);
}

BOOST_AUTO_TEST_CASE(a_connection_that_cannot_be_watched_is_dropped_and_the_others_are_served) {
    for (int const error : {ENOSPC, ENOMEM}) fail_some(call::watch, error, 1);
}

void fail_for_long(int error, int tries_at_a_time) {
    world w;
    std::vector<std::string> lines;
    auto server = w.echo({.log = [&](wsio::log_level, std::string_view line) { lines.emplace_back(line); }});
    auto open = connect(w, server.port());
    lines.clear();
    client waiting(w, server.port());
    waiting.send(handshake());
    double cpu = 0;
    int tries = 0;
    {
        plan const now([error](call what, int) { return outcome{what == call::accept ? error : 0}; });
        auto const before = std::clock();
        w.turn_for(450ms);
        cpu = static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC;
        tries = now.made(call::accept);
        open.send(frame(text_frame, "fine")).expect(server_frame(text_frame, "fine"));
    }
    BOOST_TEST(cpu < 0.2, cpu << " s of processor time: the listener spins");
    BOOST_TEST((tries >= 3 * tries_at_a_time && tries <= 6 * tries_at_a_time), tries);
    BOOST_TEST(status_of(waiting.read_to("\r\n\r\n")) == 101);
    auto const said = [&](std::string_view what) {
        return std::count_if(lines.begin(), lines.end(), [&](auto const& line) { return contains(line, what); });
    };
    BOOST_TEST(said("accepting pauses") == 1);
    BOOST_TEST(said("accepting goes on") == 1);
}

BOOST_AUTO_TEST_CASE(without_buffers_for_long_accepting_pauses_and_goes_on_by_itself) { fail_for_long(ENOBUFS, 2); }

BOOST_AUTO_TEST_CASE(an_error_that_does_not_go_away_is_not_tried_again_and_again) { fail_for_long(EINVAL, 64); }

BOOST_AUTO_TEST_SUITE_END()
