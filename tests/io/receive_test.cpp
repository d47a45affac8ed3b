#include "io/fixture.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>

#include <stdexcept>
#include <variant>
#include <vector>

using namespace wsio::test;
using namespace boost::asio::experimental::awaitable_operators;
using wsio::close_code;
using wsio::ended_by;
using wsio::protocol_version;

namespace {

std::string numbered(int i) {
    return "message " + std::to_string(i) + ' ' + letters(static_cast<std::size_t>(i % 200));
}

awaitable<void> nap(std::chrono::milliseconds time) { co_await world::sleep(time); }

}  // namespace

BOOST_AUTO_TEST_SUITE(io_receive)

BOOST_AUTO_TEST_CASE(messages_of_every_size_come_whole_and_in_order) {
    world w;
    auto server = w.listen();
    auto client = connect(w, server.port());
    auto socket = w.accept(server);
    for (std::size_t size : {0, 1, 125, 126, 127, 4096, 65535, 65536, 65537, 200'000, 1 << 20}) {
        auto const payload = letters(size);
        client.send(frame(text_frame, payload));
        auto const message = w.receive(socket);
        BOOST_REQUIRE(message.has_value());
        BOOST_TEST((message->text() == payload), size << " bytes");
        client.send(frame(binary_frame, payload));
        BOOST_TEST(w.receive(socket)->is_binary());
    }
    // In fragments, with a ping between them.
    client.send(frame(0x01, "a") + frame(0x00, "b") + frame(ping_frame, "?") + frame(0x80, "c"));
    BOOST_TEST(w.receive(socket)->text() == "abc");
    client.expect(server_frame(pong_frame, "?"));
}

BOOST_AUTO_TEST_CASE(a_message_held_across_awaits_stays_valid) {
    world w;
    auto server = w.listen();
    auto client = connect(w, server.port());
    auto socket = w.accept(server);

    auto held = std::vector<wsio::message>();
    auto hold = [&]() -> awaitable<void> {
        for (int i = 0; i < 500; ++i) {
            auto message = co_await socket.receive();
            BOOST_REQUIRE(message.has_value());
            if (i % 3 == 0) co_await asio::post(asio::use_awaitable);
            if (i % 5 == 0) co_await socket.send("answer");
            BOOST_REQUIRE(message->text() == numbered(i));
            held.push_back(std::move(*message));
        }
    };
    auto holding = w.start(hold());
    std::string batch;
    for (int i = 0; i < 500; ++i) {
        batch += frame(text_frame, numbered(i));
        if (i % 7 == 0) client.send(std::exchange(batch, {}));
    }
    client.send(batch);
    BOOST_REQUIRE(w.until([&] { return holding.done(); }));
    holding.get();
    for (int i = 0; i < 500; ++i) BOOST_REQUIRE(held[static_cast<std::size_t>(i)].text() == numbered(i));

    auto copy = held[7];
    held[7] = wsio::message::text("other");
    BOOST_TEST(copy.text() == numbered(7));
    copy = std::move(held[8]);
    BOOST_TEST(copy.text() == numbered(8));
}

BOOST_AUTO_TEST_CASE(a_message_outlives_its_connection_and_its_loop) {
    auto kept = std::vector<wsio::message>();
    {
        world w;
        auto server = w.listen();
        auto client = connect(w, server.port());
        auto socket = w.accept(server);
        client.send(frame(text_frame, "small") + frame(text_frame, letters(100'000)));
        auto take = [&]() -> awaitable<void> {
            auto first = co_await socket.receive();
            auto second = co_await socket.receive();
            kept.push_back(std::move(*first));
            kept.push_back(*second);
        };
        w.run(take());
        client.close();
    }
    BOOST_TEST(kept[0].text() == "small");
    BOOST_TEST((kept[1].text() == letters(100'000)));
}

BOOST_AUTO_TEST_CASE(a_cancelled_receive_loses_no_byte) {
    world w;
    auto server = w.listen();
    auto client = connect(w, server.port());
    auto socket = w.accept(server);

    std::string stream;
    for (int i = 0; i < 300; ++i) stream += frame(text_frame, numbered(i));
    int next = 0;
    int cancelled = 0;
    auto take = [&]() -> awaitable<void> {
        while (next < 300) {
            auto result = co_await (socket.receive() || nap(next % 3 == 0 ? 0ms : 1ms));
            if (result.index() == 1) {
                ++cancelled;
                continue;
            }
            auto& message = std::get<0>(result);
            BOOST_REQUIRE(message.has_value());
            BOOST_REQUIRE(message->text() == numbered(next));
            ++next;
        }
    };
    auto taking = w.start(take());
    // Pieces that cut frames everywhere, with pauses in which receive is cancelled.
    for (std::size_t at = 0; at < stream.size(); at += 97) {
        client.send(stream.substr(at, 97));
        w.turn_for(1ms);
    }
    BOOST_REQUIRE(w.until([&] { return taking.done(); }));
    taking.get();
    BOOST_TEST(cancelled > 10);
    BOOST_TEST(w.run(socket.send("alive")).accepted);
    client.expect(server_frame(text_frame, "alive"));
}

BOOST_AUTO_TEST_CASE(cancelling_throws_operation_aborted_and_the_connection_goes_on) {
    world w;
    auto server = w.listen();
    auto client = connect(w, server.port());
    auto socket = w.accept(server);
    for (int i = 0; i < 3; ++i) {
        auto waiting = w.start(socket.receive());
        w.turn_for(2ms);
        waiting.cancel();
        BOOST_REQUIRE(w.until([&] { return waiting.done(); }));
        BOOST_CHECK_EXCEPTION((void)waiting.get(), boost::system::system_error,
                              [](const auto& error) { return error.code() == asio::error::operation_aborted; });
    }
    client.send(frame(text_frame, "still"));
    BOOST_TEST(w.receive(socket)->text() == "still");
}

BOOST_AUTO_TEST_CASE(receive_works_with_callbacks_and_futures) {
    world w;
    auto server = w.listen();
    auto client = connect(w, server.port());
    auto socket = w.accept(server);

    auto got = std::optional<wsio::receive_result>();
    asio::co_spawn(w.context, socket.receive(), [&](std::exception_ptr error, wsio::receive_result result) {
        BOOST_TEST(!error);
        got.emplace(std::move(result));
    });
    client.send(frame(text_frame, "callback"));
    BOOST_REQUIRE(w.until([&] { return got.has_value(); }));
    BOOST_REQUIRE(got->has_value());
    BOOST_TEST((*got)->text() == "callback");

    auto future = asio::co_spawn(w.context, socket.receive(), asio::use_future);
    client.send(frame(text_frame, "future"));
    BOOST_REQUIRE(w.until([&] { return future.wait_for(0s) == std::future_status::ready; }));
    BOOST_TEST(future.get()->text() == "future");

    auto sent = asio::co_spawn(w.context, socket.send("sent"), asio::use_future);
    client.expect(server_frame(text_frame, "sent"));
    BOOST_REQUIRE(w.until([&] { return sent.wait_for(0s) == std::future_status::ready; }));
    BOOST_TEST(sent.get().accepted);
}

BOOST_AUTO_TEST_CASE(a_second_waiting_receive_is_a_logic_error) {
    world w;
    auto server = w.listen();
    auto client = connect(w, server.port());
    auto socket = w.accept(server);
    auto waiting = w.start(socket.receive());
    w.turn_for(2ms);
    BOOST_CHECK_THROW((void)w.receive(socket), std::logic_error);
    client.send(frame(text_frame, "for the first"));
    BOOST_REQUIRE(w.until([&] { return waiting.done(); }));
    BOOST_TEST(waiting.get()->text() == "for the first");
}

BOOST_AUTO_TEST_CASE(pings_are_answered_while_the_handler_is_busy) {
    world w;
    auto server = w.listen();
    bool finished = false;
    w.serve(server, [&](wsio::socket socket) -> awaitable<void> {
        co_await socket.receive();
        co_await world::sleep(400ms);
        finished = true;
    });
    auto client = connect(w, server.port());
    client.send(frame(text_frame, "work"));
    w.turn_for(5ms);
    for (int i = 0; i < 5; ++i) {
        auto const payload = std::to_string(i);
        client.send(frame(ping_frame, payload)).expect(server_frame(pong_frame, payload));
    }
    client.send(frame(ping_frame, "") + frame(pong_frame, "unasked") + frame(ping_frame, std::string(125, 'x')));
    client.expect(server_frame(pong_frame, "") + server_frame(pong_frame, std::string(125, 'x')));
    BOOST_TEST(!finished);
}

BOOST_AUTO_TEST_CASE(a_close_is_answered_while_the_handler_is_busy) {
    world w;
    auto server = w.listen();
    auto kept = wsio::socket();
    bool finished = false;
    w.serve(server, [&](wsio::socket socket) -> awaitable<void> {
        kept = socket;
        co_await world::sleep(400ms);
        finished = true;
    });
    auto client = connect(w, server.port());
    client.send(frame(text_frame, "before the end") + close_frame(4001, "enough"));
    client.expect_last(server_close(4001));
    BOOST_TEST(!finished);
    BOOST_TEST(w.until([&] { return kept.ready_state() == wsio::ready_state::closed; }));
    check_status(kept.status(), ended_by::peer, close_code{4001}, true, "enough");
    BOOST_TEST(w.receive(kept)->text() == "before the end");  // what came before the end is still given
    BOOST_TEST(!w.receive(kept).has_value());
    BOOST_TEST(!w.receive(kept).has_value());
}

BOOST_AUTO_TEST_CASE(read_ahead_is_bounded_and_nothing_is_lost) {
    world w;
    auto server = w.listen({.limits = {.read_ahead = 16 * 1024}});
    auto client = connect(w, server.port());
    auto socket = w.accept(server);
    auto const payload = letters(1000);
    auto const one = frame(text_frame, payload);
    std::string stream;
    for (int i = 0; i < 20'000; ++i) stream += one;  // 20 MB
    auto const taken = client.send_some(stream, 200ms);
    BOOST_TEST(taken < stream.size() / 2, taken << " bytes were taken");

    std::size_t received = 0;
    auto take = [&]() -> awaitable<void> {
        while (auto message = co_await socket.receive()) {
            BOOST_REQUIRE(message->size() == payload.size());
            ++received;
        }
    };
    auto taking = w.start(take());
    client.send(std::string_view(stream).substr(taken));
    client.send(close_frame(1000)).expect(server_close(1000));
    BOOST_REQUIRE(w.until([&] { return taking.done(); }));
    BOOST_TEST(received == 20'000u);
}

BOOST_AUTO_TEST_CASE(small_messages_cannot_pile_up_beyond_the_read_ahead) {
    world w;
    auto server = w.listen({.limits = {.read_ahead = 16 * 1024}});
    auto client = connect(w, server.port());
    auto socket = w.accept(server);
    std::string stream;
    for (int i = 0; i < 2'000'000; ++i) stream += frame(text_frame, {});  // 12 MB of empty messages
    auto const taken = client.send_some(stream, 200ms);
    BOOST_TEST(taken < stream.size() / 2, taken << " bytes were taken");
}

BOOST_AUTO_TEST_CASE(a_message_beyond_the_limit_ends_with_1009) {
    world w;
    auto server = w.listen({.limits = {.message_size = 1000, .fragments = 10}});
    for (auto version : {protocol_version::hybi_7, protocol_version::hybi_8, protocol_version::hybi_13}) {
        auto exact = connect(w, server.port(), version);
        auto socket = w.accept(server);
        exact.send(frame(text_frame, letters(1000)));
        BOOST_TEST(w.receive(socket)->size() == 1000u);
        exact.send(frame(0x01, letters(600)) + frame(0x80, letters(400)));
        BOOST_TEST(w.receive(socket)->size() == 1000u);
        auto waiting = w.start(socket.receive(10s));
        w.turn_for(5ms);
        exact.send(head(text_frame, 1001) + "mask");  // refused before its payload came
        BOOST_TEST(contains(exact.read_all(), number(1009, 2)));
        BOOST_TEST(!w.receive(socket).has_value());
        check_status(socket.status(), ended_by::library, close_code::message_too_big, false, socket.status().reason);

        auto pieces = connect(w, server.port(), version);
        auto other = w.accept(server);
        pieces.send(frame(0x01, letters(600)) + frame(0x00, letters(401)));
        w.turn_for(5ms);
        BOOST_TEST(other.is_open());  // it may be asked for in parts
        BOOST_TEST(!w.receive(other).has_value());
        BOOST_TEST(contains(pieces.read_all(), number(1009, 2)));
        BOOST_TEST(other.status().code == close_code::message_too_big);
    }
    auto many = connect(w, server.port());
    auto socket = w.accept(server);
    std::string stream = frame(0x01, "a");
    for (int i = 0; i < 20; ++i) stream += frame(0x00, "a");
    many.send(stream);
    BOOST_TEST(contains(many.read_all(), number(1008, 2)));
    BOOST_TEST(socket.status().code == close_code::policy_violation);

    auto hixie = connect(w, server.port(), protocol_version::hixie_76);
    auto old = w.accept(server);
    hixie.send(client_text(protocol_version::hixie_76, letters(1000)));
    BOOST_TEST(w.receive(old)->size() == 1000u);
    hixie.send(client_text(protocol_version::hixie_76, letters(1001)));
    BOOST_TEST(!w.receive(old).has_value());
    hixie.read_all();
}

BOOST_AUTO_TEST_CASE(the_default_limit_is_16_mib_exactly) {
    world w;
    auto server = w.listen();
    constexpr std::size_t limit = 16 * 1024 * 1024;
    {
        auto client = connect(w, server.port());
        auto socket = w.accept(server);
        auto const payload = std::string(limit, 'x');
        auto waiting = w.start(socket.receive());
        client.send(frame(binary_frame, payload));
        BOOST_REQUIRE(w.until([&] { return waiting.done(); }));
        BOOST_TEST((waiting.get()->text() == payload));
    }
    auto client = connect(w, server.port());
    auto socket = w.accept(server);
    client.send(head(binary_frame, limit + 1) + "mask");
    BOOST_TEST(!w.receive(socket).has_value());
    BOOST_TEST(contains(client.read_all(), number(1009, 2)));
}

BOOST_AUTO_TEST_CASE(a_receive_with_a_timeout_gives_nothing_in_time_and_loses_no_byte) {
    world w;
    auto server = w.listen();
    for (auto version : wsio::all_protocol_versions) {
        auto client = connect(w, server.port(), version);
        auto socket = w.accept(server);
        auto const start = std::chrono::steady_clock::now();
        BOOST_TEST(!w.run(socket.receive(60ms)).has_value());
        BOOST_TEST((std::chrono::steady_clock::now() - start >= 60ms));
        BOOST_TEST(socket.is_open());
        BOOST_TEST(!w.run(socket.receive(0ms)).has_value());

        // A message of which a part has come when the time is over.
        auto const text = client_text(version, "whole");
        client.send(text.substr(0, 3));
        BOOST_TEST(!w.run(socket.receive(20ms)).has_value());
        client.send(text.substr(3) + client_text(version, "next"));
        BOOST_TEST(w.run(socket.receive(10s))->text() == "whole");
        BOOST_TEST(w.run(socket.receive(10s))->text() == "next");

        auto cancelled = w.start(socket.receive(10s));
        w.turn_for(2ms);
        cancelled.cancel();
        BOOST_REQUIRE(w.until([&] { return cancelled.done(); }));
        BOOST_CHECK_THROW((void)cancelled.get(), boost::system::system_error);
        auto waiting = w.start(socket.receive(10s));
        w.turn_for(2ms);
        client.send(client_text(version, "last"));
        client.finish();
        BOOST_REQUIRE(w.until([&] { return waiting.done(); }));
        BOOST_TEST(waiting.get()->text() == "last");
        BOOST_TEST(!w.run(socket.receive(10s)).has_value());
        BOOST_TEST(!socket.is_open());
    }
    BOOST_TEST(!w.run(wsio::socket().receive(10s)).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
