// What hybi_decoder refuses and how it ends; hybi_decoder_test.cpp has what it accepts.

#include "protocol/feed.hpp"
#include "protocol/hybi_decoder.hpp"
#include "protocol/hybi_frames.hpp"

#include <limits>

namespace wsio::protocol::test {

BOOST_AUTO_TEST_SUITE(hybi_violations)

BOOST_AUTO_TEST_CASE(stray_continuation_fails_with_1002) {
    for (auto const version : hybi_versions) {
        check(make(version), frame(0x80, "x"), {failed(1002)});
        check(make(version), frame(0x00, "x"), {failed(1002)});
        check(make(version), frame(0x81, "a") + frame(0x80, "x"), {text("a"), failed(1002)});
        check(make(version), frame(0x01, "a") + frame(0x80, "b") + frame(0x80, "x"), {text("ab"), failed(1002)});
    }
    BOOST_TEST(fails_after(make(), frame(0x80, "x")) == 1U);
}

BOOST_AUTO_TEST_CASE(new_message_inside_a_fragmented_one_fails_with_1002) {
    for (auto const version : hybi_versions)
        for (unsigned const first : {0x01, 0x81, 0x02, 0x82})
            check(make(version), frame(0x01, "a") + frame(first, "x"), {failed(1002)});
}

BOOST_AUTO_TEST_CASE(exactly_as_many_fragments_as_allowed_pass_and_one_more_fails_with_1008) {
    auto const fragments = [](int count, std::string_view payload) {
        std::string bytes = frame(0x02, payload);
        for (int i = 2; i < count; ++i) bytes += frame(0x00, payload);
        return bytes + frame(0x80, payload);
    };
    check(limited(1000, 10), fragments(10, ""), {binary("")});
    check(limited(1000, 10), fragments(11, ""), {failed(1008)});
    check(limited(1000, 10), fragments(10, "x") + fragments(10, "x"), {binary("xxxxxxxxxx"), binary("xxxxxxxxxx")});
    check(limited(1000, 10), fragments(11, "x"), {failed(1008)});
    // Pings between do not count, and the violation shows at the first byte of the frame.
    check(limited(1000, 2), frame(0x02, "") + frame(0x89, "") + frame(0x89, "") + frame(0x80, "x"),
          {ping(""), ping(""), binary("x")});
    BOOST_TEST(fails_after(limited(1000, 2), fragments(3, "")) == 13U);
}

BOOST_AUTO_TEST_CASE(flood_of_empty_fragments_ends_at_the_default_limit) {
    std::string bytes = frame(0x02, "");
    for (int i = 0; i < 20000; ++i) bytes += frame(0x00, "");
    BOOST_TEST(fails_after(make(), bytes) == 16384U * 6 + 1);
}

BOOST_AUTO_TEST_CASE(exactly_the_size_limit_passes_and_one_byte_more_fails_with_1009) {
    for (std::size_t const limit : {0, 1, 100, 125, 126, 1000, 65535, 65536}) {
        check(limited(limit), frame(0x82, noise(limit)), {binary(noise(limit))});
        check(limited(limit), frame(0x82, noise(limit + 1)), {failed(1009)});
        if (limit < 2) continue;
        auto const half = limit / 2;
        auto const rest = limit - half;
        check(limited(limit), frame(0x02, noise(half)) + frame(0x80, noise(rest)), {binary(noise(half) + noise(rest))});
        check(limited(limit), frame(0x02, noise(half)) + frame(0x80, noise(rest + 1)), {failed(1009)});
    }
}

BOOST_AUTO_TEST_CASE(size_limit_does_not_apply_to_control_frames) {
    check(limited(3), frame(0x89, letters(125)) + frame(0x81, "abc"), {ping(letters(125)), text("abc")});
    check(limited(3), frame(0x01, "abc") + frame(0x89, letters(125)) + frame(0x80, ""),
          {ping(letters(125)), text("abc")});
}

BOOST_AUTO_TEST_CASE(huge_announced_lengths_fail_with_1009_at_the_last_length_byte) {
    for (std::uint64_t const length : {std::uint64_t{1} << 31, std::uint64_t{1} << 32, (std::uint64_t{1} << 63) - 1}) {
        check(make(), head(0x82, length) + std::string(key), {failed(1009)});
        BOOST_TEST(fails_after(make(), head(0x82, length) + std::string(key)) == 10U);
    }
    BOOST_TEST(fails_after(limited(1000), head(0x82, 1001)) == 4U);
    BOOST_TEST(fails_after(limited(10), head(0x82, 11)) == 2U);
}

BOOST_AUTO_TEST_CASE(length_with_the_top_bit_set_fails_with_1002_at_that_byte) {
    for (auto const version : hybi_versions)
        for (std::uint64_t const length : {std::uint64_t{1} << 63, ~std::uint64_t{0}, (std::uint64_t{1} << 63) + 5}) {
            check(make(version), head(0x82, length) + std::string(key), {failed(1002)});
            BOOST_TEST(fails_after(make(version), head(0x82, length)) == 3U);
        }
}

BOOST_AUTO_TEST_CASE(second_fragment_that_would_wrap_the_sum_fails) {
    constexpr auto no_limit = std::numeric_limits<std::size_t>::max();
    auto const first = frame(0x02, "0123456789");
    check(limited(no_limit), first + head(0x80, ~std::uint64_t{0} - 5) + std::string(key), {failed(1002)});
    check(make(), first + head(0x80, (std::uint64_t{1} << 63) - 1) + std::string(key), {failed(1009)});
    constexpr auto near_limit = static_cast<std::size_t>((std::uint64_t{1} << 63) - 1);
    check(limited(near_limit), first + head(0x80, (std::uint64_t{1} << 63) - 1) + std::string(key), {failed(1009)});
}

BOOST_AUTO_TEST_CASE(length_that_is_not_minimal_fails_with_1002_on_13_only) {
    auto const small16 = hex("82 fe 0005") + std::string(key) + masked("12345");
    auto const small64 = hex("82 ff 0000000000000005") + std::string(key) + masked("12345");
    auto const middle64 = hex("82 ff 000000000000ffff") + std::string(key) + masked(noise(65535));
    auto const zero16 = hex("82 fe 0000") + std::string(key);
    for (auto const version : {protocol_version::hybi_7, protocol_version::hybi_8}) {
        check(make(version), small16 + small64 + zero16, {binary("12345"), binary("12345"), binary("")});
        check(make(version), middle64, {binary(noise(65535))});
        check(make(version), hex("82 fe 007d") + std::string(key) + masked(noise(125)), {binary(noise(125))});
    }
    check(make(), small16, {failed(1002)});
    check(make(), small64, {failed(1002)});
    check(make(), middle64, {failed(1002)});
    check(make(), zero16, {failed(1002)});
    check(make(), hex("82 fe 007d") + std::string(key) + masked(noise(125)), {failed(1002)});
    BOOST_TEST(fails_after(make(), small16) == 4U);
    BOOST_TEST(fails_after(make(), small64) == 10U);
    check(make(), hex("82 fe 007e") + std::string(key) + masked(noise(126)), {binary(noise(126))});
}

BOOST_AUTO_TEST_CASE(length_of_a_control_frame_that_is_not_minimal_fails_with_1002_everywhere) {
    constexpr std::string_view why =
        "control frame is longer than 125 bytes, or has its length in more than 7 bits (RFC 6455 5.5)";
    for (auto const version : hybi_versions)
        for (auto const* const length : {"0005", "007e"}) {
            check(make(version), hex("89 fe") + hex(length) + std::string(key) + masked("12345"), {failed(1002, why)});
            BOOST_TEST(fails_after(make(version), hex("89 fe") + hex(length)) == 2U);
        }
}

BOOST_AUTO_TEST_CASE(unmasked_client_frame_fails_with_1002_at_the_second_byte) {
    for (auto const version : hybi_versions)
        for (unsigned const first : {0x81, 0x82, 0x01, 0x88, 0x89, 0x8A}) {
            check(make(version), server_frame(first, "Hello"), {failed(1002, "frame is not masked (RFC 6455 5.1)")});
            BOOST_TEST(fails_after(make(version), server_frame(first, "Hello")) == 2U);
        }
    check(make(), server_frame(0x82, ""), {failed(1002)});
    check(make(), frame(0x81, "a") + server_frame(0x82, noise(300)), {text("a"), failed(1002)});
}

BOOST_AUTO_TEST_CASE(masked_server_frame_fails_with_1002_at_the_second_byte) {
    for (auto const version : hybi_versions) {
        auto const client = make(version, {}, role::client);
        check(client, frame(0x81, "Hello"), {failed(1002, "frame from a server is masked (RFC 6455 5.1)")});
        check(client, frame(0x82, noise(300)), {failed(1002)});
        BOOST_TEST(fails_after(client, frame(0x89, "Hello")) == 2U);
    }
}

BOOST_AUTO_TEST_CASE(text_that_is_not_utf8_fails_with_1007) {
    for (auto const version : hybi_versions)
        for (std::string const bad :
             {"\xFF", "\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x82", "abc\xE2", "\x80"}) {
            check(make(version), frame(0x81, bad), {failed(1007)});
            check(make(version), frame(0x81, letters(50) + bad), {failed(1007)});
            check(make(version), frame(0x01, "ok") + frame(0x80, bad), {failed(1007)});
            check(make(version), frame(0x01, bad) + frame(0x80, "ok"), {failed(1007)});
            check(make(version), frame(0x82, bad), {binary(bad)});
        }
    check(make(), frame(0x81, letters(70000) + "\xFF"), {failed(1007)});
}

BOOST_AUTO_TEST_CASE(invalid_text_fails_at_the_byte_that_shows_it) {
    auto const bad = std::string("\xCE\xBA\xE1\xBD\xB9\xF4\x90\x80\x80 and a lot more");  // Autobahn 6.4.2
    BOOST_TEST(fails_after(make(), frame(0x81, bad)) == 6U + 7);
    BOOST_TEST(fails_after(make(), frame(0x01, bad)) == 6U + 7);
    BOOST_TEST(fails_after(make(), frame(0x01, bad.substr(0, 6)) + frame(0x80, bad.substr(6))) == 12U + 6 + 1);
    // A large frame that never ends is not waited for either.
    BOOST_TEST(fails_after(make(), head(0x81, 1 << 20) + std::string(key) + masked("ab\xFF")) == 14U + 3);
}

BOOST_AUTO_TEST_CASE(empty_close_gives_no_status) {
    for (auto const version : hybi_versions) {
        check(make(version), frame(0x88, ""), {closing(1005)});
        check(make(version, {}, role::client), server_frame(0x88, ""), {closing(1005)});
    }
}

BOOST_AUTO_TEST_CASE(close_gives_code_and_reason) {
    check(make(), close_frame(1000), {closing(1000)});
    check(make(), close_frame(4001, "caf\xC3\xA9"), {closing(4001, "caf\xC3\xA9")});
    check(make(), close_frame(1001, letters(123)), {closing(1001, letters(123))});
    check(make(), close_frame(1001, letters(124)), {failed(1002)});
}

BOOST_AUTO_TEST_CASE(close_with_one_byte_fails_with_1002_at_its_length) {
    for (auto const version : hybi_versions) {
        check(make(version), frame(0x88, "\x03"), {failed(1002)});
        BOOST_TEST(fails_after(make(version), frame(0x88, "\x03")) == 2U);
    }
}

BOOST_AUTO_TEST_CASE(close_reason_that_is_not_utf8_fails_with_1007) {
    for (auto const version : hybi_versions) {
        check(make(version), close_frame(1000, "\xFF"), {failed(1007)});
        check(make(version), close_frame(1000, "cut \xE2\x82"), {failed(1007)});
    }
}

BOOST_AUTO_TEST_CASE(every_close_code_is_accepted_or_fails_with_1002_by_the_rules_of_its_version) {
    for (auto const version : hybi_versions)
        for (int code = 0; code <= 65535; ++code) {
            bool const valid = (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
                               (code >= 3000 && code <= 4999) || (code == 1004 && version != protocol_version::hybi_13);
            auto const events = feed_cut(make(version), close_frame(code, "why"), {});
            BOOST_REQUIRE(events.size() == 1);
            if (valid)
                BOOST_REQUIRE(events[0] == closing(code, "why"));
            else
                BOOST_REQUIRE(events[0].kind == event_kind::failed && events[0].code == close_code::protocol_error);
        }
    check(make(protocol_version::hybi_8), close_frame(1004), {closing(1004)});
    check(make(), close_frame(1004), {failed(1002)});
}

BOOST_AUTO_TEST_CASE(everything_after_closing_or_failing_is_ignored) {
    check(make(), close_frame(1000) + frame(0x81, "late") + close_frame(1000) + noise(100), {closing(1000)});
    check(make(), server_frame(0x81, "bad") + frame(0x81, "late") + noise(100), {failed(1002)});
    auto const decoder = make()();
    seen_list events;
    feed_piece(*decoder, close_frame(1000), events);
    BOOST_TEST(decoder->window().empty());
    feed_piece(*decoder, head(0x82, 100000) + std::string(key), events);
    BOOST_TEST(decoder->window().empty());
    BOOST_TEST(events.size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace wsio::protocol::test
