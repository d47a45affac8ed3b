#include "protocol/deflate_tools.hpp"

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

// The decoder with compressed messages, and both ends of a connection against each other.

namespace wsio::protocol::test {

namespace {

std::string many(std::string_view word, int times) {
    std::string all;
    for (int i = 0; i < times; ++i) all += word;
    return all;
}

/// Takes a large message step by step.
struct steps {
    inflating_decoder decoder;
    std::string bytes;
    std::span<char> input;
    event found;

    /// The first `before` bytes have come before, so that the payload is put together by the decoder.
    explicit steps(std::string all, decoder_limits limits = {}, std::size_t before = 0)
        : decoder(limits, taking_over), bytes(std::move(all)) {
        auto front = std::span(bytes).first(before);
        if (before != 0) BOOST_REQUIRE(decoder.next(front).kind == event_kind::need_more);
        input = std::span(bytes).subspan(before);
    }

    event_kind go() {
        found = decoder.next(input);
        return found.kind;
    }
    std::string rest_in_parts() {
        std::string all;
        do {
            BOOST_REQUIRE(go() == event_kind::part);
            all += found.data;
        } while (!found.last);
        return all;
    }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(compressed_messages)

BOOST_AUTO_TEST_CASE(rfc_7692_examples_are_decoded) {
    check(inflating(), frame(0xC1, hex("f2 48 cd c9 c9 07 00")), {text("Hello")});
    check(inflating(), frame(0x41, hex("f2 48 cd")) + frame(0x80, hex("c9 c9 07 00")), {text("Hello")});
    check(inflating(), frame(0xC1, hex("f2 48 cd c9 c9 07 00")) + frame(0xC1, hex("f2 00 11 00 00")),
          {text("Hello"), text("Hello")});
    check(inflating(), frame(0xC1, hex("00 05 00 fa ff 48 65 6c 6c 6f 00")), {text("Hello")});
    check(inflating(), frame(0xC1, hex("f3 48 cd c9 c9 07 00 00")), {text("Hello")});
    check(inflating(), frame(0xC1, hex("f2 48 05 00 00 00 ff ff ca c9 c9 07 00")), {text("Hello")});
    check(inflating(), frame(0xC2, hex("00")) + frame(0xC2, ""), {binary(""), binary("")});
}

BOOST_AUTO_TEST_CASE(a_decoder_knows_its_codec) {
    deflate_engines engines;
    hybi_decoder decoder(rules_of(protocol_version::hybi_13), role::server, {});
    BOOST_TEST((decoder.codec() == nullptr));
    permessage_deflate shared(engines, role::server, alone, {}, 256);
    BOOST_TEST(shared.threshold() == 256U);
    decoder.inflate_with(shared.share());
    BOOST_TEST((decoder.codec() == &shared));
    decoder.inflate_with(permessage_deflate::pointer(new permessage_deflate(engines, role::server, alone, {}, 0)));
    BOOST_TEST((decoder.codec() != nullptr && decoder.codec() != &shared));
    decoder.inflate_with(nullptr);
    BOOST_TEST((decoder.codec() == nullptr));
}

BOOST_AUTO_TEST_CASE(the_memory_of_one_large_message_is_not_kept) {
    deflate_engines engines;
    engines.blank().reserve(std::size_t{1} << 20);
    BOOST_TEST(engines.blank().capacity() == 0U);
    engines.blank().append("kept");
    auto const kept = engines.blank().capacity();
    BOOST_TEST(kept >= 4U);
    BOOST_TEST(engines.blank().empty());
}

BOOST_AUTO_TEST_CASE(compressed_and_plain_messages_may_alternate) {
    client sender;
    auto bytes = sender.text("compressed") + frame(0x81, "plain");
    bytes += sender.text("compressed");
    bytes += frame(0x01, "pl") + frame(0x89, "p") + frame(0x80, "ain");
    bytes += sender.binary("compressed");
    check(inflating(), bytes,
          {text("compressed"), text("plain"), text("compressed"), ping("p"), text("plain"), binary("compressed")});
}

BOOST_AUTO_TEST_CASE(control_frames_between_compressed_fragments_come_first) {
    auto const payload = client().payload(many("fragment ", 20));
    check(inflating(),
          frame(0x41, payload.substr(0, 3)) + frame(0x89, "p") + frame(0x00, "") + frame(0x8A, "q") +
              frame(0x80, payload.substr(3)),
          {ping("p"), pong("q"), text(many("fragment ", 20))});
    check(inflating(), frame(0x41, payload) + close_frame(1000) + frame(0x80, ""), {closing(1000)});
}

BOOST_AUTO_TEST_CASE(messages_of_every_size_and_fragmentation_are_decoded) {
    for (std::size_t const size : {1, 125, 126, 5000, 70000, 200000}) {
        client sender;
        auto bytes = sender.binary(noise(size));
        bytes += sender.text(letters(size));
        check(inflating(), bytes, {binary(noise(size)), text(letters(size))});
        for (std::size_t const part : {1, 7, 1000, 40000})
            if (size / part < 10000)
                check(inflating(), fragmented(0xC2, client().payload(noise(size)), part) + frame(0x81, "next"),
                      {binary(noise(size)), text("next")});
    }
}

BOOST_AUTO_TEST_CASE(a_message_of_many_bytes_is_inflated_in_steps) {
    for (auto const& message : {noise(300'000), noise(100'000) + std::string(8'000'000, 'a')}) {
        steps of(frame(0xC2, client().payload(message)) + frame(0x81, "behind"));
        int count = 0;
        for (; of.go() == event_kind::need_more; ++count) {
            BOOST_REQUIRE(of.decoder.holds_more());
            BOOST_REQUIRE(of.decoder.window().empty());
            BOOST_REQUIRE(of.input.size() == frame(0x81, "behind").size());
        }
        BOOST_TEST(count >= 4);
        BOOST_TEST((of.found.kind == event_kind::message));
        BOOST_TEST((of.found.data == message));
        BOOST_TEST(!of.decoder.holds_more());
        BOOST_TEST((of.go() == event_kind::message));
        BOOST_TEST(of.found.data == "behind");
    }
}

BOOST_AUTO_TEST_CASE(blocks_with_nothing_in_them_are_inflated_in_steps) {
    steps of(frame(0xC2, many(hex("00 00 00 ff ff"), 100'000) + '\0'));
    int count = 0;
    while (of.go() == event_kind::need_more) ++count;
    BOOST_TEST(count >= 7);
    BOOST_TEST((of.found.kind == event_kind::message && of.found.data.empty()));
}

BOOST_AUTO_TEST_CASE(what_is_inflated_in_steps_is_checked_as_the_rest_is) {
    auto const invalid = frame(0xC1, client().payload(noise(300'000)));
    check(inflating(), invalid, {failed(1007, "text is not valid UTF-8 (RFC 6455 8.1)")});
    std::string text_of_two;
    for (char const c : noise(150'000)) {
        text_of_two += static_cast<char>(0xC4 | (c >> 6 & 1));
        text_of_two += static_cast<char>(0x80 | (c & 0x3F));
    }
    auto const payload = client().payload(text_of_two);
    BOOST_TEST(payload.size() > 100'000U);
    check(inflating(), frame(0xC1, payload), {text(text_of_two)});
    auto const cut = text_of_two.substr(0, text_of_two.size() - 1);
    check(inflating(), frame(0xC1, client().payload(cut)), {failed(1007, "text is not valid UTF-8 (RFC 6455 8.1)")});
    auto const no_deflate = "compressed message is not valid DEFLATE data (RFC 7692 7.2.2)";
    check(inflating(), frame(0xC2, payload.substr(0, 90'000)), {failed(1007, no_deflate)});
    check(inflating(), frame(0xC2, payload.substr(0, 90'000) + noise(10'000)), {failed(1007)});
    // A final block needs no tail, and blocks may follow it.
    auto const stored = [](unsigned first, std::string_view bytes) {
        return static_cast<char>(first) + number(bytes.size() & 0xFF, 1) + number(bytes.size() >> 8, 1) +
               number(~bytes.size() & 0xFF, 1) + number(~bytes.size() >> 8 & 0xFF, 1) + std::string(bytes);
    };
    auto const a = noise(60'000);
    auto const b = letters(30'000);
    check(inflating(), frame(0xC2, stored(0, a) + stored(1, b)), {binary(a + b)});
    check(inflating(), frame(0xC2, stored(1, a) + stored(1, b)), {binary(a + b)});
}

BOOST_AUTO_TEST_CASE(the_limit_of_what_is_inflated_in_steps_is_exact) {
    for (auto const& message : {noise(200'000), noise(100'000) + std::string(3'000'000, 'a')}) {
        auto const bytes = frame(0xC2, client().payload(message));
        check(inflating({.message_size = message.size()}), bytes, {binary(message)});
        for (std::size_t const before : {0, 30'000}) {
            steps of(bytes, {.message_size = message.size() - 1}, before);
            while (of.go() == event_kind::need_more) BOOST_REQUIRE(of.decoder.holds_more());
            BOOST_TEST((of.found.kind == event_kind::failed && of.found.code == close_code::message_too_big));
            BOOST_TEST(of.found.resumable);
            BOOST_TEST((of.decoder.receive_in_parts(message.size()).kind == event_kind::need_more));
            BOOST_TEST((of.rest_in_parts() == message));
        }
    }
}

BOOST_AUTO_TEST_CASE(parts_may_be_asked_for_between_steps) {
    auto const message = noise(150'000) + std::string(500'000, 'a');
    auto const bytes = frame(0xC2, client().payload(message));
    int count = 0;
    for (bool over = false; !over; ++count) {
        steps of(bytes, {}, count % 2 == 0 ? 0 : 30'000);
        for (int i = 0; i <= count && !over; ++i) over = of.go() != event_kind::need_more;
        if (over) break;
        BOOST_TEST((of.decoder.receive_in_parts(message.size()).kind == event_kind::need_more));
        BOOST_TEST((of.rest_in_parts() == message));
    }
    BOOST_TEST(count >= 4);
}

BOOST_AUTO_TEST_CASE(rsv1_is_refused_where_it_was_not_negotiated) {
    for (auto const version : hybi_versions)
        check(make(version), frame(0xC1, hex("f2 48 cd c9 c9 07 00")), {failed(1002)});
}

BOOST_AUTO_TEST_CASE(rsv1_is_refused_on_continuations_and_control_frames) {
    auto const payload = client().payload("a message");
    check(inflating(), frame(0x41, payload.substr(0, 2)) + frame(0xC0, payload.substr(2)), {failed(1002)});
    check(inflating(), frame(0x01, "plain") + frame(0xC0, payload), {failed(1002)});
    for (unsigned const first : {0xC8, 0xC9, 0xCA}) check(inflating(), frame(first, ""), {failed(1002)});
    BOOST_TEST(fails_after(inflating(), frame(0x41, "ab") + frame(0xC0, "cd")) == 9U);  // its first byte
}

BOOST_AUTO_TEST_CASE(the_other_reserved_bits_stay_forbidden) {
    for (unsigned const first : {0xA1, 0x91, 0xE1, 0xD1, 0xF1, 0xA2, 0xC3, 0xCB}) {
        BOOST_TEST(fails_after(inflating(), frame(first, "abc")) == 1U);
        check(inflating(), frame(first, "abc"), {failed(1002)});
    }
}

BOOST_AUTO_TEST_CASE(size_limit_is_that_of_the_inflated_message_and_exact) {
    for (auto const& agreed : {taking_over, alone})
        for (std::size_t const limit : {1000, 20000}) {
            auto const at = [&](std::size_t size) { return frame(0xC2, client().payload(std::string(size, 'x'))); };
            auto const in_pieces = [&](std::size_t size) {
                return fragmented(0xC2, client().payload(std::string(size, 'x')), 3);
            };
            check(inflating({.message_size = limit}, agreed), at(limit), {binary(std::string(limit, 'x'))});
            check(inflating({.message_size = limit}, agreed), in_pieces(limit), {binary(std::string(limit, 'x'))});
            for (std::size_t const beyond : {1, 2, 1000000}) {
                check(inflating({.message_size = limit}, agreed), at(limit + beyond), {failed(1009)});
                check(inflating({.message_size = limit}, agreed), in_pieces(limit + beyond), {failed(1009)});
            }
            // One that cannot be compressed is longer on the wire, and within the limit all the same.
            check(inflating({.message_size = limit}, agreed), client().binary(noise(limit)), {binary(noise(limit))});
            check(inflating({.message_size = limit}, agreed), client().binary(noise(limit + 1)), {failed(1009)});
        }
}

BOOST_AUTO_TEST_CASE(payload_that_could_not_be_of_a_message_within_the_limit_is_refused_by_its_header) {
    decoder_limits const limits{.message_size = 1000};
    check(inflating(limits), head(0xC2, 1000 + 250 + 64 + 1), {failed(1009)});
    BOOST_TEST(fails_after(inflating(limits), head(0xC2, 100000) + std::string(key)) == 10U);
    // Empty blocks without end come to the same bound.
    std::string endless = frame(0x42, "");
    for (int i = 0; i < 300; ++i) endless += frame(0x00, hex("00 00 00 ff ff"));
    check(inflating(limits), endless, {failed(1009)});
}

BOOST_AUTO_TEST_CASE(a_bomb_across_context_takeover_is_bounded_for_each_message) {
    client sender;
    std::string bytes;
    seen_list expected;
    for (int i = 0; i < 5; ++i) {
        bytes += sender.binary(std::string(10000, 'x'));  // 20 bytes each but for the first
        expected.push_back(binary(std::string(10000, 'x')));
    }
    bytes += sender.binary(std::string(10001, 'x'));
    expected.push_back(failed(1009));
    BOOST_TEST(bytes.size() < 400U);
    check(inflating({.message_size = 10000}), bytes, expected);
}

BOOST_AUTO_TEST_CASE(broken_payload_fails_with_1007) {
    check(inflating(), frame(0xC1, hex("06")), {failed(1007)});
    check(inflating(), frame(0xC1, hex("f2 48 cd c9 c9 07")), {failed(1007)});
    check(inflating(), frame(0xC1, hex("f2 00 11 00 00")), {failed(1007)});
    check(inflating(), frame(0x41, hex("ff ff")) + frame(0x80, hex("ff ff ff")), {failed(1007)});
}

BOOST_AUTO_TEST_CASE(context_is_not_taken_over_where_that_was_agreed) {
    auto const bytes = frame(0xC1, hex("f2 48 cd c9 c9 07 00")) + frame(0xC1, hex("f2 00 11 00 00"));
    check(inflating({}, alone), bytes, {text("Hello"), failed(1007)});
}

BOOST_AUTO_TEST_CASE(plain_messages_do_not_enter_the_context) {
    check(inflating(), frame(0x81, "Hello") + frame(0xC1, hex("f2 00 11 00 00")), {text("Hello"), failed(1007)});
}

BOOST_AUTO_TEST_CASE(compressed_text_must_be_utf8) {
    client sender;
    auto bytes = sender.text("gr\xC3\xBC\xC3\x9F");
    bytes += sender.text("\xC3\xA4" + letters(1000));
    check(inflating(), bytes, {text("gr\xC3\xBC\xC3\x9F"), text("\xC3\xA4" + letters(1000))});
    check(inflating(), client().text("\xC3"), {failed(1007)});
    check(inflating(), client().text(letters(1000) + "\xFF"), {failed(1007)});
    check(inflating(), client().binary("\xFF"), {binary("\xFF")});
}

BOOST_AUTO_TEST_CASE(both_ends_understand_each_other_with_every_agreement) {
    for (bool const server_forgets : {false, true})
        for (bool const client_forgets : {false, true})
            for (std::uint8_t bits = 8; bits <= 15; ++bits) {
                deflate_parameters const agreed{server_forgets, client_forgets, bits, bits};
                deflate_engines engines;
                permessage_deflate server(engines, role::server, agreed, {.level = 3, .memory_level = 5}, 0);
                permessage_deflate client(engines, role::client, agreed, {}, 0);
                BOOST_TEST(server.keeps_nothing() == (server_forgets && client_forgets));
                std::size_t first = 0;
                std::size_t last = 0;
                for (int round = 0; round < 10; ++round) {
                    auto const message = letters(100) + noise(static_cast<std::size_t>(90 + 20 * round));
                    byte_buffer out;
                    auto const to_client = server.compress(message);
                    if (to_client) {
                        last = to_client->size();
                        if (round == 0) first = last;
                        std::string const wire(*to_client);
                        BOOST_REQUIRE((client.inflate(wire, 10000, out) == inflater::outcome::done));
                        BOOST_REQUIRE(out.view() == message);
                    }
                    if (auto const to_server = client.compress(message)) {
                        std::string const wire(*to_server);
                        BOOST_REQUIRE((server.inflate(wire, 10000, out) == inflater::outcome::done));
                        BOOST_REQUIRE(out.view() == message);
                    }
                    if (round % 4 == 3) server.release_deflater();
                }
                BOOST_TEST(first != 0U);
                BOOST_TEST(last != 0U);
            }
}

BOOST_AUTO_TEST_CASE(pieces_make_one_compressed_message) {
    for (bool const takes_over : {false, true}) {
        deflate_engines engines;
        deflate_parameters agreed;
        agreed.server_no_context_takeover = !takes_over;
        permessage_deflate codec(engines, role::server, agreed, {}, 0);
        std::unique_ptr<deflater> alone_for_this;
        std::string payload;
        for (std::string_view const piece : {"one, ", "two, ", "three"})
            payload += codec.compress_piece(piece, false, alone_for_this);
        payload += codec.compress_piece(" and no more", true, alone_for_this);
        BOOST_TEST((alone_for_this != nullptr) == !takes_over);
        check(inflating(), frame(0xC1, payload), {text("one, two, three and no more")});
    }
}

BOOST_AUTO_TEST_CASE(context_takeover_makes_similar_messages_much_smaller) {
    client sender;
    auto const first = sender.payload(R"({"type":"price","symbol":"ABCD","bid":100.25,"ask":100.50})").size();
    auto const second = sender.payload(R"({"type":"price","symbol":"ABCD","bid":100.75,"ask":101.00})").size();
    BOOST_TEST(second * 2 < first);
}

BOOST_AUTO_TEST_CASE(messages_under_the_threshold_stay_as_they_are) {
    deflate_engines engines;
    for (auto const& agreed : {taking_over, alone}) {
        permessage_deflate codec(engines, role::server, agreed, {}, 100);
        BOOST_TEST(!codec.compress(std::string(99, 'x')));
        BOOST_TEST(!codec.has_own_deflater());
        BOOST_TEST(codec.compress(std::string(100, 'x')).has_value());
        BOOST_TEST(codec.has_own_deflater() == (agreed == taking_over));
        codec.release_deflater();
        BOOST_TEST(!codec.has_own_deflater());
    }
}

BOOST_AUTO_TEST_CASE(what_gets_no_shorter_is_sent_as_it_is_unless_a_context_has_moved_on) {
    deflate_engines engines;
    permessage_deflate one(engines, role::server, alone, {}, 0);
    BOOST_TEST(!one.compress(noise(1000)));
    permessage_deflate other(engines, role::server, taking_over, {}, 0);
    BOOST_TEST(other.compress(noise(1000)).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace wsio::protocol::test
