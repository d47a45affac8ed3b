#include "handshake/keys.hpp"

#include "handshake/negotiation.hpp"
#include "handshake/random.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <thread>

BOOST_AUTO_TEST_SUITE(handshake_keys)

using namespace wsio::handshake;

namespace {

std::string from_hex(std::string_view text) {
    std::string bytes;
    for (std::size_t i = 0; i < text.size(); i += 2)
        bytes += static_cast<char>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16));
    return bytes;
}

struct vector_76 {
    std::string_view key_1;
    std::uint32_t part_1;
    std::string_view key_2;
    std::uint32_t part_2;
    std::string_view key3;
    std::string_view answer;
};

// PROTOCOLS 3: the first three are the draft's own, the others were answered so by seven servers.
constexpr vector_76 vectors[] = {
    {"4 @1  46546xW%0l 1 5", 829309203, "12998 5 Y3 1  .P00", 259970620, "5e6e3a64735b3455",
     "386a4b5327793a472a436f2c5778612d"},
    {"18x 6]8vM;54 *(5:  {   U1]8  z [  8", 155712099, "1_ tx7X d  <  nw  334J702) 7]o}` 0", 173347027,
     "546d5b4b20543275", "66514a2c664e2f344634217e4b7e4d48"},
    {"3e6b263  4 17 80", 906585445, "17  9 G`ZD9   2 2b 7X 3 /r90", 179922739, "576a4e7d7c4d2836",
     "6e603965426b397a245238704f745662"},
    {"4294967 295!", 4294967295, "a4294967 295b", 4294967295, "00ff0d0a0d0a00ff", "e0b116d4332a77ad313fd0ad4fabd2b7"},
    {"2 1 4 7 4 8 3 6 5 2 z z z", 178956971, "q 3 9 9 9 9 9 9 9 9 3 ~", 363636363, "ff00ff00ff00ff00",
     "2bf92ff78b4951422379014cf50d87b7"},
    {"12 K0872 76w  64", 302181916, "2In 7 u 5Z403o#49* `2", 68850873, "0e565356e684aa08",
     "ec9cc5adad60daefa569d6ac62f77dd3"},
    {"0 !", 0, "!0 0 z 0", 0, "0000000000000000", "4ae71336e44bf9bf79d2752e234818a5"},
};

}  // namespace

BOOST_AUTO_TEST_CASE(accept_keys_match_the_vectors) {
    BOOST_TEST(accept_key("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");  // RFC 6455 1.3
    BOOST_TEST(accept_key("AAAAAAAAAAAAAAAAAAAAAA==") == "ICX+Yqv66kxgM0FcWaLWlFLwTAI=");
    BOOST_TEST(accept_key("/////////////////////w==") == "XXpj4jYzLM2yUE0C7TIgMwTQh2g=");
    BOOST_TEST(accept_key("x3JJHMbDL1EzLkh9GBhXDw==") == "HSmrc0sMlYUkAGmm5OPpG2HaGWk=");
    BOOST_TEST(accept_key("AQIDBAUGBwgJCgsMDQ4PEC==") == "OfS0wDaT5NoxF2gqm7Zj2YtetzM=");
    BOOST_TEST(accept_key("OC0xNzk1NDIxMjY4NDg1") == "Vn7FlwPY1iK2kNjsdYk9IvILeMU=");
}

BOOST_AUTO_TEST_CASE(a_key_of_any_length_is_hashed) {
    BOOST_TEST(accept_key("").size() == 28U);
    BOOST_TEST(accept_key(std::string(100000, 'x')).size() == 28U);
}

BOOST_AUTO_TEST_CASE(sixteen_bytes_are_24_characters_of_base64) {
    BOOST_TEST(is_sixteen_bytes("dGhlIHNhbXBsZSBub25jZQ=="));
    BOOST_TEST(is_sixteen_bytes("/+AAAAAAAAAAAAAAAAAAAA=="));
    BOOST_TEST(is_sixteen_bytes("AQIDBAUGBwgJCgsMDQ4PEC=="));  // not canonical
    BOOST_TEST(!is_sixteen_bytes("OC0xNzk1NDIxMjY4NDg1"));     // 15 bytes
    BOOST_TEST(!is_sixteen_bytes("dGhlIHNhbXBsZSBub25jZQ"));   // no padding
    BOOST_TEST(!is_sixteen_bytes("dGhlIHNhbXBsZSBub25jZQ="));
    BOOST_TEST(!is_sixteen_bytes("dGhlIHNhbXBsZSBub25jZWE="));  // 17 bytes
    BOOST_TEST(!is_sixteen_bytes("dGhlIHNhbXBsZSBub25jZQ=== "));
    BOOST_TEST(!is_sixteen_bytes("dGhlIHNhbXBsZSBub25jZ==="));
    BOOST_TEST(!is_sixteen_bytes("dGhlIHNhbXBsZ-Bub25jZQ=="));  // the alphabet of URLs
    BOOST_TEST(!is_sixteen_bytes("dGhlIHNhbXBsZSBub25jZ =="));
    BOOST_TEST(!is_sixteen_bytes("========================"));
    BOOST_TEST(!is_sixteen_bytes(""));
}

BOOST_AUTO_TEST_CASE(hixie_76_vectors_give_their_parts_and_answers) {
    for (auto const& v : vectors) {
        BOOST_TEST_CONTEXT("key 1 " << v.key_1) {
            auto const part_1 = hixie_76_part(v.key_1);
            auto const part_2 = hixie_76_part(v.key_2);
            BOOST_REQUIRE(part_1.has_value());
            BOOST_REQUIRE(part_2.has_value());
            BOOST_TEST(*part_1 == v.part_1);
            BOOST_TEST(*part_2 == v.part_2);
            auto const answer = hixie_76_answer(*part_1, *part_2, from_hex(v.key3));
            BOOST_TEST((std::string(answer.begin(), answer.end()) == from_hex(v.answer)));
        }
    }
}

BOOST_AUTO_TEST_CASE(hixie_76_keys_that_must_be_refused_give_nothing) {
    BOOST_TEST(!hixie_76_part("4@146546xW%0l15"));                   // no space
    BOOST_TEST(!hixie_76_part("4 @1  46546xW%0l 1 6"));              // remainder 1
    BOOST_TEST(!hixie_76_part("429496729 6"));                       // 2^32
    BOOST_TEST(!hixie_76_part("4 2 9 4 9 6 7 2 9 6 0          z"));  // the quotient fits, the number does not
    BOOST_TEST(!hixie_76_part("ab cd"));                             // no digit
    BOOST_TEST(!hixie_76_part(""));
    BOOST_TEST(!hixie_76_part(" "));
    BOOST_TEST(!hixie_76_part("18446744073709551616 "));  // 2^64 would wrap to 0
    BOOST_TEST(!hixie_76_part("1" + std::string(100000, '0') + " "));
}

BOOST_AUTO_TEST_CASE(leading_zeros_and_many_spaces_are_counted_right) {
    BOOST_TEST(hixie_76_part("0000000000000000000000042 ").value() == 42U);
    BOOST_TEST(hixie_76_part("4294967295" + std::string(65535, ' ')).value() == 65537U);
    BOOST_TEST(hixie_76_part("0" + std::string(100000, ' ')).value() == 0U);
    BOOST_TEST(!hixie_76_part("1  "));
}

BOOST_AUTO_TEST_CASE(hixie_76_alone_has_a_nonce_behind_the_head) {
    for (auto const version : wsio::all_protocol_versions)
        BOOST_TEST(nonce_size(version) == (version == wsio::protocol_version::hixie_76 ? 8U : 0U), to_string(version));
}

BOOST_AUTO_TEST_CASE(threads_may_hash_at_the_same_time) {
    std::string results[4];
    std::thread threads[4];
    for (int i = 0; i < 4; ++i)
        threads[i] = std::thread([&, i] {
            for (int n = 0; n < 1000; ++n) results[i] = accept_key("dGhlIHNhbXBsZSBub25jZQ==");
        });
    for (auto& thread : threads) thread.join();
    for (auto const& result : results) BOOST_TEST(result == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

BOOST_AUTO_TEST_CASE(random_bytes_are_not_the_same_twice) {
    std::array<std::byte, 16> first{};
    std::array<std::byte, 16> second{};
    fill_with_random(first);
    fill_with_random(second);
    BOOST_TEST((first != second));
    BOOST_TEST((first != std::array<std::byte, 16>{}));
}

BOOST_AUTO_TEST_SUITE_END()
