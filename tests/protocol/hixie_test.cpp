#include "protocol/hixie.hpp"

#include "protocol/feed.hpp"

#include <array>
#include <limits>
#include <random>

namespace wsio::protocol::test {
namespace {

constexpr std::array hixie_versions{protocol_version::hixie_75, protocol_version::hixie_76};
constexpr std::string_view fffd = "\xEF\xBF\xBD";

decoder_factory make(protocol_version version, std::size_t message_size = decoder_limits{}.message_size,
                     role role = role::server) {
    return [=] { return hixie_strategy(version).make_decoder(role, {message_size, 16384}); };
}

std::string frame(std::string_view payload, char type = 0) { return type + std::string(payload) + '\xFF'; }

std::string encode_close(protocol_version version) {
    byte_buffer out;
    hixie_strategy(version).encode_close(close_code::going_away, "reason", out);
    return std::string(out.view());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(hixie)

BOOST_AUTO_TEST_CASE(no_payload_is_received_past_the_decoder) {
    for (auto const version : hixie_versions) {
        auto const decoder = make(version)();
        seen_list events;
        feed_piece(*decoder, std::string_view("\0text", 5), events);
        BOOST_TEST(decoder->window().empty());
        BOOST_TEST((decoder->commit(0).kind == event_kind::need_more));
        feed_piece(*decoder, "\xFF", events);
        BOOST_TEST(events == seen_list{text("text")}, boost::test_tools::per_element());
    }
}

BOOST_AUTO_TEST_CASE(text_frames_are_decoded_in_both_roles) {
    for (auto const version : hixie_versions)
        for (auto const who : {role::server, role::client}) {
            auto const decoder = make(version, 1000000, who);
            check(decoder, frame("Hello"), {text("Hello")});
            check(decoder, frame(""), {text("")});
            check(decoder, frame("one") + frame("") + frame("caf\xC3\xA9 \xF0\x9F\x98\x80"),
                  {text("one"), text(""), text("caf\xC3\xA9 \xF0\x9F\x98\x80")});
            check(decoder, frame(std::string("nul \0 inside", 12)), {text(std::string("nul \0 inside", 12))});
            check(decoder, frame(std::string(70000, 'x')), {text(std::string(70000, 'x'))});
        }
}

BOOST_AUTO_TEST_CASE(whole_valid_text_lies_in_the_input_and_an_assembled_one_can_be_taken) {
    auto const decoder = make(protocol_version::hixie_76)();
    auto bytes = frame("hello") + frame("ne");
    std::span<char> input(bytes);
    auto found = decoder->next(input);
    BOOST_TEST(!found.assembled);
    BOOST_TEST(static_cast<const void*>(found.data.data()) == static_cast<const void*>(bytes.data() + 1));
    input = std::span<char>(bytes).subspan(7, 2);
    BOOST_TEST((decoder->next(input).kind == event_kind::need_more));
    input = std::span<char>(bytes).subspan(9);
    found = decoder->next(input);
    BOOST_TEST(found.assembled);
    BOOST_TEST(decoder->take_payload().view() == "ne");

    bytes = frame("bad \xE9");
    input = bytes;
    BOOST_TEST(decoder->next(input).assembled);
    BOOST_TEST(decoder->take_payload().view() == "bad " + std::string(fffd));
    BOOST_TEST(decoder->window().empty());
}

BOOST_AUTO_TEST_CASE(invalid_utf8_is_replaced_and_does_not_fail) {
    std::string const r(fffd);
    for (auto const version : hixie_versions) {
        check(make(version), frame("caf\xE9!") + frame("next"), {text("caf" + r + "!"), text("next")});
        check(make(version), frame("\xE2\x82"), {text(r)});
        check(make(version), frame("\xED\xA0\x80 \xC0\x80"), {text(r + r + r + " " + r + r)});
        // The limit is one of received bytes.
        check(make(version, 4), frame("\x80\x80\x80\x80"), {text(r + r + r + r)});
    }
}

BOOST_AUTO_TEST_CASE(other_low_types_are_read_and_discarded) {
    for (auto const version : hixie_versions)
        for (char const type : {'\x01', '\x02', '\x41', '\x7F'}) {
            check(make(version), frame("gone", type) + frame("kept"), {text("kept")});
            check(make(version), frame("", type) + frame("kept"), {text("kept")});
            check(make(version), frame(std::string("\0\x80\x00 x", 6), type) + frame("kept"), {text("kept")});
        }
}

BOOST_AUTO_TEST_CASE(length_prefixed_frames_are_discarded_without_being_scanned) {
    for (auto const version : hixie_versions) {
        check(make(version), hex("80 03 ffffff") + frame("kept"), {text("kept")});  // ended websocket-driver 0.7
        check(make(version), hex("80 03 00ff00") + frame("kept"), {text("kept")});
        check(make(version), hex("81 00") + frame("kept"), {text("kept")});
        check(make(version),
              hex("80 00 80 00 80 00 80 00 80 00 80 00 80 00 80 00 80 00 80 00 80 00 80 00") + frame("kept"),
              {text("kept")});
        check(make(version), hex("80 00 80 00 fe 00") + frame("kept"), {text("kept")});
        check(make(version), hex("80 8100") + std::string(128, '\xFF') + frame("kept"), {text("kept")});
        check(make(version), hex("80 808003 0000ff") + frame("kept"), {text("kept")});
        check(make(version), hex("ff 05 68656c6c6f") + frame("kept"), {text("kept")});
        check(make(version), hex("80 8480 00") + std::string(65536, '\0') + frame("kept"), {text("kept")});
    }
}

BOOST_AUTO_TEST_CASE(ff_with_length_0_closes_76_however_it_is_written) {
    auto const decoder = make(protocol_version::hixie_76);
    check(decoder, hex("ff 00"), {closing(1005)});
    check(decoder, hex("ff 80 00"), {closing(1005)});
    check(decoder, hex("ff 80808080 00"), {closing(1005)});
    check(decoder, frame("last") + hex("ff 00") + frame("late") + hex("ff 00"), {text("last"), closing(1005)});
    check(decoder, hex("80 00 fe 00") + frame("kept"), {text("kept")});
    check(decoder, hex("ff 01 00") + frame("kept"), {text("kept")});
    check(decoder, hex("ff 01 ff 00 41 ff ff 00"), {text("A"), closing(1005)});
}

BOOST_AUTO_TEST_CASE(ff_00_means_nothing_in_75) {
    auto const decoder = make(protocol_version::hixie_75);
    check(decoder, hex("ff 00") + frame("kept"), {text("kept")});
    check(decoder, hex("ff 80 00 ff 00") + frame("kept"), {text("kept")});
}

BOOST_AUTO_TEST_CASE(exactly_the_size_limit_passes_and_one_byte_more_fails_with_1009) {
    for (auto const version : hixie_versions)
        for (std::size_t const limit : {0, 1, 10, 127, 128, 129, 1000, 5000}) {
            std::string const most(limit, 'x');
            check(make(version, limit), frame(most) + frame(most), {text(most), text(most)});
            check(make(version, limit), frame(most + "x"), {failed(1009)});
            check(make(version, limit), frame(most, 0x05) + frame(most), {text(most)});
            check(make(version, limit), frame(most + "x", 0x05) + frame(most), {failed(1009)});
            BOOST_TEST(fails_after(make(version, limit), frame(most + "xxx")) == 1 + limit + 1);
            BOOST_TEST(fails_after(make(version, limit), frame(most + "xxx", 0x05)) == 1 + limit + 1);
        }
}

BOOST_AUTO_TEST_CASE(text_that_never_ends_fails_with_bounded_memory) {
    auto const decoder = make(protocol_version::hixie_76, 10000)();
    std::string block(997, 'x');
    block[0] = '\0';
    seen_list events;
    for (int i = 0; i < 20 && events.empty(); ++i) feed_piece(*decoder, block, events);
    BOOST_REQUIRE(events.size() == 1U);
    BOOST_TEST((events[0].code == close_code::message_too_big));
    BOOST_TEST(decoder->take_payload().capacity() <= 10001U);  // it may be asked for in parts
}

BOOST_AUTO_TEST_CASE(assembled_text_takes_no_more_memory_than_the_limit) {
    auto const decoder = make(protocol_version::hixie_76, 10000)();
    auto const bytes = frame(std::string(10000, 'x'));
    seen_list events;
    for (char const byte : bytes.substr(0, 10001)) feed_piece(*decoder, {&byte, 1}, events);
    auto last = bytes.substr(10001);
    std::span<char> input(last);
    BOOST_TEST(decoder->next(input).data.size() == 10000U);
    BOOST_TEST(decoder->take_payload().capacity() <= 10000U);
}

BOOST_AUTO_TEST_CASE(length_of_a_discarded_frame_over_the_limit_fails_with_1009_as_soon_as_it_shows) {
    for (auto const version : hixie_versions) {
        check(make(version, 128), hex("80 8100") + std::string(128, 'x') + frame("kept"), {text("kept")});
        check(make(version, 128), hex("80 8101"), {failed(1009)});
        check(make(version, 127), hex("80 8100"), {failed(1009)});
        check(make(version), hex("80 ffffffffffffffffffff7f"), {failed(1009)});
        check(make(version), hex("ff ffffffffffffffffffff7f"), {failed(1009)});
        BOOST_TEST(fails_after(make(version), hex("80 ffffffffffffffffffff7f")) == 1 + 4U);  // 2^28 - 1
        BOOST_TEST(fails_after(make(version, 100), hex("80 ff7f")) == 2U);
    }
}

BOOST_AUTO_TEST_CASE(length_cannot_wrap_even_without_a_limit) {
    constexpr auto no_limit = std::numeric_limits<std::size_t>::max();
    for (auto const version : hixie_versions) {
        check(make(version, no_limit), hex("80 81ffffffffffffffff 7f"), {});  // 2^64 - 1: waits for its bytes
        check(make(version, no_limit), hex("80 82808080808080808000"), {failed(1009)});  // 2^64
        check(make(version, no_limit), hex("80 ffffffffffffffffffffffff7f"), {failed(1009)});
    }
}

BOOST_AUTO_TEST_CASE(endless_length_run_fails_after_ten_bytes) {
    for (auto const version : hixie_versions) {
        check(make(version), hex("80 80808080808080808000") + frame("kept"), {text("kept")});
        check(make(version), '\x80' + std::string(1000, '\x80'), {failed(1002)});
        BOOST_TEST(fails_after(make(version), '\xFF' + std::string(1000, '\x80')) == 1 + 11U);
    }
}

BOOST_AUTO_TEST_CASE(everything_after_failing_is_ignored) {
    for (auto const version : hixie_versions)
        check(make(version, 3), frame("four") + frame("abc") + hex("ff 00"), {failed(1009)});
}

BOOST_AUTO_TEST_CASE(random_bytes_give_the_same_events_however_they_are_cut) {
    std::mt19937 random(5);
    constexpr unsigned char likely[] = {0x00, 0xFF, 0x80, 0x81, 0x01, 0x41, 0x05, 0xC3};
    for (int round = 0; round < 2000; ++round) {
        std::string bytes(1 + random() % 40, '\0');
        for (auto& byte : bytes) byte = static_cast<char>(random() % 4 == 0 ? random() : likely[random() % 8]);
        auto const decoder = make(hixie_versions[random() % 2], 20);
        check(decoder, bytes, feed_cut(decoder, bytes, {}));
    }
}

BOOST_AUTO_TEST_CASE(text_is_wrapped_between_00_and_ff) {
    for (auto const version : hixie_versions) {
        byte_buffer out;
        hixie_strategy const strategy(version);
        strategy.encode(opcode::text, "Hello", out);
        strategy.encode(opcode::text, "", out);
        BOOST_TEST(out.view() == hex("00 48656c6c6f ff 00 ff"));
        BOOST_TEST(strategy.wrap(opcode::text, 5).prefix_size == 1);
        BOOST_TEST(strategy.wrap(opcode::text, 5).suffix_size == 1);
    }
}

BOOST_AUTO_TEST_CASE(close_is_nothing_for_75_and_ff_00_for_76) {
    BOOST_TEST(encode_close(protocol_version::hixie_75).empty());
    BOOST_TEST(encode_close(protocol_version::hixie_76) == hex("ff 00"));
}

BOOST_AUTO_TEST_CASE(decoder_is_small) { BOOST_TEST(sizeof(hixie_decoder) <= 128U); }

BOOST_AUTO_TEST_SUITE_END()

}  // namespace wsio::protocol::test
