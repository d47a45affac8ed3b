#include "protocol/mask.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
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
        for (std::size_t begin = 0; begin < 64; ++begin)
            for (std::size_t phase = 0; phase < 4; ++phase) {
                auto const original = pattern(begin + size + 64);
                auto bytes = original;
                unmask(bytes.data() + begin, bytes.data() + begin, size, key_of(key_bytes), phase);
                BOOST_REQUIRE(bytes == reference(original, begin, size, phase));
            }
}

BOOST_AUTO_TEST_CASE(every_length_alignment_and_phase_copying_equals_the_reference_and_touches_nothing_else) {
    for (std::size_t size = 0; size <= 300; ++size)
        for (std::size_t begin = 0; begin < 64; ++begin)
            for (std::size_t phase = 0; phase < 4; ++phase) {
                // Decoders copy from behind a header to wherever the message has come to: both are aligned anyhow.
                auto const from_begin = (begin * 7 + size) % 64;
                auto const from = pattern(from_begin + size);
                std::vector<char> to(begin + size + 64, '?');
                unmask(to.data() + begin, from.data() + from_begin, size, key_of(key_bytes), phase);

                auto const unmasked = reference(from, from_begin, size, phase);
                std::vector<char> expected(to.size(), '?');
                std::copy(unmasked.begin() + static_cast<std::ptrdiff_t>(from_begin), unmasked.end(),
                          expected.begin() + static_cast<std::ptrdiff_t>(begin));
                BOOST_REQUIRE(to == expected);
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
