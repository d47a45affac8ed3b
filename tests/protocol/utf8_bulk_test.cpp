#include "protocol/utf8.hpp"
#include "protocol/utf8_reference.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <cstdint>
#include <numeric>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>

using namespace wsio::protocol::test;
using wsio::protocol::utf8_validator;
using wsio::protocol::valid_utf8;

// Long text, which is validated with vector instructions: what counts is where in the vectors a sequence lies.

namespace {

/// A text that is long enough for vector instructions, with a place in it to be written over.
struct frame {
    std::size_t size;
    std::size_t at;
};

/// Places a sequence of `size` bytes in every way over the ends of vectors of 16, 32 and 64 bytes, just before and after
/// the end of the last one, and in the middle of a text that is never read character by character.
std::vector<frame> frames_for(std::size_t size) {
    std::vector<frame> frames{{64, 64 - size}, {64 + size, 64}, {400, 200}};
    for (std::size_t const width : {16U, 32U, 64U})
        for (std::size_t before = 1; before < size; ++before) frames.push_back({80, width - before});
    return frames;
}

/// Counts the wrong verdicts on sequences that are put into one frame after the other. What is around them is whole, so
/// the verdict is that on the sequence alone.
class framed_check {
public:
    explicit framed_check(const std::vector<frame>& frames) : frames_(frames) {
        for (auto const& [size, at] : frames) texts_.push_back("\xC3\xA9" + std::string(size - 2, 'a'));
    }

    void operator()(const std::string& sequence) {
        bool const expected = reference(sequence);
        for (std::size_t i = 0; i < texts_.size(); ++i) {
            sequence.copy(&texts_[i][frames_[i].at], sequence.size());
            wrong_ += valid_utf8(texts_[i]) != expected;
            ++checked_;
        }
    }

    [[nodiscard]] std::size_t wrong() const { return wrong_; }
    [[nodiscard]] std::size_t checked() const { return checked_; }

private:
    std::vector<frame> frames_;
    std::vector<std::string> texts_;
    std::size_t wrong_ = 0;
    std::size_t checked_ = 0;
};

/// Gives valid text of exactly `size` bytes in which every script and length of character may occur.
std::string random_text(std::size_t size, std::mt19937& random) {
    std::string text;
    while (text.size() < size) {
        std::string next;
        switch (random() % 8) {
            case 0: next = std::string(random() % 70, 'a'); break;
            case 1:
            case 2: next = encoded(0x80 + static_cast<std::uint32_t>(random() % 0x780)); break;
            case 3: next = encoded(0x10000 + static_cast<std::uint32_t>(random() % 0x100000)); break;
            case 4: next = encoded(0xE000 + static_cast<std::uint32_t>(random() % 0x2000)); break;
            default: next = encoded(0x800 + static_cast<std::uint32_t>(random() % 0xD000));
        }
        text += text.size() + next.size() <= size ? next : "b";
    }
    return text;
}

/// Writes over, takes out or turns about a few bytes.
void mutate(std::string& text, std::mt19937& random) {
    for (auto count = text.empty() ? 0 : 1 + random() % 2; count > 0; --count) {
        auto& byte = text[random() % text.size()];
        switch (random() % 3) {
            case 0: byte = static_cast<char>(interesting[random() % interesting.size()]); break;
            case 1: byte = static_cast<char>(byte ^ (1 << random() % 8)); break;
            default: std::swap(byte, text[random() % text.size()]);
        }
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(utf8_bulk)

BOOST_AUTO_TEST_CASE(one_and_two_bytes_at_every_place_of_a_long_text_equal_the_reference) {
    for (std::size_t at = 2; at <= 130; ++at) {
        framed_check check_one({{at + 1, at}, {at + 50, at}, {at + 400, at}});
        for (unsigned a = 0; a < 256; ++a) check_one(bytes_of({a}));
        BOOST_TEST(check_one.wrong() == 0U);
    }
    for (std::size_t at = 2; at <= 66; ++at) {
        framed_check check_two({{at + 50, at}});
        for (unsigned a = 0; a < 256; ++a)
            for (unsigned b = 0; b < 256; ++b) check_two(bytes_of({a, b}));
        BOOST_TEST(check_two.wrong() == 0U);
    }
}

BOOST_AUTO_TEST_CASE(all_three_byte_sequences_across_the_ends_of_vectors_equal_the_reference) {
    framed_check check_three(frames_for(3));
    std::string sequence(3, '\0');
    // With an ASCII byte in front this is a sequence of two bytes one place later.
    for (unsigned a = 0x80; a < 256; ++a)
        for (unsigned b = 0; b < 256; ++b)
            for (unsigned c = 0; c < 256; ++c) {
                sequence[0] = static_cast<char>(a);
                sequence[1] = static_cast<char>(b);
                sequence[2] = static_cast<char>(c);
                check_three(sequence);
            }
    BOOST_TEST(check_three.checked() == 128U * 256 * 256 * 9);
    BOOST_TEST(check_three.wrong() == 0U);
}

BOOST_AUTO_TEST_CASE(four_byte_sequences_across_the_ends_of_vectors_equal_the_reference) {
    framed_check check_four(frames_for(4));
    for (unsigned a = 0xE0; a < 256; ++a)
        for (auto const b : interesting)
            for (auto const c : interesting)
                for (auto const d : interesting) check_four(bytes_of({a, b, c, d}));
    BOOST_TEST(check_four.wrong() == 0U);
}

BOOST_AUTO_TEST_CASE(mutations_of_valid_text_of_every_length_and_alignment_equal_the_reference) {
    std::mt19937 random(7);
    std::vector<std::size_t> lengths(301);
    std::iota(lengths.begin(), lengths.end(), 0U);
    for (std::size_t length = 380; length <= 450; ++length) lengths.push_back(length);
    alignas(64) std::array<char, 64 + 450> buffer;
    std::size_t valid = 0;
    std::size_t invalid = 0;
    for (auto const length : lengths)
        for (std::size_t alignment = 0; alignment < 64; ++alignment) {
            auto text = random_text(length, random);
            BOOST_REQUIRE(reference(text));
            for (int mutations = 0; mutations <= 2; ++mutations) {
                buffer.fill('\xBF');  // what is around must not count
                text.copy(&buffer[alignment], length);
                bool const expected = reference(text);
                BOOST_REQUIRE(valid_utf8({&buffer[alignment], length}) == expected);
                ++(expected ? valid : invalid);
                mutate(text, random);
            }
        }
    BOOST_TEST(valid > 20000U);
    BOOST_TEST(invalid > 20000U);
}

BOOST_AUTO_TEST_CASE(nothing_outside_the_text_is_read) {
    // Reading a page that allows nothing ends the program.
    auto const page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    void* const pages = mmap(nullptr, 3 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    BOOST_REQUIRE(pages != MAP_FAILED);
    char* const begin = static_cast<char*>(pages) + page;
    BOOST_REQUIRE(mprotect(begin, page, PROT_READ | PROT_WRITE) == 0);
    std::mt19937 random(3);
    for (std::size_t length = 0; length <= 600; ++length) {
        auto const text = random_text(length, random);
        text.copy(begin, length);
        BOOST_TEST(valid_utf8({begin, length}));
        text.copy(begin + page - length, length);
        BOOST_TEST(valid_utf8({begin + page - length, length}));
    }
    munmap(pages, 3 * page);
}

BOOST_AUTO_TEST_CASE(long_text_in_pieces_is_rejected_with_the_piece_that_holds_the_first_fatal_byte) {
    std::mt19937 random(11);
    std::size_t rejected = 0;
    for (int round = 0; round < 20000; ++round) {
        auto text = random_text(random() % 1500, random);
        if (round % 3 != 0) mutate(text, random);
        auto const fatal = fatal_after(text);
        auto const longest = std::size_t{1} << random() % 11;
        utf8_validator validator;
        bool alive = true;
        for (std::size_t at = 0; at < text.size() && alive;) {
            auto const piece = std::string_view(text).substr(at, random() % (longest + 1));
            at += piece.size();
            alive = validator.feed(piece);
            BOOST_REQUIRE(alive == (fatal == 0 || at < fatal));
        }
        BOOST_REQUIRE((alive && validator.complete()) == reference(text));
        rejected += !alive;
    }
    BOOST_TEST(rejected > 5000U);
}

BOOST_AUTO_TEST_SUITE_END()
