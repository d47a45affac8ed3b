#include "protocol/deflate.hpp"

#include "protocol/feed.hpp"
#include "protocol/hybi_frames.hpp"

#include <zlib.h>

#include <algorithm>
#include <limits>
#include <random>
#include <string>
#include <string_view>

namespace wsio::protocol::test {

namespace {

using outcome = inflater::outcome;

constexpr std::size_t no_limit = std::size_t{1} << 30;

struct inflated {
    outcome result;
    std::string message;
};

inflated inflate(std::string_view payload, std::size_t limit = no_limit, std::string_view history = {}) {
    static inflater engine;  // one for all, as on a loop: nothing may be left over from what it did before
    byte_buffer out;
    auto const result = engine.inflate(payload, history, limit, out);
    return {result, std::string(out.view())};
}

std::string message_of(std::string_view payload, std::string_view history = {}) {
    auto const [result, message] = inflate(payload, no_limit, history);
    BOOST_REQUIRE((result == outcome::done));
    return message;
}

std::string deflated(deflater& engine, std::string_view message) {
    byte_buffer out;
    engine.deflate(message, out);
    return std::string(out.view());
}

std::string deflated(std::string_view message, deflate_settings settings = {}) {
    deflater engine(settings);
    return deflated(engine, message);
}

/// Text that compresses as text does.
std::string prose(std::size_t size, unsigned seed = 1) {
    static constexpr std::string_view words[] = {"the ",    "message ", "is ", "compressed ",
                                                 "window ", "of ",      "a ",  "peer "};
    std::mt19937 random(seed);
    std::string text;
    while (text.size() < size) text += random() % 9 == 0 ? std::to_string(random()) : std::string(words[random() % 8]);
    text.resize(size);
    return text;
}

/// Inflates with a window of so many bits and one byte of room at a time, so that every reference goes to the window.
bool fits_window(std::string_view payload, int bits, std::string_view message) {
    z_stream stream{};
    BOOST_REQUIRE(::inflateInit2(&stream, -bits) == Z_OK);
    std::string input(payload);
    input += std::string_view("\0\0\xff\xff", 4);
    stream.next_in = reinterpret_cast<Bytef*>(input.data());
    stream.avail_in = static_cast<uInt>(input.size());
    std::string out;
    int result = Z_OK;
    while (result == Z_OK && out.size() < message.size()) {
        char byte = 0;
        stream.next_out = reinterpret_cast<Bytef*>(&byte);
        stream.avail_out = 1;
        result = ::inflate(&stream, Z_SYNC_FLUSH);
        if (stream.avail_out == 0) out += byte;
    }
    ::inflateEnd(&stream);
    return out == message;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(deflating)

BOOST_AUTO_TEST_CASE(examples_of_rfc_7692_are_inflated) {
    BOOST_TEST(message_of(hex("f2 48 cd c9 c9 07 00")) == "Hello");                    // 7.2.3.1
    BOOST_TEST(message_of(hex("f2 00 11 00 00"), "Hello") == "Hello");                 // 7.2.3.2
    BOOST_TEST(message_of(hex("00 05 00 fa ff 48 65 6c 6c 6f 00")) == "Hello");        // 7.2.3.3
    BOOST_TEST(message_of(hex("f3 48 cd c9 c9 07 00 00")) == "Hello");                 // 7.2.3.4
    BOOST_TEST(message_of(hex("f2 48 05 00 00 00 ff ff ca c9 c9 07 00")) == "Hello");  // 7.2.3.5
    BOOST_TEST(message_of(hex("00")) == "");                                           // 7.2.3.6
}

BOOST_AUTO_TEST_CASE(examples_of_rfc_7692_are_what_is_made) {
    deflater engine({});
    BOOST_TEST(deflated(engine, "Hello") == hex("f2 48 cd c9 c9 07 00"));  // 7.2.3.1
    BOOST_TEST(deflated(engine, "Hello") == hex("f2 00 11 00 00"));        // 7.2.3.2
    BOOST_TEST(deflated(engine, "") == hex("00"));                         // 7.2.3.6
    BOOST_TEST(message_of(deflated(engine, "Hello"), "HelloHello") == "Hello");
}

BOOST_AUTO_TEST_CASE(messages_of_every_size_come_back) {
    for (int const bits : {8, 9, 12, 15})
        for (int const level : {1, 3, 9}) {
            deflater engine({.window_bits = bits, .level = level, .memory_level = bits == 15 ? 9 : 1});
            std::string history;
            for (std::size_t const size :
                 {0, 1, 2, 3, 10, 100, 255, 256, 257, 1000, 4096, 16383, 16384, 16385, 70000, 300000}) {
                for (auto const& message : {prose(size), noise(size), std::string(size, 'x')}) {
                    auto const payload = deflated(engine, message);
                    BOOST_REQUIRE(message_of(payload, history) == message);
                    history += message;
                    history.erase(0, history.size() - std::min(history.size(), std::size_t{1} << bits));
                }
            }
        }
}

BOOST_AUTO_TEST_CASE(a_small_window_is_kept_to_even_one_of_256_bytes) {
    for (int bits = 8; bits <= 15; ++bits)
        for (int level = 1; level <= 9; ++level)
            for (int const memory : {1, 5, 9}) {
                auto const message = prose(20000, static_cast<unsigned>(level)) + std::string(3000, 'a') + prose(9000);
                auto const payload = deflated(message, {.window_bits = bits, .level = level, .memory_level = memory});
                BOOST_REQUIRE_MESSAGE(fits_window(payload, bits, message), bits << " bits, level " << level);
            }
    // The check can fail: what needs a larger window does not fit.
    BOOST_TEST(!fits_window(deflated(noise(400) + noise(400), {.window_bits = 15}), 8, noise(400) + noise(400)));
}

BOOST_AUTO_TEST_CASE(a_message_alone_refers_to_no_other) {
    deflater engine({});
    for (int round = 0; round < 3; ++round) {
        byte_buffer out;
        out.append("before");
        BOOST_TEST(engine.deflate_alone(prose(1000), out));
        BOOST_TEST(out.view().substr(0, 6) == "before");
        BOOST_TEST(message_of(out.view().substr(6)) == prose(1000));
    }
}

BOOST_AUTO_TEST_CASE(a_message_alone_that_gets_no_shorter_is_left) {
    deflater engine({});
    for (std::size_t const size : {0, 1, 5, 100, 10000, 100000}) {
        byte_buffer out;
        out.append("before");
        BOOST_TEST(!engine.deflate_alone(noise(size), out));
        BOOST_TEST(out.view() == "before");
        BOOST_TEST(engine.deflate_alone(prose(1000), out));  // it is as good as new
        BOOST_TEST(message_of(out.view().substr(6)) == prose(1000));
    }
}

BOOST_AUTO_TEST_CASE(output_is_bounded_exactly) {
    for (std::size_t const limit : {1, 5, 1000, 16383, 16384, 16385, 50000, 1000000}) {
        for (auto const& whole : {std::string(limit, 'x'), prose(limit), noise(limit)}) {
            BOOST_TEST((inflate(deflated(whole), limit).result == outcome::done));
            BOOST_TEST(inflate(deflated(whole), limit).message == whole);
            BOOST_TEST((inflate(deflated(whole + "y"), limit).result == outcome::too_big));
            BOOST_TEST((inflate(deflated(whole + "yz"), limit).result == outcome::too_big));
        }
    }
    BOOST_TEST((inflate(deflated("x"), std::numeric_limits<std::size_t>::max()).message == "x"));
}

BOOST_AUTO_TEST_CASE(a_bomb_takes_no_more_than_the_limit) {
    auto const bomb = deflated(std::string(std::size_t{64} << 20, '\0'), {.level = 9});
    BOOST_TEST(bomb.size() < (std::size_t{64} << 20) / 1000);
    inflater engine;
    byte_buffer out;
    BOOST_TEST((engine.inflate(bomb, {}, 100000, out) == outcome::too_big));
    BOOST_TEST(out.capacity() <= 2 * 100001U);  // a buffer may get a block of up to twice what it needs
    BOOST_TEST((engine.inflate(bomb, {}, std::size_t{64} << 20, out) == outcome::done));
    BOOST_TEST(out.size() == std::size_t{64} << 20);
}

BOOST_AUTO_TEST_CASE(a_message_takes_about_its_own_size) {
    inflater engine;
    for (std::size_t const size : {1, 100, 10000, 16383}) {
        byte_buffer out;
        BOOST_TEST((engine.inflate(deflated(prose(size)), {}, no_limit, out) == outcome::done));
        BOOST_TEST(out.capacity() == size);
    }
    for (std::size_t const size : {20000, 500000, 5000000}) {
        byte_buffer out;
        BOOST_TEST((engine.inflate(deflated(std::string(size, 'x')), {}, no_limit, out) == outcome::done));
        BOOST_TEST(out.capacity() <= 2 * (size + size / 2));
    }
}

BOOST_AUTO_TEST_CASE(a_payload_that_was_cut_is_broken) {
    auto const message = prose(3000);
    auto const payload = deflated(message);
    for (std::size_t size = 1; size < payload.size(); ++size) {
        auto const result = inflate(std::string_view(payload).substr(0, size));
        // Where the rest happens to be complete without its last byte, it is the message all the same.
        BOOST_REQUIRE_MESSAGE(result.result == outcome::broken || message.starts_with(result.message),
                              "cut to " << size);
        if (size + 2 < payload.size()) BOOST_REQUIRE_MESSAGE(result.result == outcome::broken, "cut to " << size);
    }
}

BOOST_AUTO_TEST_CASE(a_stored_block_that_was_cut_may_have_the_tail_for_its_data) {
    BOOST_TEST(message_of(hex("00 04 00 fb ff")) == hex("00 00 ff ff"));  // as RFC 7692 7.2.2 has it
    BOOST_TEST((inflate(hex("00 05 00 fa ff")).result == outcome::broken));
}

BOOST_AUTO_TEST_CASE(a_tail_that_is_missing_or_there_twice) {
    // Without the empty block's first byte the tail is read as something else.
    BOOST_TEST((inflate(hex("f2 48 cd c9 c9 07")).result == outcome::broken));
    // With all of the tail on the wire, the one that is appended lacks its first byte.
    BOOST_TEST((inflate(hex("f2 48 cd c9 c9 07 00 00 00 ff ff")).result == outcome::broken));
    BOOST_TEST(message_of(hex("f2 48 cd c9 c9 07 00 00 00 ff ff 00")) == "Hello");
    // A final block says itself that the message is over.
    BOOST_TEST(message_of(hex("f3 48 cd c9 c9 07 00")) == "Hello");
}

BOOST_AUTO_TEST_CASE(garbage_is_broken) {
    BOOST_TEST((inflate(hex("06")).result == outcome::broken));  // block type 3
    BOOST_TEST((inflate(hex("ff ff ff")).result == outcome::broken));
    BOOST_TEST((inflate(hex("00 05 00 00 00 48 65 6c 6c 6f 00")).result == outcome::broken));  // length and complement
    BOOST_TEST((inflate(hex("f2 00 11 00 00")).result == outcome::broken));  // refers to a message that never was
    std::mt19937 random(3);
    std::size_t broken = 0;
    for (int round = 0; round < 2000; ++round) {
        auto const bytes = noise(1 + random() % 200 + static_cast<std::size_t>(round));
        auto const result = inflate(bytes, 5000);
        if (result.result == outcome::done) BOOST_REQUIRE(result.message.size() <= 5000);
        broken += result.result == outcome::broken;
    }
    BOOST_TEST(broken > 1900U);
    BOOST_TEST(message_of(hex("f2 48 cd c9 c9 07 00")) == "Hello");
}

BOOST_AUTO_TEST_CASE(empty_blocks_are_legal_everywhere) {
    std::string const empty = hex("00 00 00 ff ff");
    BOOST_TEST(message_of("") == "");  // what zlib makes of a second flush
    std::string payload;
    for (int i = 0; i < 1000; ++i) payload += empty;
    BOOST_TEST(message_of(payload + hex("f2 48 cd c9 c9 07 00")) == "Hello");
    BOOST_TEST(message_of(payload + hex("00")) == "");
    BOOST_TEST(message_of(hex("02 00")) == "");  // a fixed block with nothing but its end
}

BOOST_AUTO_TEST_CASE(what_follows_a_final_block_refers_back_across_it) {
    // "Hello" in a final block, then the second message of 7.2.3.2, which refers to it, and once more.
    BOOST_TEST(message_of(hex("f3 48 cd c9 c9 07 00") + hex("f2 00 11 00 00")) == "HelloHello");
    BOOST_TEST(message_of(hex("f3 00 11 00") + hex("f2 00 11 00 00"), "Hello") == "HelloHello");
    BOOST_TEST(message_of(hex("f3 48 cd c9 c9 07 00") + hex("03 00") + hex("f3 00 11 00") + hex("f2 00 11 00 00")) ==
               "HelloHelloHello");
    for (std::size_t const size : {10'000, 40'000, 200'000}) {  // more than the scratch block, than the window
        deflater engine({});
        auto const text = prose(size);
        auto const again = text.substr(size - 9'000);
        auto const begun = deflated(engine, text) + std::string(flush_tail);
        auto const rest = deflated(engine, again);
        BOOST_TEST(rest.size() < 500U);  // refers back
        BOOST_TEST((message_of(begun + hex("03 00") + rest) == text + again));
        BOOST_TEST((message_of(begun + hex("03 00 03 00 01 00 00 ff ff") + rest) == text + again));
    }
    // Final empty blocks without end are no message of any size.
    std::string payload;
    for (int i = 0; i < 5000; ++i) payload += hex("03 00");
    BOOST_TEST(message_of(payload + hex("00")) == "");
    // Step by step, too.
    message_inflater steps("Hello");
    std::string made(100, ' ');
    auto const twice = hex("f3 00 11 00") + hex("03 00") + hex("f3 00 11 00");
    std::string_view rest = twice;
    BOOST_TEST(!steps.inflate(rest, made).broken);
    BOOST_TEST(steps.stream_ended());
    BOOST_TEST(made.substr(0, 11) == "HelloHello ");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace wsio::protocol::test
