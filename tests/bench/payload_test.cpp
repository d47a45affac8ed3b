#include "payload.hpp"
#include "protocol/utf8.hpp"

#include <boost/test/unit_test.hpp>

#include <cstring>
#include <random>
#include <set>
#include <string>
#include <string_view>

using namespace wsio::bench;

BOOST_AUTO_TEST_SUITE(payload_)

BOOST_AUTO_TEST_CASE(payloads_have_the_size_asked_for) {
    for (auto const kind : {payload_kind::ascii, payload_kind::chinese, payload_kind::json, payload_kind::random})
        for (std::size_t const size : {0U, 1U, 7U, 8U, 9U, 10U, 11U, 125U, 65536U})
            BOOST_TEST(make_payload(kind, size).size() == size);
}

BOOST_AUTO_TEST_CASE(texts_are_utf8) {
    for (std::size_t size = 0; size < 300; ++size) {
        BOOST_TEST(wsio::protocol::valid_utf8(make_payload(payload_kind::ascii, size)));
        BOOST_TEST(wsio::protocol::valid_utf8(make_payload(payload_kind::chinese, size)));
        BOOST_TEST(wsio::protocol::valid_utf8(make_payload(payload_kind::json, size)));
    }
}

BOOST_AUTO_TEST_CASE(chinese_is_three_bytes_a_character) {
    auto const text = make_payload(payload_kind::chinese, 8 + 300);
    for (std::size_t i = 8; i < text.size(); i += 3) {
        auto const first = static_cast<unsigned char>(text[i]);
        BOOST_TEST((first >= 0xE4 && first <= 0xE9));
    }
}

BOOST_AUTO_TEST_CASE(payloads_are_the_same_every_time_and_do_not_repeat_themselves) {
    auto const text = make_payload(payload_kind::ascii, 4096);
    BOOST_TEST(text == make_payload(payload_kind::ascii, 4096));
    // A server that shifts or doubles a part must show.
    std::set<std::string> parts;
    for (std::size_t i = 8; i + 8 <= text.size(); ++i) BOOST_TEST(parts.insert(text.substr(i, 8)).second);
}

BOOST_AUTO_TEST_CASE(a_number_is_eight_ascii_characters_of_six_bits) {
    std::mt19937_64 generator(3);
    for (int i = 0; i < 10'000; ++i) {
        auto const number = generator() >> 16;
        auto const word = number_characters(number);
        std::array<char, 8> characters;
        std::memcpy(characters.data(), &word, sizeof word);
        std::uint64_t read = 0;
        for (int at = 7; at >= 0; --at) {
            auto const character = static_cast<unsigned char>(characters[static_cast<std::size_t>(at)]);
            BOOST_REQUIRE((character >= '0' && character <= 'o'));
            read = read << 6 | (character - '0');
        }
        BOOST_REQUIRE_EQUAL(read, number);
    }
}

BOOST_AUTO_TEST_SUITE_END()
