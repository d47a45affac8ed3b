#include "protocol/deflate_tools.hpp"
#include "protocol/hixie.hpp"
#include "protocol/utf8.hpp"

#include <algorithm>
#include <limits>
#include <memory>
#include <optional>

// Messages in parts, in all versions: whatever the cuts, the parts make the same messages.

namespace wsio::protocol::test {
namespace {

constexpr std::size_t never = std::numeric_limits<std::size_t>::max();
constexpr std::string_view euro = "\xE2\x82\xAC";

/// How a stream of bytes is fed.
struct feeding {
    std::size_t piece = never;    ///< Bytes at a time.
    std::size_t asked_after = 0;  ///< After so many bytes somebody asks for parts, or when a message is too big.
    bool impatient = false;       ///< Takes what has come after every piece.
    bool windows = false;
    std::size_t limit = std::size_t{1} << 30;
};

/// Feeds a decoder, checks each part, and puts the messages together again.
class reader {
public:
    reader(const decoder_factory& make, feeding how) : decoder_(make()), how_(how) {}

    seen_list read(std::string_view bytes) {
        while (!bytes.empty() || held_) {
            if (!parts_ && (fed_ >= how_.asked_after || held_)) ask();
            auto size = std::min(how_.piece, bytes.size());
            if (!parts_) size = std::min(size, how_.asked_after - fed_);
            if (auto const room = how_.windows ? decoder_->window() : std::span<char>(); !room.empty()) {
                size = std::min(size, room.size());
                std::copy_n(bytes.data(), size, room.data());
                take(decoder_->commit(size));
            } else {
                feed(bytes.substr(0, size));
                if (held_) {
                    // What was not taken comes again.
                    size -= left_;
                    ask();
                }
            }
            fed_ += size;
            bytes.remove_prefix(size);
            if (how_.impatient && parts_) take(decoder_->part_so_far());
        }
        if (!parts_) ask();
        drain();
        return std::move(events_);
    }

    [[nodiscard]] std::size_t parts() const { return part_count_; }
    [[nodiscard]] bool was_held() const { return was_held_; }

private:
    void ask() {
        parts_ = true;
        held_ = false;
        take(decoder_->receive_in_parts(how_.limit));
        drain();
    }

    void drain() {
        std::span<char> none;
        while (decoder_->holds_more()) take(decoder_->next(none));
    }

    void feed(std::string_view bytes) {
        std::vector<char> piece(bytes.begin(), bytes.end());  // a block of its own, for the sanitizers
        std::span<char> input(piece);
        while ((!input.empty() || decoder_->holds_more()) && !held_) {
            auto const before = input.size();
            auto const found = decoder_->next(input);
            bool const steps = found.kind == event_kind::need_more && decoder_->holds_more();
            if (found.kind != event_kind::part && !steps)
                BOOST_REQUIRE(input.size() < before || !decoder_->holds_more());
            if (found.kind == event_kind::need_more && !steps) BOOST_REQUIRE(input.empty());
            take(found);
        }
        left_ = input.size();
    }

    void take(const event& found) {
        if (found.kind == event_kind::need_more) return;
        if (found.kind == event_kind::failed && found.resumable) {
            BOOST_REQUIRE(!parts_);
            held_ = was_held_ = true;
            return;
        }
        if (found.kind != event_kind::part) {
            BOOST_REQUIRE(found.kind != event_kind::message || !open_);
            events_.push_back(copy(found));
            return;
        }
        ++part_count_;
        BOOST_REQUIRE(found.assembled);
        BOOST_REQUIRE(found.first == !open_);
        if (how_.asked_after == 0) BOOST_REQUIRE(found.data.size() <= max_part_size);
        if (found.type == opcode::text) BOOST_REQUIRE(valid_utf8(found.data));
        if (!found.last) BOOST_REQUIRE(!found.data.empty());
        if (found.first) message_ = {event_kind::message, found.type, close_code::no_status, {}};
        BOOST_REQUIRE((message_.type == found.type));
        message_.data += found.data;
        open_ = !found.last;
        if (found.last) events_.push_back(message_);
        if (part_count_ % 2 == 0) static_cast<void>(decoder_->take_payload());  // or it stays where it is
    }

    std::unique_ptr<decoder> decoder_;
    feeding how_;
    seen_list events_;
    seen message_{event_kind::message};
    std::size_t fed_ = 0;
    std::size_t left_ = 0;
    std::size_t part_count_ = 0;
    bool parts_ = false;
    bool held_ = false;
    bool was_held_ = false;
    bool open_ = false;
};

/// Requires the same events however the bytes are cut, whenever parts are asked for.
void check_parts(const decoder_factory& make, std::string_view bytes, seen_list expected,
                 std::size_t limit = std::size_t{1} << 30) {
    auto const whole = reader(make, {.limit = limit}).read(bytes);
    for (std::size_t i = 0; i < std::min(expected.size(), whole.size()); ++i)
        if (expected[i].kind == event_kind::failed) expected[i].data = whole[i].data;
    BOOST_TEST(whole == expected, boost::test_tools::per_element());
    BOOST_REQUIRE(whole == expected);
    auto const same = [&](feeding how, const char* what) {
        how.limit = limit;
        BOOST_REQUIRE_MESSAGE(reader(make, how).read(bytes) == expected, "other events "
                                                                             << what << ", pieces of " << how.piece
                                                                             << ", asked after " << how.asked_after);
    };
    for (std::size_t const piece : {1, 2, 3, 7, 100, 1460, 16384, 65536, 70001, 300000}) {
        if (bytes.size() / piece > 100'000) continue;
        same({.piece = piece}, "in pieces");
        same({.piece = piece, .impatient = true}, "taken at once");
        same({.piece = piece, .windows = true}, "through windows");
    }
    std::size_t const step = bytes.size() <= 300 ? 1 : 1 + bytes.size() / (bytes.size() <= 20'000 ? 60 : 15);
    for (std::size_t at = 1; at <= bytes.size(); at += step) {
        same({.piece = at}, "cut");
        same({.asked_after = at}, "asked late");
        same({.piece = 1000, .asked_after = at, .windows = true}, "asked late, through windows");
    }
}

std::string text_of(std::size_t size) {
    std::string text;
    while (text.size() + 3 <= size) text += text.size() % 7 == 0 ? euro : std::string_view("abc");
    return text + letters(size - text.size());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(parts)

BOOST_AUTO_TEST_CASE(small_messages_come_whole) {
    for (auto const version : hybi_versions)
        check_parts(make(version),
                    frame(0x81, "one") + frame(0x02, "t") + frame(0x89, "ping") + frame(0x80, "wo") + frame(0x82, ""),
                    {text("one"), ping("ping"), binary("two"), binary("")});
}

BOOST_AUTO_TEST_CASE(a_message_over_the_size_of_a_part_comes_in_parts) {
    for (auto const version : hybi_versions)
        for (std::size_t const size : {max_part_size - 1, max_part_size, max_part_size + 1, 3 * max_part_size + 17}) {
            auto const payload = text_of(size);
            check_parts(make(version), frame(0x81, payload) + frame(0x82, "next"), {text(payload), binary("next")});
        }
    reader one(make(), {.piece = 1460});
    one.read(frame(0x82, letters(max_part_size)));
    BOOST_TEST(one.parts() == 0U);
    reader four(make(), {.piece = 1460});
    four.read(frame(0x82, letters(3 * max_part_size + 1)));
    BOOST_TEST(four.parts() == 4U);
}

BOOST_AUTO_TEST_CASE(fragments_do_not_show_and_control_frames_go_between_them) {
    auto const payload = text_of(200'000);
    std::string bytes = frame(0x01, payload.substr(0, 70'001));
    bytes += frame(0x89, "a") + frame(0x00, payload.substr(70'001, 2)) + frame(0x00, "") + frame(0x8A, "b");
    bytes += frame(0x00, payload.substr(70'003)) + frame(0x80, "") + close_frame(1000);
    check_parts(make(), bytes, {ping("a"), pong("b"), text(payload), closing(1000)});
}

BOOST_AUTO_TEST_CASE(an_empty_last_fragment_ends_what_came_before_parts_were_asked_for) {
    for (auto const size : {max_part_size - 1, max_part_size, max_part_size + 5000}) {
        auto const payload = text_of(size);
        auto const begun = frame(0x01, payload);
        auto const read = [&](const std::string& rest) {
            return reader(make(), {.asked_after = begun.size()}).read(begun + rest);
        };
        BOOST_TEST((read(frame(0x80, "")) == seen_list{text(payload)}));
        BOOST_TEST((read(frame(0x00, "") + frame(0x80, "")) == seen_list{text(payload)}));
        BOOST_TEST((read(frame(0x89, "a") + frame(0x80, "")) == seen_list{ping("a"), text(payload)}));
    }
}

BOOST_AUTO_TEST_CASE(a_message_over_the_limit_of_whole_ones_goes_on_when_parts_are_asked_for) {
    auto const payload = text_of(150'000);
    auto const bytes = frame(0x01, payload.substr(0, 99)) + frame(0x80, payload.substr(99)) + frame(0x81, "next");
    check_parts(limited(100), bytes, {text(payload), text("next")});
    reader late(limited(100), {.asked_after = never});
    late.read(bytes);
    BOOST_TEST(late.was_held());
}

BOOST_AUTO_TEST_CASE(the_limit_of_messages_in_parts_is_exact) {
    for (std::size_t const limit : {1000UL, max_part_size, 150'000UL}) {
        auto const most = letters(limit);
        check_parts(limited(500), frame(0x82, most) + frame(0x82, "x"), {binary(most), binary("x")}, limit);
        check_parts(limited(500), frame(0x82, most + "x"), {failed(1009)}, limit);
        check_parts(limited(500), frame(0x02, most) + frame(0x00, "") + frame(0x80, ""), {binary(most)}, limit);
        check_parts(limited(500), frame(0x02, most) + frame(0x00, "") + frame(0x80, "x"), {failed(1009)}, limit);
    }
}

BOOST_AUTO_TEST_CASE(a_smaller_limit_than_that_of_whole_messages_changes_nothing) {
    check_parts(limited(500), frame(0x82, letters(500)), {binary(letters(500))}, 10);
    check_parts(limited(500), frame(0x82, letters(501)), {failed(1009)}, 10);
}

BOOST_AUTO_TEST_CASE(a_length_over_the_limit_fails_at_the_header) {
    auto const decoder = limited(500)();
    BOOST_TEST((decoder->receive_in_parts(1'000'000).kind == event_kind::need_more));
    seen_list events;
    feed_piece(*decoder, head(0x82, 1'000'001), events);
    BOOST_REQUIRE(events.size() == 1U);
    BOOST_TEST((events[0].code == close_code::message_too_big));
}

BOOST_AUTO_TEST_CASE(a_length_of_more_than_32_bits_is_over_the_limit_of_parts_too) {
    for (std::uint64_t const length : {(std::uint64_t{1} << 32) + 5, (std::uint64_t{1} << 63) - 1})
        check_parts(limited(500), frame(0x82, "x") + head(0x82, length), {binary("x"), failed(1009)}, 1'000'000);
}

BOOST_AUTO_TEST_CASE(invalid_text_fails_with_1007_at_its_byte) {
    auto const good = text_of(100'000);
    check_parts(make(), frame(0x01, good) + frame(0x80, "\xFFmore"), {failed(1007)});
    check_parts(make(), frame(0x01, good) + frame(0x80, "\xE2\x82"), {failed(1007)});
    check_parts(make(), frame(0x01, good + "\xE2") + frame(0x80, "\x28"), {failed(1007)});
    auto const bytes = frame(0x01, good) + frame(0x80, "\xC0" + letters(50));
    auto const decoder = make()();
    static_cast<void>(decoder->receive_in_parts(1 << 30));
    std::string before = bytes.substr(0, bytes.size() - 50);
    std::span<char> input(before);
    event found;
    while (!input.empty()) found = decoder->next(input);
    BOOST_TEST((found.kind == event_kind::failed && found.code == close_code::invalid_payload));
}

BOOST_AUTO_TEST_CASE(a_violation_inside_a_message_in_parts_fails_with_1002) {
    auto const begun = frame(0x02, letters(100'000));
    check_parts(make(), begun + frame(0x81, "new"), {failed(1002)});
    check_parts(make(), begun + server_frame(0x80, "unmasked"), {failed(1002)});
    check_parts(make(), begun + frame(0xA0, "reserved"), {failed(1002)});
    check_parts(make(), begun + close_frame(1001), {closing(1001)});
}

BOOST_AUTO_TEST_CASE(the_limit_of_fragments_holds_for_each_part) {
    auto const piece = letters(8192);
    std::string many;
    std::string payload;
    for (int i = 0; i < 100; ++i) {
        many += frame(i == 0 ? 0x02 : 0x00, piece);
        payload += piece;
    }
    check_parts(limited(100, 9), many + frame(0x80, ""), {binary(payload)});
    auto const why = reader(limited(100, 7), {}).read(many);
    BOOST_REQUIRE(why.size() == 1U);
    BOOST_TEST((why[0].code == close_code::policy_violation));
    // Who takes each piece at once has as many parts.
    BOOST_TEST((reader(limited(100, 7), {.piece = 1000, .impatient = true}).read(many).empty()));
    std::string empties = frame(0x01, "");
    for (int i = 0; i < 50; ++i) empties += frame(0x00, "");
    check_parts(limited(100, 50), empties, {failed(1008)});
}

BOOST_AUTO_TEST_CASE(compressed_messages_are_inflated_in_parts) {
    for (auto const& agreed : {taking_over, alone}) {
        client sender(agreed);
        auto const first = text_of(200'000);
        auto const second = noise(60'000) + letters(40'000);
        auto const third = std::string(max_part_size, 'x');
        std::string bytes = sender.text(first);
        bytes += fragmented(0xC2, sender.payload(second), 30'000);
        bytes += fragmented(0xC1, sender.payload(std::string(50, 's')), 2);
        bytes += sender.text(first + "!");  // refers to all that came before
        bytes += fragmented(0xC2, sender.payload(third), 100) + frame(0x81, "plain") + frame(0xC1, "");
        check_parts(inflating({.message_size = 1000}, agreed), bytes,
                    {text(first), binary(second), text(std::string(50, 's')), text(first + "!"), binary(third),
                     text("plain"), text("")});
    }
}

BOOST_AUTO_TEST_CASE(the_limit_of_compressed_messages_in_parts_is_exact) {
    for (std::size_t const limit : {2000UL, max_part_size - 1, max_part_size, 1'000'000UL}) {
        for (auto const* const fill : {"x", "xyz"}) {
            std::string most;
            while (most.size() < limit) most += fill;
            most.resize(limit);
            check_parts(inflating({.message_size = 1000}), client().text(most), {text(most)}, limit);
            check_parts(inflating({.message_size = 1000}), client().text(most + "x"), {failed(1009)}, limit);
        }
        if (limit > max_part_size) continue;
        auto const most = noise(limit);
        check_parts(inflating({.message_size = 1000}), client().binary(most), {binary(most)}, limit);
        check_parts(inflating({.message_size = 1000}), client().binary(most + "x"), {failed(1009)}, limit);
    }
}

BOOST_AUTO_TEST_CASE(a_small_frame_that_inflates_beyond_the_limit_of_parts_fails) {
    auto const bytes = client().text(std::string(50'000, 'a'));
    BOOST_REQUIRE(bytes.size() < 100U);
    check_parts(inflating({.message_size = 1000}), bytes, {failed(1009)}, 2000);
    check_parts(inflating({.message_size = 1000}), client().text(std::string(1500, 'a')) + bytes,
                {text(std::string(1500, 'a')), failed(1009)}, 2000);
}

BOOST_AUTO_TEST_CASE(what_is_wrong_first_in_an_inflated_text_decides) {
    constexpr std::size_t limit = 70'000;
    for (std::size_t const size : {limit, max_part_size}) {
        std::string wrong(size + 10'000, 'a');
        auto const with_wrong_byte_at = [&](std::size_t at) {
            auto changed = wrong;
            changed[at] = '\xFF';
            return client().text(changed);
        };
        for (std::size_t const at : {std::size_t{500}, size - 3500, size - 1, size})
            check_parts(inflating({.message_size = size}), with_wrong_byte_at(at), {failed(1007)}, size);
        for (std::size_t const at : {size + 1, size + 5000})
            check_parts(inflating({.message_size = size}), with_wrong_byte_at(at), {failed(1009)}, size);
    }
    // Stored blocks of 1000 bytes, and then one of a type that there is not.
    auto const stored = hex("00 e8 03 17 fc") + std::string(1000, 's');
    check_parts(inflating({.message_size = 500}), frame(0xC2, stored + stored + hex("07")), {failed(1009)}, 1999);
    check_parts(inflating({.message_size = 500}), frame(0xC2, stored + stored + hex("07")), {failed(1007)}, 2000);
}

BOOST_AUTO_TEST_CASE(payload_that_inflates_to_nothing_is_limited_too) {
    std::string empty_blocks;
    while (empty_blocks.size() < 100'000) empty_blocks += hex("00 00 00 ff ff");
    check_parts(inflating({.message_size = 1000}), fragmented(0xC1, empty_blocks, 5000), {failed(1009)}, 50'000);
}

BOOST_AUTO_TEST_CASE(final_blocks_inside_a_message_in_parts_are_no_end) {
    for (auto const& agreed : {taking_over, alone}) {
        // "Hello" in a final block, and then what refers back to it (RFC 7692 7.2.3.4).
        auto const payload = hex("f3 48 cd c9 c9 07 00") + hex("02 13 00 00");
        check(inflating({}, agreed), frame(0xC1, payload), {text("HelloHello")});
        check_parts(inflating({}, agreed), fragmented(0xC1, payload, 1), {text("HelloHello")});
        check_parts(inflating({}, agreed), fragmented(0xC1, hex("f3 48 cd c9 c9 07 00"), 3), {text("Hello")});
    }
}

BOOST_AUTO_TEST_CASE(broken_compressed_payload_in_parts_fails_with_1007) {
    auto const good = client().payload(text_of(200'000));
    check_parts(inflating(), fragmented(0xC1, good.substr(0, good.size() - 3), 900), {failed(1007)});
    check_parts(inflating(), fragmented(0xC1, good.substr(0, 500) + hex("ff ff ff ff"), 50), {failed(1007)});
    // Stored blocks, then one of a type that there is not (RFC 1951 3.2.3).
    auto const stored = hex("00 60 ea 9f 15") + std::string(60'000, 's');
    check_parts(inflating(), fragmented(0xC2, stored + stored + stored + hex("07") + stored, 50'000), {failed(1007)});
    check_parts(inflating(), client().text(text_of(100'000) + "\xFF"), {failed(1007)});
    check_parts(inflating(), client().text(text_of(100'000) + "\xE2\x82"), {failed(1007)});
}

BOOST_AUTO_TEST_CASE(a_message_in_pieces_inflates_to_itself) {
    for (int const level : {1, 6}) {
        deflater one({.level = level});
        auto const payload = text_of(100'000);
        byte_buffer out;
        one.deflate_piece(std::string_view(payload).substr(0, 40'000), out);
        one.deflate_piece("", out);
        one.deflate_piece(std::string_view(payload).substr(40'000), out);
        auto const all = std::string(out.view());
        out.clear();
        one.deflate("", out);
        check(inflating(), frame(0xC1, all + std::string(out.view())), {text(payload)});
    }
}

BOOST_AUTO_TEST_CASE(hixie_texts_come_in_parts) {
    for (auto const version : {protocol_version::hixie_75, protocol_version::hixie_76}) {
        auto const make_hixie = [=] { return hixie_strategy(version).make_decoder(role::server, {1000, 100}); };
        auto const wire = [](std::string_view payload) { return '\0' + std::string(payload) + '\xFF'; };
        for (std::size_t const size :
             {10UL, 999UL, 1000UL, 1001UL, max_part_size / 3, max_part_size / 3 + 1, 200'000UL}) {
            auto const payload = text_of(size);
            check_parts(make_hixie, wire(payload) + wire("next"), {text(payload), text("next")});
        }
        // A limit of 2000 bytes.
        check_parts(make_hixie, wire(letters(2000)) + wire("x"), {text(letters(2000)), text("x")}, 2000);
        check_parts(make_hixie, wire(letters(2001)), {failed(1009)}, 2000);
        // What is not UTF-8 is repaired, also where parts meet.
        auto const bad = letters(max_part_size / 3 - 1) + "\xE2\x82" + letters(30'000) + "\xE2";
        std::string good = letters(max_part_size / 3 - 1) + "\xEF\xBF\xBD" + letters(30'000) + "\xEF\xBF\xBD";
        check_parts(make_hixie, wire(bad), {text(good)});
        // Frames that are discarded keep the limit of whole messages.
        check_parts(make_hixie, '\x01' + letters(1001) + '\xFF', {failed(1009)});
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace wsio::protocol::test
