#include "io/fixture.hpp"

#include <algorithm>
#include <string>
#include <vector>

// Messages that the peer sends before it knows that we are closing.

using namespace wsio::test;
using wsio::close_code;
using wsio::ended_by;
using wsio::protocol_version;

namespace {

/// A connection that reads little ahead, and a peer that has sent many messages and closes when we do.
struct busy : connected_pair {
    static constexpr int count = 60;

    explicit busy(std::chrono::milliseconds close = 5s)
        : connected_pair({.limits = {.read_ahead = 500}, .timeouts = {.close = close}}) {
        for (int i = 0; i < count; ++i) sent.push_back(std::to_string(i) + ' ' + letters(100));
        std::string all;
        for (auto const& each : sent) all += frame(text_frame, each);
        client.send(all);
        w.turn_for(20ms);
    }

    void answer_the_close() { client.expect(server_close(1000)).send(close_frame(1000)); }
    void leave() { client.expect_end(); }

    std::vector<std::string> sent;
};

/// Takes one message after the other, slowly.
awaitable<void> take_slowly(wsio::socket socket, std::vector<std::string>& got) {
    while (auto const message = co_await socket.receive()) {
        got.push_back(message->str());
        co_await world::sleep(2ms);
    }
}

bool is_prefix(const std::vector<std::string>& whole, const std::vector<std::string>& part) {
    return part.size() <= whole.size() && std::equal(part.begin(), part.end(), whole.begin());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(io_late_messages)

BOOST_AUTO_TEST_CASE(who_still_takes_them_gets_all) {
    busy c;
    c.socket.end();
    std::vector<std::string> got;
    auto taking = c.w.start(take_slowly(c.socket, got));
    c.answer_the_close();
    c.leave();
    BOOST_REQUIRE(c.w.until([&] { return taking.done(); }));
    BOOST_TEST(got == c.sent, boost::test_tools::per_element());
    check_status(c.socket.status(), ended_by::application, close_code::normal, true);
}

BOOST_AUTO_TEST_CASE(who_comes_for_them_a_little_later_gets_all_as_well) {
    busy c;
    c.socket.end();
    c.answer_the_close();
    c.w.turn_for(300ms);
    std::vector<std::string> got;
    auto taking = c.w.start(take_slowly(c.socket, got));
    c.leave();
    BOOST_REQUIRE(c.w.until([&] { return taking.done(); }));
    BOOST_TEST(got == c.sent, boost::test_tools::per_element());
    check_status(c.socket.status(), ended_by::application, close_code::normal, true);
}

BOOST_AUTO_TEST_CASE(what_is_given_has_no_gap_when_nobody_came_for_long) {
    busy c(1s);
    c.socket.end();
    c.answer_the_close();
    c.leave();
    BOOST_TEST(c.w.until([&] { return c.socket.ready_state() == wsio::ready_state::closed; }));
    check_status(c.socket.status(), ended_by::application, close_code::normal, true);
    std::vector<std::string> got;
    c.w.run(take_slowly(c.socket, got));
    BOOST_TEST(!got.empty());
    BOOST_TEST(is_prefix(c.sent, got));
}

BOOST_AUTO_TEST_CASE(close_does_not_wait_for_somebody_to_take_them) {
    busy c(60s);
    auto closing = c.w.start(c.socket.close());
    c.answer_the_close();
    c.leave();
    BOOST_TEST(c.w.until([&] { return closing.done(); }));
    check_status(c.socket.status(), ended_by::application, close_code::normal, true);
}

BOOST_AUTO_TEST_CASE(nor_does_the_end_of_the_last_handle) {
    busy c(60s);
    c.socket = {};
    c.answer_the_close();
    c.leave();
    BOOST_TEST(c.w.until([&] { return c.server.statistics().connections().open == 0; }));
}

BOOST_AUTO_TEST_CASE(a_large_message_comes_whole_or_not_at_all) {
    for (bool const in_time : {true, false}) {
        connected_pair c({.limits = {.read_ahead = 500}, .timeouts = {.close = 1s}});
        auto const text = letters(400'000);
        auto in_parts = [](wsio::socket socket, std::string& got) -> awaitable<std::optional<bool>> {
            bool whole = false;
            while (auto const part = co_await socket.receive_part()) {
                got += part->text();
                whole = part->is_last();
            }
            co_return whole;
        };
        std::string begin;
        c.client.send(frame(text_frame, "first"));
        BOOST_TEST(c.w.run(c.socket.receive_part())->text() == "first");
        c.client.send_some(frame(text_frame, text), 50ms);
        c.socket.end();
        c.w.turn_for(in_time ? 100ms : 700ms);
        c.client.expect(server_close(1000)).send(close_frame(1000));
        auto const whole = c.w.run(in_parts(c.socket, begin));
        BOOST_TEST(*whole == in_time);
        BOOST_TEST((begin == std::string_view(text).substr(0, begin.size())));
        BOOST_TEST((begin.size() == text.size()) == in_time);
    }
}

// The rest of a frame must not be taken for the beginning of another.
BOOST_AUTO_TEST_CASE(the_inside_of_a_frame_is_never_read_as_a_frame) {
    connected_pair c({.limits = {.read_ahead = 100}});
    std::string all;
    for (int i = 0; i < 3; ++i) all += frame(text_frame, letters(60));
    auto const inner = frame(text_frame, "the inside of a message");
    auto const outer = frame(binary_frame, "0123" + masked(inner));
    auto const cut = outer.size() - inner.size();
    c.client.send(all + outer.substr(0, cut));
    c.w.turn_for(20ms);
    BOOST_TEST(c.w.receive(c.socket)->text() == letters(60));
    c.socket.end();
    c.client.expect(server_close(1000)).send(outer.substr(cut) + close_frame(1000));
    for (int i = 0; i < 2; ++i) BOOST_TEST(c.w.receive(c.socket)->text() == letters(60));
    auto const last = c.w.receive(c.socket);
    BOOST_REQUIRE(last.has_value());
    BOOST_TEST(last->is_binary());
    BOOST_TEST(!c.w.receive(c.socket).has_value());
    check_status(c.socket.status(), ended_by::application, close_code::normal, true);
}

BOOST_AUTO_TEST_CASE(the_time_for_the_ending_is_one_for_all_of_it) {
    connected_pair c({.timeouts = {.close = 2s}});
    auto const begin = std::chrono::steady_clock::now();
    c.socket.end();
    c.client.expect(server_close(1000));
    c.w.turn_for(1500ms);
    c.client.send(close_frame(1000));  // and then nothing: TCP goes on
    BOOST_TEST(c.w.until([&] { return c.socket.ready_state() == wsio::ready_state::closed; }));
    BOOST_TEST((std::chrono::steady_clock::now() - begin < 3s));
}

BOOST_AUTO_TEST_SUITE_END()
