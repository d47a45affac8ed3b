#include "io/client_tools.hpp"
#include "io/tls_tools.hpp"

#include "protocol/utf8.hpp"

#include <set>
#include <string>
#include <utility>

// Messages in parts and in pieces at the client's end: what it sends in pieces is masked, what comes in parts is not.

using namespace wsio::test;
using wsio::close_code;
using wsio::compression_mode;
using wsio::ended_by;
using wsio::message_stream;
using wsio::protocol_version;

namespace {

constexpr unsigned continuation = 0x00;
constexpr unsigned last_continuation = 0x80;

/// One message as its parts make it.
struct gathered {
    std::string bytes;
    std::size_t parts = 0;
    bool complete = false;
};

awaitable<gathered> gather(wsio::socket socket) {
    gathered all;
    while (auto const part = co_await socket.receive_part()) {
        BOOST_REQUIRE(part->is_first() == (all.parts == 0));
        if (part->is_text()) BOOST_REQUIRE(wsio::protocol::valid_utf8(part->text()));
        all.bytes += part->text();
        ++all.parts;
        all.complete = part->is_last();
        if (all.complete) break;
    }
    co_return all;
}

constexpr std::size_t piece_size = 30'000;

awaitable<void> send_in_pieces(wsio::socket socket, std::string text) {
    auto stream = socket.start_text();
    for (std::string_view left = text; !left.empty(); left.remove_prefix(std::min(left.size(), piece_size)))
        BOOST_REQUIRE(co_await stream.send(left.substr(0, piece_size)));
    BOOST_REQUIRE(co_await stream.finish());
}

std::string text_of(std::size_t size) {
    std::string text;
    while (text.size() < size) text += text.size() % 7 == 0 ? "\xE2\x82\xAC" : "abc";
    return text;
}

bool send(world& w, message_stream& stream, std::string_view piece) {
    auto const sending = w.start(stream.send(piece));
    BOOST_REQUIRE(w.until([&] { return sending.done(); }));
    return static_cast<bool>(sending.get());
}

bool finish(world& w, message_stream& stream, std::string_view piece = {}) {
    auto const sending = w.start(stream.finish(piece));
    BOOST_REQUIRE(w.until([&] { return sending.done(); }));
    return static_cast<bool>(sending.get());
}

/// Checks the next frame that the client sent.
std::uint32_t expect_masked(watched& t, unsigned first, std::string_view payload) {
    auto const got = read_masked(t.peer);
    BOOST_TEST(got.first == first);
    BOOST_TEST((got.payload == payload));
    return got.key;
}

/// Sends a text from one end in pieces, and takes it in parts at the other.
void pass(world& w, const wsio::socket& from, const wsio::socket& to, const std::string& text) {
    auto const sending = w.start(send_in_pieces(from, text));
    auto const receiving = w.start(gather(to));
    BOOST_REQUIRE(w.until([&] { return receiving.done() && sending.done(); }));
    sending.get();
    auto const got = receiving.get();
    BOOST_TEST((got.bytes == text));
    BOOST_TEST(got.complete);
    BOOST_TEST(got.parts > 1U);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(io_client_parts)

BOOST_AUTO_TEST_CASE(messages_go_both_ways_in_pieces_and_parts_in_every_version) {
    for (auto const version : wsio::all_protocol_versions) {
        world w;
        both_ends ends(w, {.limits = {.message_size = 1000}},
                       {.protocols = {version}, .limits = {.message_size = 1000}});
        auto const text = text_of(500'000);
        for (int twice = 0; twice < 2; ++twice) {
            pass(w, ends.client, ends.server, text);
            pass(w, ends.server, ends.client, text);
        }
        ends.client.write("whole");
        BOOST_TEST(w.receive(ends.server)->text() == "whole");
        ends.server.write("whole");
        BOOST_TEST(w.receive(ends.client)->text() == "whole");
    }
}

BOOST_AUTO_TEST_CASE(compressed_messages_go_both_ways_in_pieces_and_parts) {
    for (auto const mode : {compression_mode::shared, compression_mode::dedicated}) {
        world w;
        both_ends ends(w, {.compression = {.mode = mode, .threshold = 0}},
                       {.compression = {.mode = mode, .threshold = 0}});
        BOOST_TEST_REQUIRE(ends.client.is_compressed());
        auto const text = text_of(500'000);
        for (int twice = 0; twice < 2; ++twice) {
            pass(w, ends.client, ends.server, text);
            pass(w, ends.server, ends.client, text);
            ends.client.write(text_of(5000));
            BOOST_TEST((w.receive(ends.server)->text() == text_of(5000)));
            ends.server.write(text_of(5000));
            BOOST_TEST((w.receive(ends.client)->text() == text_of(5000)));
        }
        BOOST_TEST(ends.listening.statistics().bytes_received < 100'000U);
    }
}

BOOST_AUTO_TEST_CASE(messages_go_both_ways_in_pieces_and_parts_over_tls) {
    temporary_folder const folder;
    authority const ca;
    auto const files = ca.issue("localhost", "IP:127.0.0.1").save(folder, "server");
    world w;
    auto server = w.listen({.tls = wsio::tls({.certificate = files.certificate, .key = files.key})});
    auto client = connect_to(w, "wss://127.0.0.1:" + std::to_string(server.port()),
                             {.tls = wsio::client_tls({.ca = folder.write("ca.pem", ca.own().certificate_pem())})});
    auto const peer = w.accept(server);
    auto const text = text_of(2'000'000);
    pass(w, client, peer, text);
    pass(w, peer, client, text);
}

BOOST_AUTO_TEST_CASE(pieces_are_masked_each_with_a_key_of_its_own) {
    watched t;
    std::set<std::uint32_t> keys;
    auto text = t.socket.start_text();
    BOOST_TEST(send(t.w, text, "one"));
    keys.insert(expect_masked(t, 0x01, "one"));
    auto const large = letters(70'000);
    BOOST_TEST(send(t.w, text, large));
    keys.insert(expect_masked(t, continuation, large));
    BOOST_TEST(finish(t.w, text, "end"));
    keys.insert(expect_masked(t, last_continuation, "end"));
    BOOST_TEST(keys.size() == 3U);
    auto whole = t.socket.start_binary();
    BOOST_TEST(finish(t.w, whole, "all of it"));
    expect_masked(t, binary_frame, "all of it");
}

BOOST_AUTO_TEST_CASE(other_messages_wait_in_order_and_pings_and_pongs_do_not) {
    watched t;
    auto stream = t.socket.start_text();
    BOOST_TEST(send(t.w, stream, "a"));
    expect_masked(t, 0x01, "a");
    t.socket.write("first").ping("now");
    auto const second = letters(20'000);
    auto const sending = t.w.start(t.socket.send(second));
    expect_masked(t, ping_frame, "now");
    t.peer.send(server_frame(ping_frame, "me"));
    expect_masked(t, pong_frame, "me");
    BOOST_TEST(finish(t.w, stream, "b"));
    expect_masked(t, last_continuation, "b");
    expect_masked(t, text_frame, "first");
    expect_masked(t, text_frame, second);
    BOOST_REQUIRE(t.w.until([&] { return sending.done(); }));
    BOOST_TEST(sending.get());
}

BOOST_AUTO_TEST_CASE(closing_goes_between_fragments_and_is_masked) {
    watched t;
    auto stream = t.socket.start_text();
    BOOST_TEST(send(t.w, stream, "begun"));
    expect_masked(t, 0x01, "begun");
    t.socket.end(close_code::going_away, "enough");
    expect_masked(t, close_opcode, number(1001, 2) + "enough");
    BOOST_TEST(!send(t.w, stream, "more"));
    t.peer.send(server_close(1001)).finish();
    BOOST_TEST(!t.w.receive(t.socket));
    check_status(t.socket.status(), ended_by::application, close_code::going_away, true, "enough");
}

BOOST_AUTO_TEST_CASE(unfinished_message_closes_with_1011) {
    watched t;
    {
        auto stream = t.socket.start_text();
        BOOST_TEST(send(t.w, stream, "begun"));
    }
    expect_masked(t, 0x01, "begun");
    expect_masked(t, close_opcode, number(1011, 2) + "a message was left unfinished");
}

BOOST_AUTO_TEST_CASE(on_hixie_an_unfinished_text_is_never_closed_as_if_it_were_whole) {
    for (auto const version : {protocol_version::hixie_75, protocol_version::hixie_76}) {
        world w;
        both_ends ends(w, {}, {.protocols = {version}});
        {
            auto stream = ends.client.start_text();
            BOOST_TEST(send(w, stream, "begun"));
        }
        BOOST_TEST(!w.receive(ends.server));
        BOOST_TEST(!w.receive(ends.client));
        BOOST_TEST(!ends.client.status().clean);
        BOOST_TEST(ends.listening.statistics().messages_received == 0U);
    }
}

BOOST_AUTO_TEST_CASE(slow_server_holds_pieces_back_and_cancellation_tears_nothing) {
    watched t({.limits = {.outbox = 100'000}});
    constexpr int pieces = 600;
    auto const text_at = [](int i) { return std::to_string(1000 + i) + letters(50'001); };
    auto stream = t.socket.start_text();
    int cancelled = 0;
    int waited = 0;
    int read = 0;
    auto const read_one = [&] {
        auto const got = read_masked(t.peer);
        BOOST_TEST_REQUIRE(got.first == (read == 0 ? 0x01U : continuation));
        BOOST_REQUIRE(got.payload == text_at(read));
        ++read;
    };
    for (int i = 0; i < pieces; ++i) {
        auto piece = std::make_unique<std::string>(text_at(i));
        auto const sending = t.w.start(stream.send(*piece));
        t.w.turn();
        if (sending.done()) continue;
        ++waited;
        if (waited % 2 == 0) {  // the piece goes out whole all the same, from memory that the caller has given back
            sending.cancel();
            ++cancelled;
            BOOST_REQUIRE(t.w.until([&] { return sending.done(); }));
            std::fill(piece->begin(), piece->end(), '!');
        }
        while (!sending.done()) read_one();
    }
    BOOST_TEST(waited > 3);
    BOOST_TEST(cancelled > 1);
    auto const finishing = t.w.start(stream.finish());
    while (read < pieces) read_one();
    expect_masked(t, last_continuation, "");
    BOOST_REQUIRE(t.w.until([&] { return finishing.done(); }));
    BOOST_TEST(finishing.get());
}

BOOST_AUTO_TEST_CASE(written_messages_behind_a_stream_are_dropped_whole) {
    watched t({.limits = {.outbox = 1000}, .when_full = wsio::when_full::keep_newest});
    auto stream = t.socket.start_text();
    BOOST_TEST(send(t.w, stream, "a"));
    for (int i = 0; i < 20; ++i) t.socket.write(std::to_string(10 + i) + letters(2000));
    BOOST_TEST(finish(t.w, stream, "b"));
    expect_masked(t, 0x01, "a");
    expect_masked(t, last_continuation, "b");
    expect_masked(t, text_frame, "29" + letters(2000));
}

BOOST_AUTO_TEST_CASE(message_over_the_limit_waits_until_somebody_asks_and_receive_refuses_it) {
    watched t({.limits = {.message_size = 1000}});
    auto const text = text_of(200'000);
    t.peer.send(server_frame(text_frame, "before"));
    t.peer.send_some(server_frame(text_frame, text), 50ms);
    t.w.turn_for(30ms);
    BOOST_TEST(t.socket.is_open());
    BOOST_TEST(t.w.receive(t.socket)->text() == "before");
    auto const got = t.w.run(gather(t.socket));
    BOOST_TEST((got.bytes == text));
    t.peer.send(server_frame(0x01, letters(600)) + server_frame(last_continuation, letters(600)));
    BOOST_TEST(!t.w.receive(t.socket));
    expect_masked(t, close_opcode, number(1009, 2) + "message is over the size limit");
}

BOOST_AUTO_TEST_CASE(masked_fragment_fails_with_1002_behind_the_parts_that_came) {
    watched t;
    t.peer.send(server_frame(0x01, "begun"));
    auto const first = t.w.run(t.socket.receive_part());
    BOOST_TEST(first->text() == "begun");
    BOOST_TEST(!first->is_last());
    t.peer.send(frame(last_continuation, "masked"));
    BOOST_TEST(!t.w.run(t.socket.receive_part()));
    expect_masked(t, close_opcode, number(1002, 2) + "frame from a server is masked (RFC 6455 5.1)");
}

BOOST_AUTO_TEST_CASE(slow_server_is_alive_until_it_stops) {
    watched t({.timeouts = {.ping = 100ms, .pong = 150ms}});
    auto const payload = letters(std::size_t{64} << 20);
    auto const begin = std::chrono::steady_clock::now();
    auto const sending = t.w.start(t.socket.send(payload));
    std::size_t got = 0;
    while (std::chrono::steady_clock::now() - begin < 800ms) {
        got += t.peer.read_some().size();
        t.w.turn_for(20ms);
    }
    BOOST_TEST(t.socket.is_open());
    BOOST_TEST(got < payload.size());
    BOOST_REQUIRE(t.w.until([&] { return t.socket.ready_state() == wsio::ready_state::closed; }));
    check_status(t.socket.status(), ended_by::network, close_code::abnormal, false);
    BOOST_TEST(contains(t.socket.status().cause, "timeouts.pong"));
    BOOST_REQUIRE(t.w.until([&] { return sending.done(); }));
    BOOST_TEST(!sending.get());
}

BOOST_AUTO_TEST_CASE(stream_may_outlive_the_loop) {
    std::optional<message_stream> stream;
    {
        watched t;
        stream = t.socket.start_text();
        BOOST_TEST(send(t.w, *stream, letters(70'000)));
    }
    BOOST_TEST(!stream->is_finished());
}

BOOST_AUTO_TEST_SUITE_END()
