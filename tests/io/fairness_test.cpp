#include "io/compressing_client.hpp"
#include "io/fixture.hpp"

#include <algorithm>
#include <optional>
#include <string>

// What one connection may do before others have their turn.

using namespace wsio::test;
using wsio::protocol_version;

namespace {

/// Counts what a handler receives, and how much of it in one step of the loop.
struct counted {
    std::size_t messages = 0;
    std::size_t most_at_once = 0;

    awaitable<void> take(wsio::socket socket) {
        while (auto const message = co_await socket.receive()) ++messages;
    }

    /// Lets the loop do one thing after the other until so many have come.
    void run(world& w, std::size_t enough) {
        auto const end = std::chrono::steady_clock::now() + limit;
        while (messages < enough && std::chrono::steady_clock::now() < end) {
            auto const before = messages;
            w.context.restart();
            w.context.run_one_for(1ms);
            most_at_once = std::max(most_at_once, messages - before);
        }
        BOOST_TEST(messages >= enough);
    }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(io_fairness)

BOOST_AUTO_TEST_CASE(small_messages_come_in_turns) {
    connected_pair c;
    counted seen;
    c.w.start(seen.take(c.socket));
    std::size_t const all = 200'000;
    std::string flood;
    for (std::size_t i = 0; i < all; ++i) flood += frame(binary_frame, "x");
    c.client.send_some(flood.substr(0, flood.size() / 2), 20ms);
    std::size_t sent = flood.size() / 2;
    while (sent < flood.size()) {
        sent += c.client.offer(std::string_view(flood).substr(sent));
        seen.run(c.w, std::min(seen.messages + 1, all));
    }
    seen.run(c.w, all);
    BOOST_TEST(seen.most_at_once > 100U);
    BOOST_TEST(seen.most_at_once <= 20'000U);
}

BOOST_AUTO_TEST_CASE(messages_that_inflate_a_lot_come_in_turns) {
    world w;
    auto settings = compressing(wsio::compression_mode::shared);
    settings.limits.message_size = 2 << 20;
    auto server = w.listen(settings);
    compressing_client squeezing(w, server);
    auto socket = w.accept(server);
    counted seen;
    w.start(seen.take(socket));
    std::size_t const all = 24;
    std::string flood;
    for (std::size_t i = 0; i < all; ++i)
        flood += frame(compressed_binary, squeezing.compress(std::string(2 << 20, 'x')));
    squeezing.raw.send(flood);
    seen.run(w, all);
    BOOST_TEST(seen.most_at_once <= 3U);
}

BOOST_AUTO_TEST_CASE(nothing_is_lost_between_the_turns_when_the_peer_has_ended_its_half) {
    for (auto version : wsio::all_protocol_versions) BOOST_TEST_CONTEXT(version) {
            connected_pair c({}, version);
            counted seen;
            std::size_t const all = 50'000;
            std::string flood;
            for (std::size_t i = 0; i < all; ++i) flood += client_text(version, "x");
            c.w.start(seen.take(c.socket));
            c.client.send(flood).finish();
            seen.run(c.w, all);
            BOOST_TEST(seen.most_at_once <= 20'000U);
        }
}

BOOST_AUTO_TEST_CASE(callbacks_have_their_turns_too) {
    connected_pair c;
    counted seen;
    c.socket.on_message([&](const wsio::message&) { ++seen.messages; });
    auto const each = frame(binary_frame, "x");
    std::string flood;
    for (int i = 0; i < 30'000; ++i) flood += each;
    auto const taken = c.client.offer(flood);
    BOOST_TEST(taken > 20'000U);
    seen.run(c.w, taken / each.size());
    BOOST_TEST(seen.most_at_once <= 20'000U);
}

// What a callback of one connection does to the loop is done to the others, and not to what it is amid.
BOOST_AUTO_TEST_CASE(a_callback_may_run_the_loop) {
    world w;
    auto server = w.listen();
    std::optional<client> second;
    server.on_connection([&](wsio::socket socket) {
        socket.on_message([&, socket](const wsio::message& message) mutable {
            auto const text = message.str();
            socket.write("before " + text);
            if (text == "run") {
                second->send(frame(text_frame, "other"));
                for (int i = 0; i < 100; ++i) w.context.poll();
            }
            socket.write("after " + text);
        });
    });
    auto first = connect(w, server.port());
    second.emplace(connect(w, server.port()));
    first.send(frame(text_frame, "run") + frame(text_frame, "next"));
    first.expect(server_frame(text_frame, "before run") + server_frame(text_frame, "after run") +
                 server_frame(text_frame, "before next") + server_frame(text_frame, "after next"));
    second->expect(server_frame(text_frame, "before other") + server_frame(text_frame, "after other"));
}

BOOST_AUTO_TEST_SUITE_END()
