#include "io/compressing_client.hpp"
#include "io/parts_tools.hpp"
#include "io/tls_client.hpp"

#include <string>
#include <string_view>

using namespace wsio::test;
using wsio::close_code;
using wsio::compression_mode;
using wsio::ended_by;

BOOST_AUTO_TEST_SUITE(io_parts)

BOOST_AUTO_TEST_CASE(a_message_comes_in_parts_in_every_version) {
    for (auto const version : wsio::all_protocol_versions) {
        parts_pair p({}, version);
        auto const text = text_of(700'000);
        auto receiving = p.w.start(gather(p.socket));
        p.client.send(client_text(version, text) + client_text(version, "small"));
        BOOST_REQUIRE(p.w.until([&] { return receiving.done(); }));
        auto const got = receiving.get();
        BOOST_TEST((got.bytes == text));
        BOOST_TEST(got.parts > 10U);
        BOOST_TEST((got.text && got.complete));
        auto const small = p.next();
        BOOST_TEST(small.bytes == "small");
        BOOST_TEST(small.parts == 1U);
    }
}

BOOST_AUTO_TEST_CASE(the_limit_of_messages_in_parts_is_exact) {
    for (auto const version : wsio::all_protocol_versions) {
        bool const hybi = wsio::is_hybi(version);
        parts_pair p({.message_size = 1000, .streamed_message_size = 200'000}, version);
        auto const most = letters(200'000);
        auto receiving = p.w.start(gather(p.socket));
        p.client.send(client_text(version, most));
        BOOST_REQUIRE(p.w.until([&] { return receiving.done(); }));
        BOOST_TEST((receiving.get().bytes == most));
        receiving = p.w.start(gather(p.socket));
        p.client.send_some(client_text(version, most + "x"));
        BOOST_REQUIRE(p.w.until([&] { return receiving.done(); }));
        BOOST_TEST(!receiving.get().complete);
        p.client.expect_last(hybi ? server_close(1009, "message is over the size limit") : "");
        check_status(p.socket.status(), ended_by::library, hybi ? close_code::message_too_big : close_code::abnormal,
                     false, "message is over the size limit");
    }
}

BOOST_AUTO_TEST_CASE(a_receive_that_is_cancelled_half_way_leaves_its_bytes_to_the_next_call) {
    for (bool const whole : {false, true}) {
        parts_pair p({.message_size = 2'000'000});
        p.client.send(frame(text_frame, "one"));
        BOOST_TEST(p.next().bytes == "one");
        auto const large = text_of(1'000'000);
        auto const bytes = frame(text_frame, large);
        auto receiving = p.w.start(p.socket.receive(10s));
        p.client.send(bytes.substr(0, 600'000));
        p.w.turn_for(20ms);
        receiving.cancel();
        BOOST_REQUIRE(p.w.until([&] { return receiving.done(); }));
        BOOST_CHECK_THROW(receiving.get(), boost::system::system_error);
        p.client.send(bytes.substr(600'000));
        if (whole)
            BOOST_TEST((p.w.receive(p.socket)->text() == large));
        else
            BOOST_TEST((p.next().bytes == large));
    }
}

BOOST_AUTO_TEST_CASE(a_slow_producer_is_heard_at_once) {
    for (auto const version : wsio::all_protocol_versions) {
        parts_pair p({}, version);
        auto const message = client_text(version, text_of(2000));
        std::string got;
        // A byte at a time at first, in the middle of the head and of characters.
        for (std::size_t at = 0; at < 60; ++at) {
            p.client.send(message.substr(at, 1));
            while (auto const part = p.w.run(p.socket.receive_part(0ms))) got += part->text();
        }
        BOOST_TEST(got.size() >= 40U);
        BOOST_TEST(p.socket.is_open());
        p.client.send(message.substr(60));
        for (bool last = false; !last;) {
            auto const part = p.part();
            got += part->text();
            last = part->is_last();
        }
        BOOST_TEST((got == text_of(2000)));
    }
}

BOOST_AUTO_TEST_CASE(a_slow_consumer_holds_its_peer_back) {
    for (auto const version : wsio::all_protocol_versions) {
        parts_pair p({.read_ahead = 100'000}, version);
        p.client.send(client_text(version, "one"));
        BOOST_TEST(p.next().bytes == "one");
        auto const large = text_of(20'000'000);
        auto const bytes = client_text(version, large);
        auto const taken = p.client.send_some(bytes, 100ms);
        BOOST_REQUIRE(taken < bytes.size());
        // Read-ahead, one block, and the part in the making.
        BOOST_TEST(p.server.statistics().bytes_received < 600'000U);
        std::string got;
        std::size_t sent = taken;
        for (bool last = false; !last;) {
            auto const part = p.part();
            BOOST_REQUIRE(part.has_value());
            got += part->text();
            last = part->is_last();
            sent += p.client.send_some(std::string_view(bytes).substr(sent), 1ms);
            BOOST_REQUIRE(p.server.statistics().bytes_received < got.size() + 600'000U);
        }
        BOOST_TEST((got == large));
    }
}

BOOST_AUTO_TEST_CASE(pings_between_fragments_are_answered_while_the_application_is_busy) {
    parts_pair p;
    p.client.send(frame(0x01, letters(100'000)));
    BOOST_TEST(p.part()->is_first());
    p.client.send(frame(ping_frame, "a")).expect(server_frame(pong_frame, "a"));
    p.client.send(frame(0x00, letters(1000)) + frame(ping_frame, "b")).expect(server_frame(pong_frame, "b"));
    p.client.send(frame(0x80, "end"));
    std::string rest;
    for (bool last = false; !last;) {
        auto const part = p.part();
        rest += part->text();
        last = part->is_last();
    }
    BOOST_TEST(rest.size() + 65'536 >= 101'003U);
    BOOST_TEST(rest.ends_with("end"));
}

BOOST_AUTO_TEST_CASE(what_ends_a_connection_inside_a_message_is_told_behind_the_parts_that_came) {
    struct {
        std::string bytes;
        ended_by who;
        close_code code;
    } const cases[] = {
        {frame(0x80, "\xFF"), ended_by::library, close_code::invalid_payload},
        {frame(text_frame, "new"), ended_by::library, close_code::protocol_error},
        {server_frame(0x80, "unmasked"), ended_by::library, close_code::protocol_error},
        {close_frame(1001), ended_by::peer, close_code::going_away},
        {"", ended_by::peer, close_code::abnormal},
    };
    for (auto const& each : cases) {
        parts_pair p;
        p.client.send(frame(0x01, text_of(100'000)));
        BOOST_TEST(p.part()->is_first());
        p.client.send(each.bytes);
        p.client.finish();
        std::size_t got = 0;
        while (auto const part = p.part()) {
            BOOST_TEST(!part->is_last());
            got += part->size();
        }
        BOOST_TEST(got <= 100'000U);
        BOOST_TEST(p.socket.status().by == each.who);
        BOOST_TEST(p.socket.status().code == each.code);
        BOOST_TEST(!p.w.receive(p.socket));
    }
}

BOOST_AUTO_TEST_CASE(a_receive_that_is_cancelled_or_times_out_at_every_part_loses_no_byte) {
    for (auto const version : wsio::all_protocol_versions) {
        parts_pair p({}, version);
        auto const text = text_of(400'000);
        auto const bytes = client_text(version, text);
        std::string got;
        bool last = false;
        std::size_t sent = 0;
        for (int i = 0; !last; ++i) {
            auto receiving = p.w.start(i % 2 == 0 ? p.socket.receive_part() : p.socket.receive_part(1ms));
            if (i % 3 == 0) p.w.turn();
            if (i % 4 == 0) receiving.cancel();
            if (sent < bytes.size()) {
                auto const piece = std::string_view(bytes).substr(sent, 7919);
                p.client.send(piece);
                sent += piece.size();
            }
            if (i % 4 == 2) receiving.cancel();
            if (!p.w.until([&] { return receiving.done(); }, 20ms)) {
                receiving.cancel();
                BOOST_REQUIRE(p.w.until([&] { return receiving.done(); }));
            }
            try {
                if (auto const part = receiving.get()) {
                    got += part->text();
                    last = part->is_last();
                }
            } catch (const boost::system::system_error& e) {
                BOOST_REQUIRE(e.code() == asio::error::operation_aborted);
            }
        }
        BOOST_TEST((got == text));
    }
}

BOOST_AUTO_TEST_CASE(compressed_messages_come_in_parts) {
    for (auto const mode : {compression_mode::shared, compression_mode::dedicated}) {
        world w;
        auto options = compressing(mode);
        options.limits.message_size = 1000;
        options.limits.read_ahead = 100'000;
        auto server = w.listen(options);
        compressing_client c(w, server);
        auto socket = w.accept(server);
        auto const bomb = std::string(6'000'000, 'x');
        auto const text = text_of(300'000);
        c.send(bomb).send(text).send("small small small small");  // a few KiB, which wait before anybody asks
        w.turn_for(20ms);
        for (auto const& sent : {bomb, text}) {
            auto const got = w.run(gather(socket));
            BOOST_TEST((got.bytes == sent));
            BOOST_TEST(got.complete);
        }
        BOOST_TEST(w.receive(socket)->text() == "small small small small");
        // Inflated as it is taken: read-ahead holds for it.
        c.send(bomb);
        w.turn_for(20ms);
        BOOST_TEST(server.statistics().messages_waiting <= 3U);
        BOOST_TEST(!w.receive(socket));  // 1009
        c.raw.expect_last(server_close(1009, "message is over the size limit"));
    }
}

BOOST_AUTO_TEST_CASE(what_comes_while_a_part_is_inflated_is_read_behind_it) {
    world w;
    auto server = w.listen(compressing(compression_mode::dedicated));
    compressing_client c(w, server);
    auto socket = w.accept(server);
    std::string const bomb(6'000'000, 'x');
    auto const payload = c.compress(bomb);
    c.raw.send(frame(0x41, payload.substr(0, payload.size() / 2)));
    w.turn_for(20ms);
    auto got = w.run(socket.receive_part())->str();
    c.raw.send(frame(0x80, payload.substr(payload.size() / 2)));
    w.turn_for(20ms);
    for (bool last = false; !last;) {
        auto const part = w.run(socket.receive_part());
        got += part->text();
        last = part->is_last();
    }
    BOOST_TEST((got == bomb));
}

BOOST_AUTO_TEST_CASE(closing_inside_a_message_in_parts_takes_the_answer_behind_it) {
    parts_pair p({.read_ahead = 50'000});
    p.client.send(frame(0x02, letters(100'000)));
    BOOST_TEST(p.part()->is_first());
    p.socket.end(close_code::normal);
    p.client.expect(server_close(1000));
    p.client.send(frame(0x80, letters(500'000)) + close_frame(1000));
    p.client.expect_end();
    check_status(p.socket.status(), ended_by::application, close_code::normal, true);
}

BOOST_AUTO_TEST_CASE(a_handle_to_nothing_gives_no_part) {
    world w;
    wsio::socket nothing;
    BOOST_TEST(!w.run(nothing.receive_part()));
    BOOST_TEST(!w.run(nothing.receive_part(1ms)));
    auto server = w.listen();
    auto c = connect(w, server.port());
    auto socket = w.accept(server);
    socket.destroy();
    w.turn_for(5ms);
    BOOST_TEST(!w.run(socket.receive_part()));
    BOOST_CHECK_THROW(w.listen({.limits = {.streamed_message_size = 0}}), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(parts_come_over_tls) {
    secure_world s;
    auto server = s.w.listen({.tls = s.tls(), .limits = {.message_size = 1000}});
    auto c = s.connect(server.port());
    auto socket = s.w.accept(server);
    auto const text = text_of(1'000'000);
    auto receiving = s.w.start(gather(socket));
    c.send(frame(text_frame, text));
    BOOST_REQUIRE(s.w.until([&] { return receiving.done(); }));
    BOOST_TEST((receiving.get().bytes == text));
}

BOOST_AUTO_TEST_SUITE_END()
