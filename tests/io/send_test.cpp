#include "io/fixture.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>

#include <stdexcept>
#include <vector>

using namespace wsio::test;
using namespace boost::asio::experimental::awaitable_operators;
using wsio::close_code;
using wsio::ended_by;
using wsio::protocol_version;

namespace {

constexpr std::size_t mebibyte = 1024 * 1024;

/// A connection whose client reads only when the test says so, through a small window.
struct slow_reader : connected_pair {
    explicit slow_reader(wsio::options options = {})
        : connected_pair(std::move(options), protocol_version::hybi_13, 65536) {}
};

}  // namespace

BOOST_AUTO_TEST_SUITE(io_send)

BOOST_AUTO_TEST_CASE(wire_order_is_call_order_for_several_coroutines) {
    world w;
    auto server = w.listen({.limits = {.outbox = 20'000}});
    auto client = connect(w, server.port(), protocol_version::hybi_13, "/", {}, 65536);
    auto socket = w.accept(server);
    auto calls = std::string();
    auto sender = [&](char name, int rounds) -> awaitable<void> {
        for (int i = 0; i < rounds; ++i) {
            auto const size = static_cast<std::size_t>((i * 7919 + name * 104729) % 40'000);
            auto const text = name + std::to_string(i) + ' ' + letters(size);
            calls += server_frame(text_frame, text);
            if (size < 1000) {
                socket.write(text);
            } else {
                auto const sent = co_await socket.send(text);
                BOOST_REQUIRE(sent);
            }
            if (i % 3 == 0) co_await asio::post(asio::use_awaitable);
        }
    };
    auto running = std::vector<task<bool>>();
    for (char name : {'a', 'b', 'c', 'd'}) running.push_back(w.start(sender(name, 60)));
    std::string got;
    while (got.size() < calls.size() || !std::ranges::all_of(running, [](auto& t) { return t.done(); }))
        got += client.read_some();
    for (auto& each : running) each.get();
    BOOST_TEST((got == calls));
}

BOOST_AUTO_TEST_CASE(what_one_turn_sends_leaves_in_one_segment) {
    world w;
    auto server = w.listen();
    auto client = connect(w, server.port());
    auto socket = w.accept(server);
    auto burst = [&]() -> awaitable<void> {
        for (int i = 0; i < 50; ++i) co_await socket.send("message");
        socket.write("written").ping("p").write("last");
    };
    std::string expected;
    for (int i = 0; i < 50; ++i) expected += server_frame(text_frame, "message");
    expected += server_frame(text_frame, "written") + server_frame(ping_frame, "p") + server_frame(text_frame, "last");
    auto bursting = w.start(burst());
    auto const got = client.read_some();
    BOOST_TEST(readable(got) == readable(expected));
    BOOST_TEST(bursting.done());

    // Answers to what came in one segment leave in one, too.
    w.start(world::echo_back(socket));
    std::string requests;
    std::string answers;
    for (int i = 0; i < 50; ++i) {
        requests += frame(text_frame, "echo");
        answers += server_frame(text_frame, "echo");
    }
    client.send(requests);
    BOOST_TEST(readable(client.read_some()) == readable(answers));
}

BOOST_AUTO_TEST_CASE(a_send_that_is_not_awaited_is_queued_at_the_call) {
    world w;
    auto server = w.listen();
    auto client = connect(w, server.port());
    auto socket = w.accept(server);
    auto out_of_order = [&]() -> awaitable<void> {
        auto first = socket.send("first");
        auto second = socket.send("second");
        co_await std::move(second);
        co_await std::move(first);
    };
    w.run(out_of_order());
    { [[maybe_unused]] auto dropped = socket.send("dropped"); }
    client.expect(server_frame(text_frame, "first") + server_frame(text_frame, "second") +
                  server_frame(text_frame, "dropped"));
}

BOOST_AUTO_TEST_CASE(text_and_binary_and_messages_of_every_size) {
    world w;
    auto server = w.listen();
    auto client = connect(w, server.port());
    auto socket = w.accept(server);
    for (std::size_t size : {0, 1, 125, 126, 65535, 65536, 200'000}) {
        auto const payload = letters(size);
        BOOST_TEST(w.run(socket.send(payload)).accepted);
        BOOST_TEST(w.run(socket.send(wsio::bytes(payload))).accepted);
        auto const message = wsio::message::binary(wsio::bytes(payload));
        BOOST_TEST(w.run(socket.send(message)).accepted);
        socket.write(payload).write(wsio::bytes(payload)).write(message);
        for (auto kind : {text_frame, binary_frame, binary_frame, text_frame, binary_frame, binary_frame})
            client.expect(server_frame(kind, payload));
    }
}

BOOST_AUTO_TEST_CASE(binary_on_hixie_is_a_logic_error) {
    world w;
    auto server = w.listen();
    for (auto version : {protocol_version::hixie_75, protocol_version::hixie_76}) {
        auto client = connect(w, server.port(), version);
        auto socket = w.accept(server);
        BOOST_CHECK_THROW(w.run(socket.send(wsio::bytes("a"))), std::logic_error);
        BOOST_CHECK_THROW(socket.write(wsio::bytes("a")), std::logic_error);
        BOOST_CHECK_THROW(socket.write(wsio::message::binary(wsio::bytes("a"))), std::logic_error);
        socket.ping("nothing").write("text");
        client.expect(server_text(version, "text"));
    }
}

BOOST_AUTO_TEST_CASE(pings_go_out_and_long_ones_are_a_length_error) {
    world w;
    auto server = w.listen();
    auto client = connect(w, server.port());
    auto socket = w.accept(server);
    socket.ping().ping(std::string(125, 'p'));
    BOOST_CHECK_THROW(socket.ping(std::string(126, 'p')), std::length_error);
    client.expect(server_frame(ping_frame, "") + server_frame(ping_frame, std::string(125, 'p')));
    client.send(frame(pong_frame, std::string(125, 'p')) + frame(text_frame, "next"));
    BOOST_TEST(w.receive(socket)->text() == "next");
}

BOOST_AUTO_TEST_CASE(writes_chain_and_end_ends) {
    world w;
    auto server = w.listen();
    for (auto version : wsio::all_protocol_versions) {
        auto client = connect(w, server.port(), version);
        auto socket = w.accept(server);
        socket.write("a").write("b").end().write("never");
        auto const texts = server_text(version, "a") + server_text(version, "b");
        if (version == protocol_version::hixie_75) {
            client.expect_last(texts);
        } else if (version == protocol_version::hixie_76) {
            client.expect(texts + std::string("\xFF\0", 2)).send(std::string_view("\xFF\0", 2)).expect_end();
        } else {
            client.expect(texts + server_close(1000)).send(close_frame(1000)).expect_end();
        }
        BOOST_TEST(!w.run(socket.send("late")).accepted);
    }
}

BOOST_AUTO_TEST_CASE(send_waits_for_a_slow_reader_and_others_go_on) {
    slow_reader slow({.limits = {.outbox = 100'000}});
    auto& w = slow.w;
    auto quick = connect(w, slow.server.port());
    w.start(world::echo_back(w.accept(slow.server)));

    auto const payload = letters(50'000);
    int sent = 0;
    auto flood = [&]() -> awaitable<void> {
        for (; sent < 400; ++sent) {
            auto const accepted = co_await slow.socket.send(payload);
            BOOST_REQUIRE(accepted);
        }
    };
    auto flooding = w.start(flood());
    for (int i = 0; i < 50; ++i) quick.send(frame(text_frame, "ping")).expect(server_frame(text_frame, "ping"));
    w.turn_for(50ms);
    BOOST_TEST(!flooding.done());  // 20 MB do not fit into the outbox and the kernel
    auto const stalled = sent;
    w.turn_for(50ms);
    BOOST_TEST(sent == stalled);
    BOOST_TEST(slow.socket.buffered_amount() <= 200'000u);

    for (int i = 0; i < 400; ++i)
        BOOST_REQUIRE((slow.client.read(payload.size() + 4) == server_frame(text_frame, payload)));
    BOOST_REQUIRE(w.until([&] { return flooding.done(); }));
    flooding.get();
    BOOST_TEST(sent == 400);
    BOOST_TEST(w.until([&] { return slow.socket.buffered_amount() == 0; }));
}

BOOST_AUTO_TEST_CASE(messages_bigger_than_every_buffer_arrive_whole) {
    slow_reader slow;
    auto& w = slow.w;
    auto const payload = letters(16 * mebibyte);
    auto sending = w.start(slow.socket.send(payload));
    w.turn_for(20ms);
    BOOST_TEST((slow.client.read(payload.size() + 10) == server_frame(text_frame, payload)));
    BOOST_REQUIRE(w.until([&] { return sending.done(); }));
    BOOST_TEST(sending.get().accepted);
}

BOOST_AUTO_TEST_CASE(a_cancelled_send_goes_out_whole) {
    slow_reader slow({.limits = {.outbox = 10'000}});
    auto& w = slow.w;
    std::string expected;
    int cancelled = 0;
    for (int i = 0; i < 30; ++i) {
        auto payload = letters(static_cast<std::size_t>(i) * 40'000) + std::to_string(i);
        expected += server_frame(text_frame, payload);
        auto sending = w.start(slow.socket.send(payload));
        w.turn_for(2ms);
        sending.cancel();
        BOOST_REQUIRE(w.until([&] { return sending.done(); }));
        if (sending.shared->error) ++cancelled;
        std::ranges::fill(payload, '!');  // the caller's memory is no longer needed
    }
    BOOST_TEST(cancelled > 0);
    auto const got = slow.client.read(expected.size());
    BOOST_TEST((got == expected));
    BOOST_TEST(w.run(slow.socket.send("alive")).accepted);
    slow.client.expect(server_frame(text_frame, "alive"));
}

BOOST_AUTO_TEST_CASE(a_send_with_a_deadline_of_its_own) {
    slow_reader slow({.limits = {.outbox = 10'000}});
    auto& w = slow.w;
    auto const big = letters(8 * mebibyte);
    auto give_up = [&]() -> awaitable<void> {
        auto result = co_await (slow.socket.send(big) || world::sleep(20ms));
        BOOST_TEST(result.index() == 1u);
    };
    w.run(give_up());
    BOOST_TEST(slow.socket.is_open());
    BOOST_TEST((slow.client.read(big.size() + 10) == server_frame(text_frame, big)));
}

BOOST_AUTO_TEST_CASE(writing_to_one_who_never_reads_ends_with_1013) {
    slow_reader slow({.limits = {.outbox = 100'000}, .timeouts = {.close = 200ms}});
    auto& w = slow.w;
    auto const payload = letters(50'000);
    int written = 0;
    for (; written < 1000 && slow.socket.is_open(); ++written) {
        slow.socket.write(payload);
        w.turn(0ms);
    }
    BOOST_TEST(written < 1000);
    BOOST_TEST(slow.socket.buffered_amount() <= 500'000u);
    BOOST_TEST(!w.run(slow.socket.send("late")).accepted);
    BOOST_TEST(w.until([&] { return slow.socket.ready_state() == wsio::ready_state::closed; }));
    BOOST_TEST(slow.socket.status().by == ended_by::library);
    BOOST_TEST(slow.socket.status().code == close_code::try_again_later);
}

BOOST_AUTO_TEST_CASE(one_who_reads_late_still_learns_of_1013) {
    slow_reader slow({.limits = {.outbox = 100'000}, .timeouts = {.close = 500ms}});
    auto const payload = letters(50'000);
    while (slow.socket.is_open()) {
        slow.socket.write(payload);
        slow.w.turn(0ms);
    }
    auto const got = slow.client.read_all();
    BOOST_TEST(contains(std::string_view(got).substr(got.size() - 125), number(1013, 2)));
}

BOOST_AUTO_TEST_CASE(a_send_that_waits_ends_with_false_when_the_connection_ends) {
    for (bool reset : {true, false}) {
        slow_reader slow({.limits = {.outbox = 10'000}});
        auto& w = slow.w;
        auto const payload = letters(8 * mebibyte);
        auto sending = w.start(slow.socket.send(payload));
        auto another = w.start(slow.socket.send("small"));
        w.turn_for(20ms);
        BOOST_TEST(!sending.done());
        if (reset)
            slow.client.reset();
        else
            slow.socket.destroy();
        BOOST_REQUIRE(w.until([&] { return sending.done() && another.done(); }));
        BOOST_TEST(!sending.get().accepted);
        BOOST_TEST(!another.get().accepted);
    }
}

BOOST_AUTO_TEST_CASE(a_full_outbox_drops_what_the_policy_says_and_tears_no_frame) {
    using wsio::when_full;
    constexpr std::size_t bound = 400'000;
    for (auto version : {protocol_version::hixie_76, protocol_version::hybi_13}) {
        for (auto policy : {when_full::drop_newest, when_full::drop_oldest, when_full::keep_newest}) {
            world w;
            auto server = w.listen({.limits = {.outbox = bound / 4}, .when_full = policy});
            auto client = connect(w, server.port(), version, "/", {}, 65536);
            auto socket = w.accept(server);
            constexpr int count = 2000;
            auto const text = [](int i) { return "<" + std::to_string(i) + letters(20'000) + ">"; };
            for (int i = 0; i < count; ++i) {
                socket.write(text(i));
                if (i % 100 == 0) socket.ping(std::to_string(i));
                if (i % 7 == 0) w.turn(0ms);
                BOOST_REQUIRE(socket.buffered_amount() <= bound + 2000);  // pings are not bounded by write
            }
            BOOST_TEST(socket.is_open());
            auto sent = w.start(socket.send("sent"));
            socket.end();
            // Every message that comes is whole, in order, and which are missing is for the policy to say.
            bool const hybi = is_hybi(version);
            auto const last = server_text(version, "sent") + (hybi ? server_close(1000) : std::string("\xFF\0", 2));
            auto const got = client.read_to(last);
            std::size_t at = 0;
            int pings = 0;
            std::vector<int> came;
            for (int i = 0; i < count; ++i) {
                if (auto const whole = server_text(version, text(i));
                    std::string_view(got).substr(at).starts_with(whole)) {
                    came.push_back(i);
                    at += whole.size();
                }
                auto const ping = server_frame(ping_frame, std::to_string(i));
                if (hybi && i % 100 == 0 && std::string_view(got).substr(at).starts_with(ping)) {
                    ++pings;
                    at += ping.size();
                }
            }
            BOOST_TEST(got.size() - at == last.size());
            BOOST_TEST(pings == (hybi ? 20 : 0));
            BOOST_REQUIRE(came.size() > 3);
            BOOST_TEST(came.size() < static_cast<std::size_t>(count));
            BOOST_TEST(server.statistics().messages_dropped == count - came.size());
            BOOST_TEST(came.front() == 0);
            BOOST_TEST((came.back() == count - 1) == (policy != when_full::drop_newest));
            if (policy == when_full::drop_oldest) BOOST_TEST(came[came.size() - 3] == count - 3);
            BOOST_REQUIRE(w.until([&] { return sent.done(); }));
        }
    }
}

BOOST_AUTO_TEST_CASE(the_bound_of_write_is_exact) {
    constexpr std::size_t outbox = 1'000'000;
    for (std::size_t beyond : {0, 1}) {
        slow_reader slow({.limits = {.outbox = outbox}, .when_full = wsio::when_full::drop_newest});
        slow.socket.write(letters(16 * mebibyte));  // more than the kernel takes
        BOOST_TEST(slow.socket.buffered_amount() > 4 * outbox);
        auto const before = slow.socket.buffered_amount();
        slow.socket.write("");
        BOOST_TEST(slow.socket.buffered_amount() == before);
        while (slow.socket.buffered_amount() > 4 * outbox - 70'000) slow.client.read(10'000);
        auto const waiting = slow.socket.buffered_amount();  // and nothing leaves before the loop turns
        BOOST_REQUIRE(waiting > 0);
        auto const fits = 4 * outbox - waiting - 10;  // behind a head of 10 bytes
        slow.socket.write(letters(fits + beyond));
        BOOST_TEST(slow.socket.buffered_amount() == (beyond == 0 ? 4 * outbox : waiting));
        BOOST_TEST(slow.server.statistics().messages_dropped == 1 + beyond);  // the empty one, too
    }
}

BOOST_AUTO_TEST_CASE(one_dead_reader_of_a_broadcast_costs_its_bound_and_the_others_get_everything) {
    using wsio::when_full;
    constexpr std::size_t bound = 400'000;
    for (auto policy : {when_full::close, when_full::drop_newest, when_full::drop_oldest, when_full::keep_newest}) {
        slow_reader dead({.limits = {.outbox = bound / 4}, .when_full = policy});
        auto good = connect(dead.w, dead.server.port());
        auto other = dead.w.accept(dead.server);
        for (int i = 0; i < 2000; ++i) {
            auto const news = std::to_string(i) + letters(i % 2 == 0 ? 10 : 30'000);
            for (auto each : {dead.socket, other}) each.write(news);
            BOOST_REQUIRE(dead.socket.buffered_amount() <= bound + 127);  // and the closing frame
            BOOST_REQUIRE((good.read(server_frame(text_frame, news).size()) == server_frame(text_frame, news)));
        }
        BOOST_TEST(other.buffered_amount() == 0u);
        BOOST_TEST(dead.socket.is_open() == (policy != when_full::close));
        dead.socket.destroy();
    }
}

BOOST_AUTO_TEST_CASE(drained_waits_until_the_network_has_taken_everything) {
    slow_reader slow;
    auto& w = slow.w;
    BOOST_TEST(w.run(slow.socket.drained()));
    auto const big = letters(8 * mebibyte);
    slow.socket.write(big);
    auto first = w.start(slow.socket.drained());
    auto second = w.start(slow.socket.drained());
    auto given_up = w.start(slow.socket.drained());
    w.turn_for(20ms);
    BOOST_TEST((!first.done() && !second.done()));
    given_up.cancel();
    BOOST_REQUIRE(w.until([&] { return given_up.done(); }));
    BOOST_CHECK_THROW((void)given_up.get(), boost::system::system_error);
    BOOST_TEST((slow.client.read(big.size() + 10) == server_frame(text_frame, big)));
    BOOST_REQUIRE(w.until([&] { return first.done() && second.done(); }));
    BOOST_TEST((first.get() && second.get()));
    BOOST_TEST(slow.socket.buffered_amount() == 0u);

    slow.socket.write(big);
    auto in_vain = w.start(slow.socket.drained());
    w.turn_for(20ms);
    slow.socket.destroy();
    BOOST_REQUIRE(w.until([&] { return in_vain.done(); }));
    BOOST_TEST(!in_vain.get());
    BOOST_TEST(!w.run(slow.socket.drained()));
    BOOST_TEST(!w.run(wsio::socket().drained()));
}

BOOST_AUTO_TEST_SUITE_END()
