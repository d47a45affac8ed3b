#include "protocol/hybi_decoder.hpp"

#include "protocol/feed.hpp"
#include "protocol/hybi_frames.hpp"

#include <algorithm>
#include <cstring>
#include <random>

namespace wsio::protocol::test {

BOOST_AUTO_TEST_SUITE(hybi_decoding)

BOOST_AUTO_TEST_CASE(rfc_examples_are_decoded) {
    for (auto const version : hybi_versions) {
        check(make(version), hex("81 85 37fa213d 7f9f4d5158"), {text("Hello")});
        check(make(version), hex("01 83 37fa213d 7f9f4d 80 82 37fa213d 5b95"), {text("Hello")});
        check(make(version), hex("89 85 37fa213d 7f9f4d5158"), {ping("Hello")});
        check(make(version), hex("8a 85 37fa213d 7f9f4d5158"), {pong("Hello")});
        check(make(version, {}, role::client), hex("81 05 48656c6c6f"), {text("Hello")});
        check(make(version, {}, role::client), hex("01 03 48656c 80 02 6c6f"), {text("Hello")});
        check(make(version, {}, role::client), hex("89 05 48656c6c6f"), {ping("Hello")});
        check(make(version, {}, role::client), hex("82 7e 0100") + noise(256), {binary(noise(256))});
        check(make(version, {}, role::client), hex("82 7f 0000000000010000") + noise(65536), {binary(noise(65536))});
    }
}

BOOST_AUTO_TEST_CASE(payloads_of_every_length_form_are_decoded_in_both_roles) {
    for (std::size_t const size : {0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 124, 125, 126, 127, 128, 255, 256, 1000}) {
        check(make(), frame(0x82, noise(size)), {binary(noise(size))});
        check(make(), frame(0x81, letters(size)), {text(letters(size))});
        check(make(protocol_version::hybi_13, {}, role::client), server_frame(0x82, noise(size)),
              {binary(noise(size))});
    }
    for (std::size_t const size : {16383, 16384, 16385, 65535, 65536, 65537, 100000}) {
        check(make(), frame(0x82, noise(size)), {binary(noise(size))});
        check(make(), frame(0x81, letters(size)), {text(letters(size))});
        check(make(protocol_version::hybi_13, {}, role::client), server_frame(0x82, noise(size)),
              {binary(noise(size))});
    }
}

BOOST_AUTO_TEST_CASE(many_messages_in_one_input_come_one_by_one) {
    std::string bytes;
    seen_list expected;
    for (std::size_t size = 0; size < 30; ++size) {
        bytes += frame(0x82, noise(size)) + frame(0x81, letters(size * 5));
        expected.push_back(binary(noise(size)));
        expected.push_back(text(letters(size * 5)));
    }
    check(make(), bytes, expected);
}

BOOST_AUTO_TEST_CASE(whole_message_lies_in_the_input_and_an_assembled_one_can_be_taken) {
    auto const decoder = make()();
    auto bytes = frame(0x81, "hello");
    std::span<char> input(bytes);
    auto found = decoder->next(input);
    BOOST_TEST(!found.assembled);
    BOOST_TEST(static_cast<const void*>(found.data.data()) == static_cast<const void*>(bytes.data() + 6));

    bytes = frame(0x81, "hello") + frame(0x81, "next");
    input = std::span<char>(bytes).first(8);
    BOOST_TEST((decoder->next(input).kind == event_kind::need_more));
    input = std::span<char>(bytes).subspan(8);
    found = decoder->next(input);
    BOOST_TEST(found.assembled);
    auto const payload = decoder->take_payload();
    BOOST_TEST(payload.view() == "hello");
    BOOST_TEST(payload.capacity() == 5U);
    found = decoder->next(input);
    BOOST_TEST(found.data == "next");
    BOOST_TEST(!found.assembled);
    BOOST_TEST(payload.view() == "hello");
}

BOOST_AUTO_TEST_CASE(message_of_64_kib_and_more_that_lies_in_the_input_is_not_copied) {
    auto bytes = frame(0x82, noise(70000));
    std::span<char> input(bytes);
    auto const decoder = make()();
    auto const found = decoder->next(input);
    BOOST_TEST(!found.assembled);
    BOOST_TEST((found.data == noise(70000)));
}

BOOST_AUTO_TEST_CASE(payload_that_nobody_took_does_not_get_into_the_next_message) {
    check(make(), frame(0x01, "ab") + frame(0x80, "cd") + frame(0x02, "ef") + frame(0x80, "gh"),
          {text("abcd"), binary("efgh")});
}

BOOST_AUTO_TEST_CASE(control_frames_between_fragments_come_first) {
    for (auto const version : hybi_versions) {
        check(make(version),
              frame(0x01, "one") + frame(0x89, "p") + frame(0x00, "two") + frame(0x8A, "") + frame(0x80, "three"),
              {ping("p"), pong(""), text("onetwothree")});
        check(make(version), frame(0x02, "") + frame(0x89, "") + frame(0x80, ""), {ping(""), binary("")});
        check(make(version), frame(0x01, "lost") + close_frame(1000, "bye") + frame(0x80, "late"),
              {closing(1000, "bye")});
    }
}

BOOST_AUTO_TEST_CASE(empty_fragments_are_legal) {
    check(make(), frame(0x01, "") + frame(0x00, "") + frame(0x80, ""), {text("")});
    check(make(), frame(0x01, "") + frame(0x00, "mid") + frame(0x80, "") + frame(0x81, "x"), {text("mid"), text("x")});
}

BOOST_AUTO_TEST_CASE(large_fragments_are_assembled_through_windows) {
    auto const one = noise(40000);
    auto const two = noise(100001);
    auto const three = noise(16384);
    auto const bytes = frame(0x02, one) + frame(0x89, "ping") + frame(0x00, two) + frame(0x80, three);
    check(make(), bytes, {ping("ping"), binary(one + two + three)});
    int windows = 0;
    feed_windows(make(), bytes, 4096, &windows);
    BOOST_TEST(windows > 20);
}

BOOST_AUTO_TEST_CASE(announced_length_costs_no_more_than_a_mebibyte_until_bytes_arrive) {
    constexpr std::size_t size = std::size_t{10} << 20;
    auto const decoder = make()();
    auto bytes = head(0x82, size) + std::string(key);
    std::span<char> input(bytes);
    BOOST_TEST((decoder->next(input).kind == event_kind::need_more));
    std::size_t received = 0;
    std::size_t largest = 0;
    while (received < size) {
        auto const window = decoder->window();
        if (window.empty()) break;
        BOOST_REQUIRE(received + window.size() <= std::max(std::size_t{1} << 20, received + received / 2 + 16384));
        BOOST_REQUIRE(received + window.size() <= size);
        largest = std::max(largest, received + window.size());
        auto const count = std::min<std::size_t>(window.size(), 100000);
        std::memset(window.data(), 0, count);
        BOOST_TEST((decoder->commit(count).kind == event_kind::need_more || received + count == size));
        received += count;
    }
    BOOST_TEST(largest == size);
    std::string rest(size - received, '\0');
    if (!rest.empty()) {
        input = rest;
        BOOST_TEST((decoder->next(input).kind == event_kind::message));
    }
    BOOST_TEST(decoder->take_payload().capacity() == size);
}

BOOST_AUTO_TEST_CASE(many_small_fragments_do_not_move_the_message_each_time) {
    auto const decoder = limited(1 << 20)();
    std::string bytes;
    for (int i = 0; i < 16000; ++i) {
        bytes = frame(i == 0 ? 0x02 : 0x00, "0123456789");
        std::span<char> input(bytes);
        BOOST_REQUIRE((decoder->next(input).kind == event_kind::need_more));
    }
    bytes = frame(0x80, "");
    std::span<char> input(bytes);
    auto const found = decoder->next(input);
    BOOST_TEST(found.data.size() == 160000U);
    auto const capacity = decoder->take_payload().capacity();
    BOOST_TEST(capacity > 160000U);  // grown by halves, not to what each fragment announced
    BOOST_TEST(capacity <= 240000U);
}

BOOST_AUTO_TEST_CASE(reserved_bits_fail_with_1002_at_the_first_byte) {
    for (auto const version : hybi_versions)
        for (unsigned bits = 0x10; bits <= 0x70; bits += 0x10)
            for (unsigned const first : {0x81U, 0x82U, 0x01U, 0x88U, 0x89U, 0x8AU}) {
                check(make(version), frame(first | bits, "x"), {failed(1002)});
                BOOST_TEST(fails_after(make(version), frame(first | bits, "x")) == 1U);
            }
    check(make(), frame(0x01, "a") + frame(0xC0, "b"), {failed(1002)});
}

BOOST_AUTO_TEST_CASE(reserved_opcodes_fail_with_1002_at_the_first_byte_whatever_their_length) {
    for (auto const version : hybi_versions)
        for (unsigned const opcode : {3U, 4U, 5U, 6U, 7U, 11U, 12U, 13U, 14U, 15U})
            for (unsigned const final_bit : {0x80U, 0U}) {
                check(make(version), frame(final_bit | opcode, "x"), {failed(1002)});
                auto const huge = head(final_bit | opcode, (std::uint64_t{1} << 63) - 1);
                BOOST_TEST(fails_after(make(version), huge) == 1U);
            }
}

BOOST_AUTO_TEST_CASE(control_frames_longer_than_125_bytes_fail_with_1002_at_the_second_byte) {
    for (auto const version : hybi_versions)
        for (unsigned const first : {0x88, 0x89, 0x8A}) {
            check(make(version), frame(first, letters(126)), {failed(1002)});
            check(make(version), frame(first, letters(70000)), {failed(1002)});
            BOOST_TEST(fails_after(make(version), frame(first, letters(126))) == 2U);
        }
    check(make(), frame(0x89, letters(125)) + frame(0x8A, letters(125)), {ping(letters(125)), pong(letters(125))});
}

BOOST_AUTO_TEST_CASE(fragmented_control_frames_fail_with_1002_at_the_first_byte) {
    for (auto const version : hybi_versions)
        for (unsigned const first : {0x08, 0x09, 0x0A}) {
            check(make(version), frame(first, "x"), {failed(1002)});
            BOOST_TEST(fails_after(make(version), frame(first, "x")) == 1U);
        }
}

BOOST_AUTO_TEST_CASE(characters_may_be_cut_by_fragments) {
    std::string const word = "\xCE\xBA\xE1\xBD\xB9\xCF\x83\xCE\xBC\xCE\xB5 \xF0\x9F\x98\x80";  // Autobahn 6.2
    std::string bytes;
    for (std::size_t i = 0; i < word.size(); ++i)
        bytes += frame((i == 0 ? 0x01U : 0U) | (i + 1 == word.size() ? 0x80U : 0U), word.substr(i, 1));
    check(make(), bytes, {text(word)});
    check(make(), frame(0x01, word.substr(0, 3)) + frame(0x89, "\xFF") + frame(0x80, word.substr(3)),
          {ping("\xFF"), text(word)});
}

BOOST_AUTO_TEST_CASE(unfinished_character_of_one_message_does_not_get_into_the_next) {
    check(make(), frame(0x02, "\xE2") + frame(0x80, "\x82") + frame(0x01, "a") + frame(0x80, "b"),
          {binary("\xE2\x82"), text("ab")});
}

BOOST_AUTO_TEST_CASE(text_is_validated_in_windows) {
    std::string word;
    for (int i = 0; i < 30000; ++i) word += "\xE4\xBD\xA0";
    check(make(), frame(0x81, word), {text(word)});
    word[80000] = 'x';
    check(make(), frame(0x81, word), {failed(1007)});
}

BOOST_AUTO_TEST_CASE(window_is_given_only_for_a_large_rest_of_a_data_frame) {
    auto const decoder = make()();
    BOOST_TEST(decoder->window().empty());
    seen_list events;
    feed_piece(*decoder, frame(0x82, noise(16384)).substr(0, 9), events);
    BOOST_TEST(decoder->window().empty());  // 16383 are missing
    feed_piece(*decoder, frame(0x82, noise(16384)).substr(9), events);
    BOOST_TEST(events.size() == 1U);
    feed_piece(*decoder, frame(0x89, noise(100)).substr(0, 30), events);
    BOOST_TEST(decoder->window().empty());
    feed_piece(*decoder, frame(0x89, noise(100)).substr(30), events);
    feed_piece(*decoder, frame(0x82, noise(50000)).substr(0, 8 + 10), events);
    BOOST_TEST(decoder->window().size() == 49990U);  // not a byte of the next frame
}

BOOST_AUTO_TEST_CASE(window_ends_with_the_frame_even_where_there_is_room_for_more_fragments) {
    auto const part = noise(std::size_t{1200} << 10);
    auto const bytes = frame(0x02, part) + frame(0x80, "end");
    for (std::size_t const size : {70000, 10000000})
        BOOST_TEST((feed_windows(make(), bytes, size) == seen_list{binary(part + "end")}));
    auto const decoder = make()();
    seen_list events;
    feed_piece(*decoder, std::string_view(bytes).substr(0, bytes.size() - 9 - 20000), events);
    BOOST_TEST(decoder->window().size() == 20000U);
}

BOOST_AUTO_TEST_CASE(window_may_be_left_unused) {
    auto const bytes = frame(0x82, noise(50000));
    auto const decoder = make()();
    seen_list events;
    for (std::size_t at = 0; at < bytes.size(); at += 5000) {
        static_cast<void>(decoder->window());
        feed_piece(*decoder, std::string_view(bytes).substr(at, 5000), events);
    }
    BOOST_TEST(events == seen_list{binary(noise(50000))}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(window_keeps_the_phase_of_the_key_for_parts_of_any_size) {
    auto const payload = noise(60000);
    auto const bytes = frame(0x82, payload) + frame(0x81, "next");
    for (std::size_t const size : {997, 1001, 1003, 4099}) {
        int windows = 0;
        BOOST_TEST((feed_windows(make(), bytes, size, &windows) == seen_list{binary(payload), text("next")}));
        BOOST_TEST(windows > 5);
    }
}

BOOST_AUTO_TEST_CASE(random_frames_give_the_same_events_however_they_are_cut) {
    std::mt19937 random(7);
    constexpr unsigned firsts[] = {0x81, 0x82, 0x01, 0x02, 0x00, 0x80, 0x89, 0x8A, 0x00, 0x80, 0x81, 0x82};
    for (int round = 0; round < 300; ++round) {
        std::string bytes;
        for (int i = 0; i < 8; ++i) {
            bool const odd = random() % 40 == 0;
            bytes += frame(odd ? static_cast<unsigned>(random() % 256) : firsts[random() % 12], letters(random() % 20));
        }
        if (random() % 4 == 0) bytes[random() % bytes.size()] = static_cast<char>(random());
        auto const version = hybi_versions[random() % 3];
        check(make(version), bytes, feed_cut(make(version), bytes, {}));
    }
}

BOOST_AUTO_TEST_CASE(random_bytes_never_get_outside_of_the_input) {
    std::mt19937 random(11);
    for (int round = 0; round < 3000; ++round) {
        auto bytes = std::string(1 + random() % 60, '\0');
        for (auto& byte : bytes) byte = static_cast<char>(random());
        bytes[0] = static_cast<char>(0x80 | (random() % 11));
        if (bytes.size() > 1) bytes[1] = static_cast<char>(0x80 | random() % 128);
        auto const expected = feed_cut(make(), bytes, {});
        BOOST_REQUIRE(feed_pieces(make(), bytes, 1) == expected);
        BOOST_REQUIRE(feed_pieces(make(), bytes, 3) == expected);
    }
}

BOOST_AUTO_TEST_CASE(decoder_is_small) { BOOST_TEST(sizeof(hybi_decoder) <= 128U); }

BOOST_AUTO_TEST_SUITE_END()

}  // namespace wsio::protocol::test
