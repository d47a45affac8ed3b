#include "io/compressing_client.hpp"
#include "io/tls_client.hpp"

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace wsio::test;
using wsio::close_code;
using wsio::compression_mode;
using wsio::ended_by;
using wsio::message_stream;
using wsio::protocol_version;
using wsio::when_full;

namespace {

constexpr std::string_view stream_destroyed = "a message was left unfinished";

struct pair : connected_pair {
    explicit pair(wsio::options options = {}, protocol_version version = protocol_version::hybi_13)
        : connected_pair(std::move(options), version, 65536) {}

    bool send(message_stream& stream, std::string_view piece) { return w.run(awaited(stream.send(piece))); }
    bool finish(message_stream& stream, std::string_view piece = {}) { return w.run(awaited(stream.finish(piece))); }

private:
    static awaitable<bool> awaited(awaitable<wsio::send_result> sending) { co_return co_await std::move(sending); }
};

std::string fragment(unsigned first, std::string_view payload) { return server_frame(first, payload); }

}  // namespace

BOOST_AUTO_TEST_SUITE(io_message_stream)

BOOST_AUTO_TEST_CASE(pieces_go_out_as_fragments) {
    for (auto const version : {protocol_version::hybi_7, protocol_version::hybi_8, protocol_version::hybi_13}) {
        pair p({}, version);
        auto text = p.socket.start_text();
        BOOST_TEST(p.send(text, "one"));
        p.client.expect(fragment(0x01, "one"));
        BOOST_TEST(p.send(text, ""));
        BOOST_TEST(p.send(text, letters(70'000)));
        BOOST_TEST(p.finish(text));
        BOOST_TEST(text.is_finished());
        p.client.expect(fragment(0x00, letters(70'000)) + fragment(0x80, ""));
        auto binary = p.socket.start_binary();
        BOOST_TEST(p.send(binary, "two"));
        BOOST_TEST(p.finish(binary, "end"));
        p.client.expect(fragment(0x02, "two") + fragment(0x80, "end"));
        BOOST_TEST(p.server.statistics().messages_sent == 2U);
    }
}

BOOST_AUTO_TEST_CASE(a_message_of_one_piece_is_one_frame) {
    pair p;
    auto text = p.socket.start_text();
    BOOST_TEST(p.finish(text, "all of it"));
    auto empty = p.socket.start_binary();
    BOOST_TEST(p.finish(empty));
    p.client.expect(server_frame(text_frame, "all of it") + server_frame(binary_frame, ""));
}

BOOST_AUTO_TEST_CASE(on_hixie_the_pieces_make_one_frame_of_text) {
    for (auto const version : {protocol_version::hixie_75, protocol_version::hixie_76}) {
        pair p({}, version);
        auto text = p.socket.start_text();
        BOOST_TEST(p.send(text, "caf\xC3"));  // cut inside a character
        BOOST_CHECK_THROW(p.send(text, "\xFF"), std::invalid_argument);
        BOOST_CHECK_THROW(p.finish(text), std::invalid_argument);
        p.socket.write("later");
        BOOST_TEST(p.send(text, "\xA9, "));
        BOOST_TEST(p.finish(text, "ol\xC3\xA9"));
        p.client.expect(server_text(version, "caf\xC3\xA9, ol\xC3\xA9") + server_text(version, "later"));
        BOOST_CHECK_THROW(static_cast<void>(p.socket.start_binary()), std::logic_error);
        auto next = p.socket.start_text();
        BOOST_TEST(p.finish(next, "next"));
        p.client.expect(server_text(version, "next"));
    }
}

BOOST_AUTO_TEST_CASE(other_messages_wait_in_order_and_pings_and_pongs_do_not) {
    pair p;
    auto stream = p.socket.start_text();
    BOOST_TEST(p.send(stream, "a"));
    p.socket.write("first").ping("now");
    auto second = [](wsio::socket s) -> awaitable<bool> { co_return co_await s.send(letters(20'000)); };
    BOOST_TEST(p.w.run(second(p.socket)));
    p.socket.write(wsio::bytes("third"));
    BOOST_TEST(p.socket.buffered_amount() >= 20'010U);
    p.client.expect(fragment(0x01, "a") + server_frame(ping_frame, "now"));
    p.client.send(frame(ping_frame, "me")).expect(server_frame(pong_frame, "me"));
    BOOST_TEST(p.server.statistics().bytes_waiting == 20'010U);
    BOOST_TEST(p.finish(stream, "b"));
    p.client.expect(fragment(0x80, "b") + server_frame(text_frame, "first") +
                    server_frame(text_frame, letters(20'000)) + server_frame(binary_frame, "third"));
    BOOST_TEST(p.w.run(p.socket.drained()));
    BOOST_TEST(p.server.statistics().bytes_waiting == 0U);
    BOOST_TEST(p.server.statistics().messages_sent == 4U);
}

BOOST_AUTO_TEST_CASE(a_send_behind_a_stream_waits_when_too_much_does) {
    pair p({.limits = {.outbox = 10'000}});
    auto stream = p.socket.start_text();
    BOOST_TEST(p.send(stream, "a"));
    auto behind = [](wsio::socket s) -> awaitable<bool> { co_return co_await s.send(letters(10'001)); };
    auto sending = p.w.start(behind(p.socket));
    p.w.turn_for(10ms);
    BOOST_TEST(!sending.done());
    BOOST_TEST(p.send(stream, "b"));  // a piece does not wait for what waits behind it
    BOOST_TEST(p.finish(stream));
    p.client.expect(fragment(0x01, "a") + fragment(0x00, "b") + fragment(0x80, "") +
                    server_frame(text_frame, letters(10'001)));
    BOOST_REQUIRE(p.w.until([&] { return sending.done(); }));
    BOOST_TEST(sending.get());
}

BOOST_AUTO_TEST_CASE(write_behind_a_stream_follows_the_policy) {
    constexpr std::size_t size = 1000;
    for (auto const policy :
         {when_full::close, when_full::drop_newest, when_full::drop_oldest, when_full::keep_newest}) {
        pair p({.limits = {.outbox = 2500}, .when_full = policy});
        auto stream = p.socket.start_text();
        BOOST_TEST(p.send(stream, "a"));
        p.client.expect(fragment(0x01, "a"));
        for (int i = 0; i < 30; ++i) p.socket.write(std::to_string(1000 + i) + letters(size - 4));
        BOOST_TEST(p.socket.buffered_amount() <= 10'000U);
        if (policy == when_full::close) {
            p.client.expect(server_close(1013, "too much is waiting to be sent"));
            BOOST_TEST(!p.finish(stream));
            continue;
        }
        BOOST_TEST(p.finish(stream));
        p.client.expect(fragment(0x80, ""));
        p.socket.end();
        std::vector<std::string> came;
        for (auto f = read_frame(p.client); f.first == text_frame; f = read_frame(p.client))
            came.push_back(f.second.substr(0, 4));
        BOOST_TEST(p.server.statistics().messages_dropped == 30U - came.size());
        BOOST_REQUIRE(!came.empty());
        BOOST_TEST(came.size() <= 9U);
        BOOST_TEST(came.back() == (policy == when_full::drop_newest ? "1008" : "1029"));
        BOOST_TEST(came.front() == (policy == when_full::drop_newest   ? "1000"
                                    : policy == when_full::drop_oldest ? "1021"
                                                                       : came.front()));
    }
}

BOOST_AUTO_TEST_CASE(an_abandoned_stream_ends_the_connection) {
    pair p;
    {
        auto stream = p.socket.start_text();
        BOOST_TEST(p.send(stream, "never whole"));
        p.socket.write("never sent");
    }
    p.client.expect(fragment(0x01, "never whole") + server_close(1011, stream_destroyed));
    p.client.send(close_frame(1011)).expect_end();
    check_status(p.socket.status(), ended_by::application, close_code::internal_error, true, stream_destroyed);
    BOOST_TEST(p.socket.status().cause == "a message_stream was destroyed before finish()");
    BOOST_TEST(p.server.statistics().bytes_waiting == 0U);
}

BOOST_AUTO_TEST_CASE(on_hixie_an_unfinished_text_is_never_closed_as_if_it_were_whole) {
    for (auto const version : {protocol_version::hixie_75, protocol_version::hixie_76})
        for (int how = 0; how < 3; ++how) {
            pair p({}, version);
            auto stream = p.socket.start_text();
            BOOST_TEST(p.send(stream, "never whole"));
            p.client.expect(std::string("\0never whole", 12));
            if (how == 0) stream = {};
            if (how == 1) p.socket.end();
            if (how == 2) {
                if (version == protocol_version::hixie_75) continue;
                p.client.send(std::string("\xFF\0", 2));
            }
            p.client.expect_end();
        }
}

BOOST_AUTO_TEST_CASE(a_send_behind_a_stream_ends_when_the_application_closes) {
    pair p({.limits = {.outbox = 10'000}});
    auto stream = p.socket.start_text();
    BOOST_TEST(p.send(stream, "a"));
    auto behind = [](wsio::socket s) -> awaitable<void> { static_cast<void>(co_await s.send(letters(10'001))); };
    auto sending = p.w.start(behind(p.socket));
    p.w.turn_for(10ms);
    BOOST_TEST(!sending.done());
    p.socket.end();  // the peer does not answer
    BOOST_TEST(p.w.until([&] { return sending.done(); }, 1s));
    BOOST_TEST(!p.socket.is_open());
    p.client.expect(fragment(0x01, "a") + server_close(1000));
}

BOOST_AUTO_TEST_CASE(closing_goes_between_fragments_and_ends_the_stream) {
    pair p;
    auto stream = p.socket.start_binary();
    BOOST_TEST(p.send(stream, "a"));
    p.socket.write("lost").end(close_code::going_away);
    BOOST_TEST(!p.send(stream, "b"));
    BOOST_TEST(!p.finish(stream));
    p.client.expect(fragment(0x02, "a") + server_close(1001));
    p.client.send(close_frame(1001)).expect_end();
    check_status(p.socket.status(), ended_by::application, close_code::going_away, true);
}

BOOST_AUTO_TEST_CASE(a_peer_that_goes_away_gives_false) {
    for (bool const politely : {false, true}) {
        pair p;
        auto stream = p.socket.start_binary();
        BOOST_TEST(p.send(stream, "a"));
        p.client.expect(fragment(0x02, "a"));
        if (politely)
            p.client.send(close_frame(1000)).expect(server_close(1000));
        else
            p.client.reset();
        BOOST_REQUIRE(p.w.until([&] { return !p.socket.is_open(); }));
        BOOST_TEST(!p.send(stream, "b"));
        BOOST_TEST(!p.finish(stream));
    }
}

BOOST_AUTO_TEST_CASE(misuse_is_refused_and_harms_nothing) {
    pair p;
    auto stream = p.socket.start_text();
    BOOST_CHECK_THROW(static_cast<void>(p.socket.start_text()), std::logic_error);
    BOOST_TEST(p.finish(stream, "fine"));
    BOOST_CHECK_THROW(static_cast<void>(stream.send("more")), std::logic_error);
    BOOST_CHECK_THROW(static_cast<void>(stream.finish()), std::logic_error);
    p.client.expect(server_frame(text_frame, "fine"));
    message_stream nothing;
    BOOST_TEST(!p.send(nothing, "x"));
    BOOST_TEST(!p.finish(nothing));
    wsio::socket none;
    auto of_nothing = none.start_text();
    BOOST_TEST(!p.send(of_nothing, "x"));
    p.socket.destroy();
    auto too_late = p.socket.start_binary();
    BOOST_TEST(!p.send(too_late, "x"));
}

BOOST_AUTO_TEST_CASE(a_stream_keeps_the_connection_and_may_be_moved) {
    pair p;
    auto stream = p.socket.start_text();
    p.socket = {};
    p.w.turn_for(10ms);
    auto moved = std::move(stream);
    BOOST_TEST(p.send(moved, "a"));
    BOOST_TEST(p.finish(moved));
    p.client.expect(fragment(0x01, "a") + fragment(0x80, ""));
    moved = {};
    p.client.expect(server_close(1000));
}

BOOST_AUTO_TEST_CASE(a_slow_reader_holds_the_stream_back_and_cancellation_tears_nothing) {
    for (auto const version : {protocol_version::hixie_76, protocol_version::hybi_13}) {
        pair p({.limits = {.outbox = 100'000}}, version);
        constexpr int pieces = 200;
        constexpr std::size_t piece_size = 50'000;
        auto const piece = [](int i) { return std::to_string(1000 + i) + letters(piece_size - 4); };
        auto sending = [&](message_stream& stream, bool& stop, int& i) -> awaitable<void> {
            for (; i < pieces && !stop; ++i) {
                auto const text = piece(i);
                auto const sent = co_await stream.send(text);
                BOOST_REQUIRE(sent);
            }
            if (i == pieces) co_await stream.finish();
        };
        auto stream = p.socket.start_text();
        bool stop = false;
        int i = 0;
        std::string got;
        int cancelled = 0;
        std::string expected;
        for (int k = 0; k < pieces; ++k)
            expected += version == protocol_version::hybi_13 ? fragment(k == 0 ? 0x01 : 0x00, piece(k)) : piece(k);
        expected = version == protocol_version::hybi_13 ? expected + fragment(0x80, "") : '\0' + expected + '\xFF';
        auto running = p.w.start(sending(stream, stop, i));
        p.w.turn_for(100ms);
        BOOST_TEST(!running.done());
        BOOST_TEST(p.socket.buffered_amount() <= 200'000U);
        while (got.size() < expected.size()) {
            if (!running.done() && cancelled < 50) {
                running.cancel();
                BOOST_REQUIRE(p.w.until([&] { return running.done(); }));
                BOOST_CHECK_THROW(running.get(), boost::system::system_error);
                ++i;  // that piece was accepted at the call
                ++cancelled;
                running = p.w.start(sending(stream, stop, i));
            }
            got += p.client.read_some();
            p.w.turn();
        }
        BOOST_TEST(cancelled > 5);
        BOOST_TEST((got == expected));
        BOOST_REQUIRE(p.w.until([&] { return running.done(); }));
        running.get();
        BOOST_TEST(stream.is_finished());
    }
}

BOOST_AUTO_TEST_CASE(fragments_are_compressed) {
    for (auto const mode : {compression_mode::shared, compression_mode::dedicated}) {
        world w;
        auto server = w.listen(compressing(mode));
        compressing_client c(w, server);
        auto socket = w.accept(server);
        auto talk = [](wsio::socket s) -> awaitable<void> {
            for (int round = 0; round < 3; ++round) {
                BOOST_REQUIRE(co_await s.send(letters(5000)));
                auto stream = s.start_text();
                BOOST_REQUIRE(co_await stream.send(letters(40'000)));
                s.write(letters(4000));  // waits, and is compressed behind the stream
                BOOST_REQUIRE(co_await stream.send(wsio::protocol::test::noise(20'000)));
                std::string const last = round == 1 ? letters(100) : "";
                BOOST_REQUIRE(co_await stream.finish(last));
                auto plain = s.start_binary({.compress = false});
                BOOST_REQUIRE(co_await plain.send(letters(1000)));
                BOOST_REQUIRE(co_await plain.finish());
            }
        };
        auto talking = w.start(talk(socket));
        for (int round = 0; round < 3; ++round) {
            BOOST_TEST((c.read() == letters(5000)));
            BOOST_TEST((c.read_fragments() ==
                        letters(40'000) + wsio::protocol::test::noise(20'000) + (round == 1 ? letters(100) : "")));
            BOOST_TEST(c.first == compressed_text);
            BOOST_TEST((c.read() == letters(4000)));
            BOOST_TEST((c.read_fragments() == letters(1000)));
            BOOST_TEST(c.first == binary_frame);
        }
        talking.get();
    }
}

BOOST_AUTO_TEST_CASE(a_stream_goes_over_tls) {
    secure_world s;
    auto server = s.w.listen({.tls = s.tls()});
    auto c = s.connect(server.port());
    auto socket = s.w.accept(server);
    auto send_all = [](wsio::socket to) -> awaitable<void> {
        auto stream = to.start_binary();
        for (int i = 0; i < 20; ++i) BOOST_REQUIRE(co_await stream.send(letters(100'000)));
        BOOST_REQUIRE(co_await stream.finish());
    };
    auto sending = s.w.start(send_all(socket));
    for (int i = 0; i < 20; ++i) c.expect(fragment(i == 0 ? 0x02 : 0x00, letters(100'000)));
    c.expect(fragment(0x80, ""));
    BOOST_REQUIRE(s.w.until([&] { return sending.done(); }));
    sending.get();
}

BOOST_AUTO_TEST_CASE(a_stream_may_outlive_the_loop) {
    message_stream stream;
    {
        world w;
        auto server = w.listen();
        auto c = connect(w, server.port());
        auto socket = w.accept(server);
        stream = socket.start_text();
    }
    BOOST_TEST(!stream.is_finished());
}

BOOST_AUTO_TEST_SUITE_END()
