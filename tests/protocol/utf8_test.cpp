#include "protocol/utf8.hpp"
#include "protocol/utf8_reference.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

using namespace wsio::protocol::test;
using wsio::byte_buffer;
using wsio::protocol::replace_invalid_utf8;
using wsio::protocol::utf8_validator;
using wsio::protocol::valid_utf8;

namespace {

bool valid_in_pieces(const std::string& text, std::size_t cut) {
    utf8_validator validator;
    std::string_view const all = text;
    return validator.feed(all.substr(0, cut)) && validator.feed(all.substr(cut)) && validator.complete();
}

/// Gives the number of bytes after which the validator says no, or 0.
std::size_t rejected_after(const std::string& text) {
    utf8_validator validator;
    for (std::size_t i = 0; i < text.size(); ++i)
        if (!validator.feed({&text[i], 1})) return i + 1;
    return 0;
}

std::string replaced(std::string_view text) {
    byte_buffer out;
    replace_invalid_utf8(text, out);
    return std::string(out.view());
}

void check(const std::string& text) {
    bool const expected = reference(text);
    BOOST_REQUIRE(valid_utf8(text) == expected);
    for (std::size_t cut = 0; cut <= text.size(); ++cut) BOOST_REQUIRE(valid_in_pieces(text, cut) == expected);
    BOOST_REQUIRE((replaced(text) == text) == expected);
    BOOST_REQUIRE(reference(replaced(text)));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(utf8)

BOOST_AUTO_TEST_CASE(every_code_point_is_valid_except_surrogates) {
    for (std::uint32_t code = 0; code <= 0x110000; ++code) {
        bool const expected = code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
        BOOST_REQUIRE(valid_utf8(encoded(code)) == expected);
    }
}

BOOST_AUTO_TEST_CASE(all_short_sequences_equal_the_reference) {
    check("");
    for (unsigned a = 0; a < 256; ++a) {
        check(bytes_of({a}));
        for (unsigned b = 0; b < 256; ++b) check(bytes_of({a, b}));
    }
    for (auto const a : interesting)
        for (auto const b : interesting)
            for (auto const c : interesting) check(bytes_of({a, b, c}));
}

BOOST_AUTO_TEST_CASE(four_byte_sequences_over_interesting_bytes_equal_the_reference) {
    for (auto const a : interesting) {
        if (a < 0xE0) continue;
        for (auto const b : interesting)
            for (auto const c : interesting)
                for (auto const d : interesting) check(bytes_of({a, b, c, d}));
    }
}

BOOST_AUTO_TEST_CASE(long_random_texts_equal_the_reference) {
    std::mt19937 random(42);
    for (int round = 0; round < 4000; ++round) {
        std::string text;
        auto const size = random() % 120;
        while (text.size() < size) {
            auto const kind = random() % 8;
            if (kind < 3)
                text.append(random() % 40, 'a');
            else if (kind < 6)
                text += encoded(0x80 + static_cast<std::uint32_t>(random() % 0xD000));
            else
                text += encoded(0x10000 + static_cast<std::uint32_t>(random() % 0x100000));
        }
        if (round % 2 != 0 && !text.empty())
            text[random() % text.size()] = static_cast<char>(interesting[random() % 36]);
        check(text);
    }
}

BOOST_AUTO_TEST_CASE(one_bad_byte_is_found_at_every_place_of_a_text_of_any_length) {
    for (std::size_t size = 1; size <= 100; ++size)
        for (std::size_t at = 0; at < size; ++at) {
            std::string text(size, 'x');
            text[at] = '\xFF';
            BOOST_REQUIRE(!valid_utf8(text));
        }
}

BOOST_AUTO_TEST_CASE(invalid_text_is_rejected_at_the_first_byte_that_no_continuation_can_save) {
    for (auto const a : interesting)
        for (auto const b : interesting)
            for (auto const c : interesting) {
                auto const text = bytes_of({a, b, c});
                std::size_t expected = 0;
                for (std::size_t size = 1; size <= 3 && expected == 0; ++size)
                    if (!can_become_valid(text.substr(0, size))) expected = size;
                BOOST_REQUIRE(rejected_after(text) == expected);
            }
}

BOOST_AUTO_TEST_CASE(known_violations_are_rejected_at_the_earliest_byte) {
    BOOST_TEST(rejected_after("\xC0\x80") == 1U);          // overlong NUL
    BOOST_TEST(rejected_after("\xE0\x80\x80") == 2U);      // overlong
    BOOST_TEST(rejected_after("\xED\xA0\x80") == 2U);      // surrogate
    BOOST_TEST(rejected_after("\xF4\x90\x80\x80") == 2U);  // U+110000
    BOOST_TEST(rejected_after("\xF5\x80") == 1U);
    BOOST_TEST(rejected_after("\xCE\xBA\xE1\xBD\xB9\xF4\x90") == 7U);  // Autobahn 6.4.2
    BOOST_TEST(rejected_after("\xF4\x8F\xBF\xBF") == 0U);
}

BOOST_AUTO_TEST_CASE(early_rejection_does_not_depend_on_how_much_comes_at_once) {
    utf8_validator validator;
    BOOST_TEST(!validator.feed(std::string(40, 'a') + "\xED\xA0"));
    validator.reset();
    BOOST_TEST(validator.feed(std::string(40, 'a') + "\xED\x9F"));
    BOOST_TEST(!validator.complete());
    BOOST_TEST(validator.feed("\xBF"));
    BOOST_TEST(validator.complete());
}

BOOST_AUTO_TEST_CASE(reset_forgets_an_unfinished_character) {
    utf8_validator validator;
    BOOST_TEST(validator.feed("\xE2\x82"));
    validator.reset();
    BOOST_TEST(validator.complete());
    BOOST_TEST(validator.feed("a"));
    BOOST_TEST(validator.complete());
}

BOOST_AUTO_TEST_CASE(each_maximal_invalid_subpart_becomes_one_replacement_character) {
    constexpr std::string_view r = "\xEF\xBF\xBD";
    auto const times = [&](int n) {
        std::string text;
        while (n-- > 0) text += r;
        return text;
    };
    // Unicode 3.9, tables 3-8 to 3-11.
    BOOST_TEST(replaced("\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41") == times(8) + "A");
    BOOST_TEST(replaced("\xED\xA0\x80\xED\xBF\xBF\xED\xAF\x41") == times(8) + "A");
    BOOST_TEST(replaced("\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42") == times(5) + "A" + times(2) + "B");
    BOOST_TEST(replaced("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41") == times(4) + "A");
    BOOST_TEST(replaced("abc\xE2\x82") == "abc" + times(1));
    BOOST_TEST(replaced("") == "");
    BOOST_TEST(replaced("\xE2\x82\xAC caf\xC3\xA9") == "\xE2\x82\xAC caf\xC3\xA9");
}

BOOST_AUTO_TEST_SUITE_END()
