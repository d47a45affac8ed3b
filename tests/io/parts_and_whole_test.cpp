#include "io/parts_tools.hpp"

#include <stdexcept>
#include <string>
#include <vector>

using namespace wsio::test;
using wsio::close_code;
using wsio::ended_by;

BOOST_AUTO_TEST_SUITE(io_parts_and_whole)

BOOST_AUTO_TEST_CASE(a_message_over_the_limit_of_whole_ones_waits_until_somebody_asks) {
    for (auto const version : wsio::all_protocol_versions) {
        parts_pair p({.message_size = 1000}, version);
        p.socket.on_close([](const wsio::status&) {});  // that takes no messages
        auto const text = text_of(300'000);
        p.client.send(client_text(version, "before") + client_text(version, text.substr(0, 1000)));
        p.client.send_some(client_text(version, text), 50ms);
        p.w.turn_for(30ms);
        BOOST_TEST(p.socket.is_open());
        BOOST_TEST(p.w.receive(p.socket)->text() == "before");
        BOOST_TEST((p.next().bytes == text.substr(0, 1000)));
        auto const got = p.next();
        BOOST_TEST((got.bytes == text));
        BOOST_TEST(got.complete);
    }
}

BOOST_AUTO_TEST_CASE(receive_refuses_such_a_message_with_1009) {
    for (auto const version : wsio::all_protocol_versions) {
        bool const hybi = wsio::is_hybi(version);
        for (bool const asked_before : {false, true}) {
            parts_pair p({.message_size = 1000}, version);
            if (asked_before) {
                p.client.send(client_text(version, "one"));
                BOOST_TEST(p.next().bytes == "one");
            }
            p.client.send(client_text(version, "two") + client_text(version, letters(5000)));
            p.w.turn_for(20ms);
            BOOST_TEST(p.w.receive(p.socket)->text() == "two");
            if (asked_before && !hybi) {  // there the limit is not exact once parts were asked for
                BOOST_TEST(p.w.receive(p.socket)->size() == 5000U);
                continue;
            }
            BOOST_TEST(!p.w.receive(p.socket));
            p.client.expect_last(hybi ? server_close(1009, "message is over the size limit") : "");
            check_status(p.socket.status(), ended_by::library,
                         hybi ? close_code::message_too_big : close_code::abnormal, false,
                         "message is over the size limit");
            BOOST_TEST(!p.part());
        }
    }
}

BOOST_AUTO_TEST_CASE(a_callback_that_is_set_later_refuses_it_too) {
    parts_pair p({.message_size = 1000});
    p.client.send(frame(text_frame, letters(5000)));
    p.w.turn_for(20ms);
    p.socket.on_message([](const wsio::message&) {});
    p.client.expect_last(server_close(1009, "message is over the size limit"));
}

BOOST_AUTO_TEST_CASE(a_message_that_waits_for_somebody_is_not_read_and_holds_no_ending_up) {
    {
        parts_pair p({.message_size = 1000});
        auto const before = p.server.statistics().bytes_received;
        p.client.send_some(frame(binary_frame, std::string(30'000'000, 'x')), 100ms);
        BOOST_TEST(p.server.statistics().bytes_received - before < 300'000U);
        p.socket.end(close_code::going_away);
        p.client.expect_last(server_close(1001));
        check_status(p.socket.status(), ended_by::application, close_code::going_away, false);
    }
    parts_pair p({.message_size = 1000});
    p.client.send(frame(binary_frame, letters(5000)));
    p.w.turn_for(20ms);
    p.socket.destroy();
    BOOST_TEST(!p.w.receive(p.socket));
    BOOST_TEST(!p.part());
    p.client.expect_end();
}

BOOST_AUTO_TEST_CASE(whole_messages_and_parts_may_be_received_in_turn) {
    parts_pair p({.message_size = 300'000});
    auto const large = text_of(250'000);
    auto feeding = [&] {
        p.client.send(frame(text_frame, "one") + frame(text_frame, large) + frame(0x01, large.substr(0, 70'000)) +
                      frame(0x80, large.substr(70'000)) + frame(binary_frame, large));
    };
    feeding();
    BOOST_TEST(p.w.receive(p.socket)->text() == "one");
    BOOST_TEST((p.next().bytes == large));
    BOOST_TEST((p.w.receive(p.socket)->text() == large));
    auto const binary = p.next();
    BOOST_TEST((binary.bytes == large));
    BOOST_TEST(!binary.text);
    feeding();
    BOOST_TEST(p.next().bytes == "one");
    BOOST_TEST((p.w.receive(p.socket)->text() == large));
    BOOST_TEST((p.next().bytes == large));
    auto const last = p.w.receive(p.socket);
    BOOST_TEST((last->text() == large));
    BOOST_TEST(last->is_binary());
    BOOST_TEST(p.server.statistics().messages_received == 8U);
    BOOST_TEST(p.server.statistics().messages_waiting == 0U);
}

BOOST_AUTO_TEST_CASE(a_callback_that_is_set_inside_a_message_in_parts_gets_what_comes_behind_it) {
    for (bool const whole : {true, false}) {
        parts_pair p;
        auto const begun = letters(200'000);
        auto const large = text_of(300'000);
        p.client.send(whole ? frame(text_frame, begun) : frame(0x01, begun));
        p.w.turn_for(20ms);
        BOOST_TEST(p.part()->is_first());
        std::vector<std::string> told;
        p.socket.on_message([&](const wsio::message& message) { told.push_back(message.str()); });
        if (!whole) p.client.send(frame(0x80, begun));
        p.client.send(frame(text_frame, "small") + frame(text_frame, large));
        BOOST_TEST(p.w.until([&] { return told.size() >= 2; }));
        BOOST_TEST((told == std::vector<std::string>{"small", large}));
    }
}

BOOST_AUTO_TEST_CASE(receive_inside_a_message_in_parts_is_misuse_and_harms_nothing) {
    parts_pair p;
    auto const large = text_of(250'000);
    p.client.send(frame(text_frame, large) + frame(text_frame, "next"));
    auto bytes = p.part()->str();
    BOOST_CHECK_THROW(p.w.receive(p.socket), std::logic_error);
    for (;;) {
        auto const part = p.part();
        bytes += part->text();
        if (part->is_last()) break;
    }
    BOOST_TEST((bytes == large));
    BOOST_TEST(p.w.receive(p.socket)->text() == "next");
    auto first = p.w.start(p.socket.receive_part());
    p.w.turn_for(5ms);
    BOOST_CHECK_THROW(p.w.receive(p.socket), std::logic_error);
    BOOST_CHECK_THROW(p.part(), std::logic_error);
    p.client.send(frame(text_frame, "still"));
    BOOST_REQUIRE(p.w.until([&] { return first.done(); }));
    BOOST_TEST(first.get()->text() == "still");
}

BOOST_AUTO_TEST_SUITE_END()
