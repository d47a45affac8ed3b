#include "protocol/short_payload.hpp"

#include "protocol/hybi_frames.hpp"

#include <cstring>
#include <string>

// The short ways for short messages: they have to give what the general ones give, and to leave everything else to them.

namespace wsio::protocol::test {
namespace {

/// Decodes all of `bytes` as a connection does, the short way first. Counts how often that was taken.
seen_list short_first(const decoder_factory& make, std::string_view bytes, int& taken) {
    auto const made = make();
    auto& decoder = dynamic_cast<hybi_decoder&>(*made);
    std::vector<char> memory(bytes.begin(), bytes.end());
    std::span<char> input(memory);
    seen_list events;
    while (!input.empty()) {
        auto const before = input;
        event found;
        bool const is_short = decoder.next_short(input, found);
        if (is_short)
            ++taken;
        else {
            BOOST_REQUIRE((input.data() == before.data() && input.size() == before.size()));
            BOOST_REQUIRE(
                (std::string_view(before.data(), before.size()) == bytes.substr(bytes.size() - before.size())));
            found = decoder.next(input);
        }
        if (found.kind != event_kind::need_more) events.push_back(copy(found));
    }
    return events;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(short_payload)

BOOST_AUTO_TEST_CASE(a_short_payload_is_unmasked_and_its_ascii_seen) {
    std::uint32_t key_word;
    std::memcpy(&key_word, key.data(), sizeof key_word);
    for (std::size_t size = 0; size <= 125; ++size) {
        auto const plain = letters(size);
        auto bytes = masked(plain);
        BOOST_TEST(unmask_short(bytes.data(), size, key_word));
        BOOST_TEST(bytes == plain);
        for (std::size_t at = 0; at < size; ++at) {
            auto other = plain;
            other[at] = '\xC3';
            bytes = masked(other);
            BOOST_REQUIRE(!unmask_short(bytes.data(), size, key_word));
            BOOST_REQUIRE(bytes == other);
        }
    }
}

BOOST_AUTO_TEST_CASE(whole_short_messages_take_the_short_way) {
    std::string bytes;
    seen_list expected;
    for (std::size_t size = 0; size <= 125; ++size) {
        bytes += frame(0x81, letters(size)) + frame(0x82, noise(size)) + frame(0x81, "\xC3\xA4");
        expected.insert(expected.end(), {text(letters(size)), binary(noise(size)), text("\xC3\xA4")});
    }
    int taken = 0;
    BOOST_TEST(short_first(make(), bytes, taken) == expected, boost::test_tools::per_element());
    BOOST_TEST(taken == 3 * 126);
}

BOOST_AUTO_TEST_CASE(invalid_text_fails_on_the_short_way) {
    int taken = 0;
    BOOST_TEST(short_first(make(), frame(0x81, "\xC3") + frame(0x81, "never"), taken) ==
                   seen_list{failed(1007, "text is not valid UTF-8 (RFC 6455 8.1)")},
               boost::test_tools::per_element());
    BOOST_TEST(taken == 1);
}

BOOST_AUTO_TEST_CASE(everything_else_is_left_to_the_general_way) {
    for (auto const& bytes : {frame(0x01, "frag") + frame(0x00, "ment") + frame(0x80, ""),  // fragments
                              frame(0x01, "a") + frame(0x81, "inside"),                 // a violation within a message
                              frame(0x89, "ping"), close_frame(1000, "bye"),            // control frames
                              frame(0x82, noise(126)), frame(0x82, noise(70000)),       // longer ones
                              server_frame(0x81, "unmasked"), frame(0xC1, "reserved"),  // violations
                              frame(0x81, "cut").substr(0, 7), std::string("\x81"),     // parts
                              std::string("\x81\x83"
                                          "abcd",
                                          6)}) {
        int taken = 0;
        BOOST_TEST(short_first(make(), bytes, taken) == feed_cut(make(), bytes, {}), boost::test_tools::per_element());
        BOOST_TEST(taken == 0);
    }
    int taken = 0;
    BOOST_TEST(short_first(limited(3), frame(0x82, "four"), taken) ==
                   seen_list{failed(1009, "message is over the size limit")},
               boost::test_tools::per_element());
    auto const client = make(protocol_version::hybi_13, {}, role::client);
    BOOST_TEST(short_first(client, server_frame(0x81, "from a server"), taken) == seen_list{text("from a server")},
               boost::test_tools::per_element());
    BOOST_TEST(taken == 0);
}

BOOST_AUTO_TEST_CASE(nothing_is_taken_behind_the_end) {
    int taken = 0;
    BOOST_TEST(short_first(make(), close_frame(1000) + frame(0x81, "late"), taken) == seen_list{closing(1000)},
               boost::test_tools::per_element());
    BOOST_TEST(taken == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace wsio::protocol::test
