#include "protocol/mask.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <cstring>
#include <vector>

using wsio::protocol::unmask;

namespace {

std::vector<char> pattern(std::size_t size) {
    std::vector<char> bytes(size);
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 37 + 11);
    return bytes;
}

std::uint32_t key_of(const std::array<unsigned char, 4>& bytes) {
    std::uint32_t key;
    std::memcpy(&key, bytes.data(), 4);
    return key;
}

constexpr std::array<unsigned char, 4> key_bytes{0x37, 0xFA, 0x21, 0x3D};

/// RFC 6455 5.3 to the letter.
std::vector<char> reference(std::vector<char> bytes, std::size_t begin, std::size_t size, std::size_t phase) {
    for (std::size_t i = 0; i < size; ++i)
        bytes[begin + i] = static_cast<char>(bytes[begin + i] ^ key_bytes[(i + phase) % 4]);
    return bytes;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(mask)

BOOST_AUTO_TEST_CASE(rfc_example_is_unmasked) {
    char bytes[] = "\x7f\x9f\x4d\x51\x58";
    unmask(bytes, bytes, 5, key_of(key_bytes), 0);
    BOOST_TEST(std::string_view(bytes, 5) == "Hello");
}

BOOST_AUTO_TEST_CASE(every_length_alignment_and_phase_in_place_equals_the_reference_and_touches_nothing_else) {
    for (std::size_t size = 0; size <= 300; ++size)
        for (std::size_t begin = 0; begin < 16; ++begin)
            for (std::size_t phase = 0; phase < 4; ++phase) {
                auto const original = pattern(begin + size + 16);
                auto bytes = original;
                unmask(bytes.data() + begin, bytes.data() + begin, size, key_of(key_bytes), phase);
                BOOST_REQUIRE(bytes == reference(original, begin, size, phase));
            }
}

BOOST_AUTO_TEST_CASE(every_length_and_alignment_copying_equals_the_reference_and_touches_nothing_else) {
    for (std::size_t size = 0; size <= 300; ++size)
        for (std::size_t begin = 0; begin < 16; ++begin)
            for (std::size_t phase = 0; phase < 4; ++phase) {
                auto const from = pattern(size + 7);
                std::vector<char> to(begin + size + 16, '?');
                unmask(to.data() + begin, from.data() + 7, size, key_of(key_bytes), phase);
                auto const expected = reference(from, 7, size, phase);
                BOOST_REQUIRE(std::memcmp(to.data() + begin, expected.data() + 7, size) == 0);
                for (std::size_t i = 0; i < to.size(); ++i)
                    if (i < begin || i >= begin + size) BOOST_REQUIRE(to[i] == '?');
            }
}

BOOST_AUTO_TEST_CASE(phase_counts_modulo_four) {
    auto const original = pattern(40);
    for (std::size_t phase = 4; phase < 20; ++phase) {
        auto bytes = original;
        unmask(bytes.data(), bytes.data(), bytes.size(), key_of(key_bytes), phase);
        BOOST_TEST(bytes == reference(original, 0, 40, phase % 4));
    }
}

BOOST_AUTO_TEST_CASE(nothing_is_done_to_no_bytes) { unmask(nullptr, nullptr, 0, 1, 3); }

BOOST_AUTO_TEST_SUITE_END()
