#include "io/client_tools.hpp"

#include "protocol/mask.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/strand.hpp>

#include <set>
#include <stdexcept>
#include <vector>

using namespace wsio::test;
using namespace boost::asio::experimental::awaitable_operators;
using wsio::close_code;
using wsio::ended_by;
using wsio::protocol_version;
using wsio::ready_state;

namespace {

constexpr std::size_t mebibyte = 1024 * 1024;

}  // namespace

BOOST_AUTO_TEST_SUITE(io_client)

BOOST_AUTO_TEST_CASE(messages_go_both_ways_as_the_kind_they_are) {
    world w;
    both_ends ends(w);
    for (auto const size : {0U, 1U, 125U, 126U, 65'535U, 65'536U, 1'000'000U}) {
        auto const payload = letters(size);
        for (auto* const from : {&ends.client, &ends.server}) {
            auto& to = from == &ends.client ? ends.server : ends.client;
            auto const text = w.start(from->send(payload));
            auto got = w.receive(to);
            BOOST_REQUIRE(got);
            BOOST_TEST(got->is_text());
            BOOST_TEST((got->text() == payload));
            auto const binary = w.start(from->send(wsio::bytes(payload)));
            got = w.receive(to);
            BOOST_REQUIRE(got);
            BOOST_TEST(got->is_binary());
            BOOST_TEST((got->text() == payload));
            BOOST_REQUIRE(w.until([&] { return text.done() && binary.done(); }));
            BOOST_TEST((text.get() && binary.get()));
        }
    }
}

BOOST_AUTO_TEST_CASE(socket_knows_the_request_and_both_addresses) {
    world w;
    wsio::client_options const options{
        .subprotocols = {"chat"}, .origin = "http://127.0.0.1", .fields = {{"X-Who", "me"}}};
    both_ends ends(w, {.subprotocols = {"chat"}}, options, "/a/b?c=d");
    BOOST_TEST(ends.client.request().target() == "/a/b?c=d");
    BOOST_TEST(ends.client.request().header("X-Who") == "me");
    BOOST_TEST(ends.server.request().target() == "/a/b?c=d");
    BOOST_TEST(ends.server.request().header("X-Who") == "me");
    BOOST_TEST(ends.server.request().header("Origin") == "http://127.0.0.1");
    BOOST_TEST(ends.client.subprotocol() == "chat");
    BOOST_TEST(ends.client.remote_endpoint() == ends.listening.local_endpoint());
    BOOST_TEST(ends.client.local_endpoint() == ends.server.remote_endpoint());
    BOOST_TEST(ends.client.protocol_version() == protocol_version::hybi_13);
    BOOST_TEST(ends.client.ready_state() == ready_state::open);
}

BOOST_AUTO_TEST_CASE(frames_are_masked_and_no_key_comes_twice) {
    watched t;
    std::set<std::uint32_t> keys;
    constexpr std::size_t count = 3000;  // more than a batch of keys
    for (std::size_t i = 0; i < count; ++i) {
        t.socket.write("message " + std::to_string(i));
        auto const got = read_masked(t.peer);
        BOOST_TEST_REQUIRE(got.first == text_frame);
        BOOST_TEST_REQUIRE(got.payload == "message " + std::to_string(i));
        keys.insert(got.key);
    }
    // Of 3000 keys two are equal once in a thousand runs; three of them never.
    BOOST_TEST(keys.size() >= count - 1);
}

BOOST_AUTO_TEST_CASE(pings_are_answered_with_masked_pongs) {
    watched t;
    t.peer.send(server_frame(ping_frame, "are you there?"));
    auto const got = read_masked(t.peer);
    BOOST_TEST(got.first == pong_frame);
    BOOST_TEST(got.payload == "are you there?");
    t.socket.ping("and you?");
    BOOST_TEST(read_masked(t.peer).payload == "and you?");
}

BOOST_AUTO_TEST_CASE(silent_server_is_pinged_and_dropped) {
    watched t({.timeouts = {.ping = 200ms, .pong = 300ms}});
    auto const ping = read_masked(t.peer);
    BOOST_TEST(ping.first == ping_frame);
    t.peer.send(server_frame(pong_frame, ping.payload));
    BOOST_TEST(read_masked(t.peer).first == ping_frame);  // it is asked again, and says nothing
    BOOST_TEST(!t.w.receive(t.socket));
    check_status(t.socket.status(), ended_by::network, close_code::abnormal, false);
}

BOOST_AUTO_TEST_CASE(connection_that_nobody_uses_is_closed_with_1001) {
    watched t({.timeouts = {.ping = 0ms, .idle = 200ms}});
    auto const close = read_masked(t.peer);
    BOOST_TEST(close.first == close_opcode);
    BOOST_TEST(close.payload.substr(0, 2) == number(1001, 2));
}

BOOST_AUTO_TEST_CASE(frames_that_come_with_the_answer_are_received) {
    world w;
    raw_server server(w);
    auto const connecting = w.start(wsio::connect(server.url()));
    auto peer = server.accept();
    peer.send(answer_to(peer.read_to("\r\n\r\n")) + server_frame(text_frame, "early") +
              server_frame(text_frame, "bird"));
    BOOST_REQUIRE(w.until([&] { return connecting.done(); }));
    auto socket = connecting.get();
    BOOST_TEST(w.receive(socket)->text() == "early");
    BOOST_TEST(w.receive(socket)->text() == "bird");
}

BOOST_AUTO_TEST_CASE(masked_frame_from_a_server_fails_with_1002) {
    watched t;
    t.peer.send(frame(text_frame, "masked"));
    BOOST_TEST(!t.w.receive(t.socket));
    auto const close = read_masked(t.peer);
    BOOST_TEST(close.first == close_opcode);
    BOOST_TEST(close.payload.substr(0, 2) == number(1002, 2));
    check_status(t.socket.status(), ended_by::library, close_code::protocol_error, false,
                 "frame from a server is masked (RFC 6455 5.1)");
}

BOOST_AUTO_TEST_CASE(closing_waits_for_the_server_to_end_the_tcp_connection) {
    watched t;
    auto const closing = t.w.start(t.socket.close(close_code{4001}, "enough"));
    auto const close = read_masked(t.peer);
    BOOST_TEST(close.first == close_opcode);
    BOOST_TEST(close.payload == number(4001, 2) + "enough");
    t.peer.send(server_close(4001));
    BOOST_TEST(t.peer.read_for(200ms) == "");
    BOOST_TEST(!closing.done());  // RFC 6455 7.1.1: the server ends it first
    t.peer.finish();
    BOOST_REQUIRE(t.w.until([&] { return closing.done(); }));
    check_status(t.socket.status(), ended_by::application, close_code{4001}, true, "enough");
}

BOOST_AUTO_TEST_CASE(server_that_does_not_end_the_tcp_connection_is_dropped_in_time) {
    watched t({.timeouts = {.close = 200ms}});
    t.peer.send(server_close(1001, "bye"));
    BOOST_TEST(!t.w.receive(t.socket));
    BOOST_TEST(read_masked(t.peer).payload == number(1001, 2));
    BOOST_TEST(t.socket.ready_state() == ready_state::closing);
    BOOST_REQUIRE(t.w.until([&] { return t.socket.ready_state() == ready_state::closed; }));
    check_status(t.socket.status(), ended_by::peer, close_code::going_away, true, "bye");
}

BOOST_AUTO_TEST_CASE(closing_is_clean_at_both_ends) {
    world w;
    both_ends ends(w);
    auto const closing = w.start(ends.client.close(close_code::normal, "done"));
    BOOST_TEST(!w.receive(ends.server));
    BOOST_REQUIRE(w.until([&] { return closing.done() && ends.server.ready_state() == ready_state::closed; }));
    check_status(ends.client.status(), ended_by::application, close_code::normal, true, "done");
    check_status(ends.server.status(), ended_by::peer, close_code::normal, true, "done");
}

BOOST_AUTO_TEST_CASE(last_handle_that_goes_away_closes_with_1000) {
    world w;
    both_ends ends(w);
    ends.client = wsio::socket();
    BOOST_TEST(!w.receive(ends.server));
    check_status(ends.server.status(), ended_by::peer, close_code::normal, true);
}

BOOST_AUTO_TEST_CASE(message_over_the_limit_fails_with_1009) {
    world w;
    both_ends ends(w, {}, {.limits = {.message_size = 1000}});
    ends.server.write(letters(1001));
    BOOST_TEST(!w.receive(ends.client));
    BOOST_TEST(ends.client.status().code == close_code::message_too_big);
    BOOST_TEST(!w.receive(ends.server));
    BOOST_TEST(ends.server.status().code == close_code::message_too_big);
}

BOOST_AUTO_TEST_CASE(large_message_leaves_in_order_and_waits_for_room) {
    watched t({.limits = {.outbox = 100'000}});
    auto const big = letters(8 * mebibyte);
    auto const first = t.w.start(t.socket.send("first"));
    auto const second = t.w.start(t.socket.send(big));
    auto const third = t.w.start(t.socket.send("third"));
    t.w.turn_for(100ms);
    BOOST_TEST(first.done());
    BOOST_TEST(!second.done());  // the peer has not read
    // What is masked ahead of the network is bounded: the payload itself stays where the caller has it.
    BOOST_TEST(t.socket.buffered_amount() >= 1 * mebibyte);
    BOOST_TEST(read_masked(t.peer).payload == "first");
    BOOST_TEST((read_masked(t.peer).payload == big));
    BOOST_TEST(read_masked(t.peer).payload == "third");
    BOOST_REQUIRE(t.w.until([&] { return second.done() && third.done(); }));
    BOOST_TEST((second.get() && third.get()));
}

BOOST_AUTO_TEST_CASE(cancelled_send_goes_out_whole_whatever_becomes_of_its_memory) {
    watched t;
    auto big = std::make_unique<std::string>(letters(8 * mebibyte));
    auto const expected = *big;
    auto const sending = t.w.start(t.socket.send(*big));
    t.w.turn_for(50ms);
    BOOST_TEST_REQUIRE(!sending.done());
    auto got = t.peer.read(1 * mebibyte + 7);  // somewhere in the middle, at no border of a key
    t.w.turn_for(20ms);
    sending.cancel();
    BOOST_REQUIRE(t.w.until([&] { return sending.done(); }));
    BOOST_CHECK_EXCEPTION(sending.get(), boost::system::system_error,
                          [](auto& e) { return e.code() == asio::error::operation_aborted; });
    std::fill(big->begin(), big->end(), '!');
    big.reset();
    t.socket.write("next");
    got += t.peer.read(expected.size() + 14 - got.size());
    std::uint32_t key = 0;
    std::memcpy(&key, got.data() + 10, 4);
    wsio::protocol::unmask(got.data() + 14, got.data() + 14, expected.size(), key, 0);
    BOOST_TEST((got.substr(14) == expected));
    BOOST_TEST(read_masked(t.peer).payload == "next");
}

BOOST_AUTO_TEST_CASE(echoed_large_message_is_not_sent_from_a_block_that_is_used_again) {
    watched t;
    auto const payload = letters(100'000);
    auto echo = [](wsio::socket socket) -> awaitable<void> {
        while (auto message = co_await socket.receive()) co_await socket.send(*message);
    };
    auto const echoing = t.w.start(echo(t.socket));
    for (int i = 0; i < 3; ++i) {
        t.peer.send(server_frame(binary_frame, payload));
        auto const got = read_masked(t.peer);
        BOOST_TEST(got.first == binary_frame);
        BOOST_TEST((got.payload == payload));
    }
    t.peer.send(server_close(1000)).finish();
    BOOST_REQUIRE(t.w.until([&] { return echoing.done(); }));
}

BOOST_AUTO_TEST_CASE(receive_may_be_cancelled_and_goes_on) {
    watched t;
    auto const receiving = t.w.start(t.socket.receive());
    t.w.turn_for(10ms);
    receiving.cancel();
    BOOST_REQUIRE(t.w.until([&] { return receiving.done(); }));
    BOOST_CHECK_THROW(receiving.get(), boost::system::system_error);
    t.peer.send(server_frame(text_frame, "later"));
    BOOST_TEST(t.w.receive(t.socket)->text() == "later");
}

BOOST_AUTO_TEST_CASE(client_that_does_not_receive_holds_its_server_back) {
    world w;
    both_ends ends(w, {.limits = {.outbox = 1000}}, {.limits = {.read_ahead = 1000}});
    auto flood = [](wsio::socket socket, int& sent) -> awaitable<void> {
        auto const text = letters(10'000);
        for (; sent < 2'000; ++sent)
            if (!co_await socket.send(text)) break;
    };
    int sent = 0;
    auto const flooding = w.start(flood(ends.server, sent));
    w.turn_for(300ms);
    BOOST_TEST(sent < 2'000);
    int received = 0;
    auto drain = [](wsio::socket socket, int& count) -> awaitable<void> {
        for (; count < 2'000; ++count)
            if (!co_await socket.receive()) break;
    };
    auto const draining = w.start(drain(ends.client, received));
    BOOST_REQUIRE(w.until([&] { return draining.done() && flooding.done(); }));
    BOOST_TEST(received == 2'000);
}

BOOST_AUTO_TEST_CASE(written_messages_over_four_outboxes_close_with_1013) {
    watched t({.limits = {.outbox = 64 * 1024}});
    auto const text = letters(100'000);
    for (int i = 0; i < 200 && t.socket.is_open(); ++i) t.socket.write(text);
    BOOST_TEST(t.socket.status().code == close_code::try_again_later);
}

BOOST_AUTO_TEST_CASE(oldest_written_messages_are_dropped_whole) {
    watched t({.limits = {.outbox = 64 * 1024}, .when_full = wsio::when_full::drop_oldest});
    for (int i = 0; i < 2000; ++i) t.socket.write(std::to_string(i) + ' ' + letters(10'000));
    t.socket.end();
    std::size_t count = 0;
    std::string last;
    for (;; ++count) {
        auto const got = read_masked(t.peer);
        if (got.first == close_opcode) break;
        BOOST_TEST_REQUIRE(got.first == text_frame);
        BOOST_TEST_REQUIRE((got.payload.substr(got.payload.find(' ') + 1) == letters(10'000)));
        last = got.payload.substr(0, got.payload.find(' '));
    }
    BOOST_TEST(count < 2000U);
    BOOST_TEST(last == "1999");
}

BOOST_AUTO_TEST_CASE(callbacks_serve_a_client_as_well) {
    world w;
    both_ends ends(w);
    std::vector<std::string> got;
    std::optional<wsio::status> end;
    ends.client.on_message([&](const wsio::message& m) { got.push_back(m.str()); }).on_close([&](auto& s) { end = s; });
    ends.server.write("one").write("two").end(close_code::normal, "bye");
    BOOST_REQUIRE(w.until([&] { return end.has_value(); }));
    BOOST_TEST(got == (std::vector<std::string>{"one", "two"}), boost::test_tools::per_element());
    check_status(*end, ended_by::peer, close_code::normal, true, "bye");
}

BOOST_AUTO_TEST_CASE(exception_in_a_callback_is_reported_and_closes_with_1011) {
    world w;
    std::string reported;
    wsio::client_options options;
    options.on_exception = [&](std::exception_ptr e, const wsio::request& r) {
        try {
            std::rethrow_exception(e);
        } catch (const std::exception& what) {
            reported = std::string(r.target()) + ": " + what.what();
        }
    };
    both_ends ends(w, {}, options, "/here");
    ends.client.on_message([](const wsio::message&) { throw std::runtime_error("oh"); });
    ends.server.write("one");
    BOOST_TEST(!w.receive(ends.server));
    BOOST_TEST(ends.server.status().code == close_code::internal_error);
    BOOST_TEST(reported == "/here: oh");
}

BOOST_AUTO_TEST_CASE(headers_of_the_answer_are_shown) {
    world w;
    auto server = w.listen();
    server.on_headers([](const wsio::request&, wsio::headers& fields) { fields.add("Set-Cookie", "a=b"); });
    std::string cookie;
    wsio::client_options options;
    options.on_headers = [&](const wsio::headers& fields) { cookie = fields["Set-Cookie"]; };
    auto const socket = connect_to(w, url_of(server), options);
    BOOST_TEST(cookie == "a=b");
}

BOOST_AUTO_TEST_CASE(monitor_counts_what_a_client_does) {
    world w;
    auto const monitor = std::make_shared<wsio::monitor>();
    {
        both_ends ends(w, {}, {.monitor = monitor});
        ends.client.write("four");
        BOOST_TEST(w.receive(ends.server)->text() == "four");
        ends.server.write("fiver");
        BOOST_TEST(w.receive(ends.client)->text() == "fiver");
        auto const now = monitor->statistics();
        BOOST_TEST(now.connections(protocol_version::hybi_13).open == 1U);
        BOOST_TEST(now.messages_sent == 1U);
        BOOST_TEST(now.messages_received == 1U);
        BOOST_TEST(now.bytes_sent == 10U);
        BOOST_TEST(now.bytes_received == 7U);
        auto const closing = w.start(ends.client.close());
        BOOST_REQUIRE(w.until([&] { return closing.done(); }));
    }
    w.turn_for(20ms);
    auto const after = monitor->statistics();
    BOOST_TEST(after.connections().open == 0U);
    BOOST_TEST(after.connections().total == 1U);
    BOOST_TEST((after.endings == std::map<std::pair<ended_by, close_code>, std::uint64_t>{
                                     {{ended_by::application, close_code::normal}, 1}}));
}

BOOST_AUTO_TEST_CASE(log_has_a_line_for_the_beginning_and_the_end) {
    world w;
    std::vector<std::string> lines;
    {
        wsio::client_options options;
        options.log = [&](wsio::log_level, std::string_view line) { lines.emplace_back(line); };
        both_ends ends(w, {}, options, "/room");
        auto const closing = w.start(ends.client.close());
        BOOST_REQUIRE(w.until([&] { return closing.done(); }));
    }
    BOOST_TEST_REQUIRE(lines.size() == 2U);
    BOOST_TEST(contains(lines[0], "connected to 127.0.0.1:"));
    BOOST_TEST(contains(lines[0], "/room, hybi-13"));
    BOOST_TEST(contains(lines[1], "closed: 1000 normal"));
}

BOOST_AUTO_TEST_CASE(client_lives_on_a_strand_without_a_server) {
    world w;
    auto server = w.echo();
    auto strand = asio::make_strand(w.context);
    std::string got;
    auto talk = [](std::string url, std::string& answer) -> awaitable<void> {
        auto socket = co_await wsio::connect(url);
        co_await socket.send("over a strand");
        auto message = co_await socket.receive();
        answer = message.value().str();
    };
    bool done = false;
    asio::co_spawn(strand, talk(url_of(server), got), [&](std::exception_ptr e) {
        done = true;
        BOOST_TEST(!e);
    });
    BOOST_REQUIRE(w.until([&] { return done; }));
    BOOST_TEST(got == "over a strand");
}

BOOST_AUTO_TEST_CASE(io_context_that_goes_away_ends_the_connection) {
    std::optional<wsio::socket> socket;
    {
        world w;
        auto server = w.listen();
        socket = connect_to(w, url_of(server));
        BOOST_TEST(socket->is_open());
        auto const big = letters(8 * mebibyte);
        auto const sending = w.start(socket->send(big));
        w.turn_for(20ms);
    }
    check_status(socket->status(), ended_by::application, close_code::abnormal, false);
    BOOST_TEST(!socket->is_open());
}

BOOST_AUTO_TEST_CASE(server_that_stops_does_not_touch_clients_of_the_same_loop) {
    world w;
    both_ends ends(w);
    auto other = w.listen();
    other.stop();
    auto http = w.start(wsio::try_connect(url_of(other)));
    w.turn_for(20ms);
    BOOST_TEST(ends.client.is_open());
    ends.client.write("still here");
    BOOST_TEST(w.receive(ends.server)->text() == "still here");
}

BOOST_AUTO_TEST_CASE(options_that_make_no_sense_are_refused) {
    world w;
    auto const refused = [&](const wsio::client_options& options, std::string_view part) {
        BOOST_CHECK_EXCEPTION(w.run(wsio::connect("ws://127.0.0.1:1/", options)), std::invalid_argument,
                              [&](auto& e) { return contains(e.what(), part); });
    };
    refused({.protocols = {}}, "client_options.protocols");
    refused({.subprotocols = {"a b"}}, "client_options.subprotocols: \"a b\"");
    refused({.subprotocols = {"a", "b", "a"}}, "client_options.subprotocols: \"a\" stands there more than once");
    refused({.origin = "a\r\nb"}, "client_options.origin");
    refused({.fields = {{"Sec-WebSocket-Key", "x"}}}, "Sec-WebSocket-Key belongs");
    refused({.fields = {{"upgrade", "x"}}}, "upgrade belongs");
    refused({.fields = {{"Host", "a"}, {"host", "b"}}}, "more than one Host");
    refused({.connect_timeout = 0ms}, "client_options.connect_timeout");
    refused({.next_address_after = 0ms}, "client_options.next_address_after");
    refused({.limits = {.message_size = 0}}, "limits.message_size");
}

BOOST_AUTO_TEST_SUITE_END()
