#include "feed.hpp"
#include "hybi_input.hpp"
#include "utf8_reference.hpp"

#include <wsio/protocols.hpp>

#include <algorithm>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <utility>

// Messages in parts, of all versions, begun at any time and with receivers who wait: put together again they are the messages
// that come without.

namespace wsio::fuzz {
namespace {

constexpr std::size_t limit = std::size_t{64} << 20;  // more than an input makes

/// Puts parts together again and checks what holds of each.
class joiner {
public:
    void take(const protocol::event& found, protocol::decoder& decoder) {
        if (found.kind != event_kind::part) {
            expect(found.kind != event_kind::message || !inside_, "no message comes whole within another");
            note(found, decoder, events_);
            return;
        }
        expect(found.assembled && found.first != inside_, "the first part begins a message, the others go on with it");
        expect(found.type == opcode::binary || slow_valid(found.data), "no part cuts a character");
        // What had come before parts were asked for may be more.
        expect(found.data.size() <= protocol::max_part_size || (found.first && !any_), "a part is not too large");
        expect(found.last || !found.data.empty(), "a part that ends nothing has something");
        any_ = true;
        message_ += found.data;
        expect(decoder.take_payload().view() == found.data, "a part can be taken");
        inside_ = !found.last;
        if (found.last)
            events_.push_back({event_kind::message, found.type, close_code::no_status, std::exchange(message_, {})});
    }

    [[nodiscard]] const seen_list& events() const noexcept { return events_; }

private:
    seen_list events_;
    std::string message_;
    bool inside_ = false;
    bool any_ = false;
};

/// A connection whose application asks for parts behind `ask_at` bytes, or when a message is too big to be given whole, and
/// waits for a part now and then.
class receiver {
public:
    receiver(const decoder_factory& make, std::size_t ask_at, std::size_t most)
        : decoder_(make()), ask_at_(ask_at), most_(most) {}

    seen_list feed(std::string_view bytes, unsigned seed) {
        cutter cut(seed);
        std::minstd_rand random(seed);
        for (std::size_t at = 0;;) {
            if (at == ask_at_ && !asked_) ask();
            if (asked_ && random() % 4 == 0) take(decoder_->part_so_far());
            if (at == bytes.size()) return found_.events();
            auto count = std::min(cut(), bytes.size() - at);
            if (!asked_) count = std::min(count, ask_at_ - at);
            auto const window = decoder_->window();
            if (!window.empty()) count = std::min(count, window.size());
            feed_piece(bytes.substr(at, count), window);
            at += count;
        }
    }

private:
    void feed_piece(std::string_view bytes, std::span<char> window) {
        std::unique_ptr<char[]> block;
        std::span<char> input;
        if (!window.empty()) {
            std::memcpy(window.data(), bytes.data(), bytes.size());
            take(decoder_->commit(bytes.size()));
        } else {
            block = std::make_unique<char[]>(bytes.size());
            bytes.copy(block.get(), bytes.size());
            input = {block.get(), bytes.size()};
        }
        while (!input.empty() || decoder_->holds_more()) take(decoder_->next(input));
    }

    void ask() {
        asked_ = true;
        take(decoder_->receive_in_parts(most_));
    }

    void take(const protocol::event& found) {
        if (found.kind == event_kind::failed && found.resumable) {
            expect(!asked_, "in parts no message is too big to be given whole");
            ask();
        } else if (found.kind != event_kind::need_more) {
            found_.take(found, *decoder_);
        }
    }

    std::unique_ptr<protocol::decoder> decoder_;
    std::size_t ask_at_;
    std::size_t most_;  ///< The limit of messages in parts.
    bool asked_ = false;
    joiner found_;
};

/// What bounds messages: those that are given whole, and those in parts.
struct bounds {
    std::size_t whole;
    std::size_t parts;
};

void compare(const decoder_factory& make, const decoder_factory& make_bounded, std::string_view wire, choices choose,
             bool compressed, bounds most, std::size_t growth) {
    auto const whole = feed(make, wire, false, [&] { return wire.size(); });
    auto const seed = choose.byte();
    auto const at_once = choose.byte();  // the rest of it is for wires of more than 64 KiB
    auto const ask_at = at_once % 2 != 0 ? 0 : ((at_once >> 1) << 16 | choose.pair()) % (wire.size() + 1);
    auto parts = receiver(make_bounded, ask_at, most.parts).feed(wire, seed);
    check_order(parts);
    expect(receiver(make_bounded, ask_at, most.parts).feed(wire, seed + 1) == parts, "the cuts change nothing");
    auto const bound = std::max(most.whole, most.parts) * growth;
    for (auto const& found : parts)
        expect(found.kind != event_kind::message || found.data.size() <= bound, "no message is over its limit");
    // Whole, a compressed message is looked at when it has ended; in parts, as it comes. So what is wrong with it is found
    // earlier, and perhaps before something else. A message may be over the limit of parts, too; and what the hixie drafts
    // skip is bounded as messages are until parts are asked for.
    bool const earlier = !parts.empty() && parts.back().kind == event_kind::failed &&
                         (compressed || parts.back().code == close_code::message_too_big);
    if (!earlier) return expect(parts == whole, "the parts make the same messages");
    parts.pop_back();
    expect(parts.size() <= whole.size() && std::equal(parts.begin(), parts.end(), whole.begin()),
           "until a failure the parts make the same messages");
}

}  // namespace

void fuzz(std::string_view input) {
    choices choose(input);
    auto const kind = choose.byte();
    constexpr std::size_t sizes[] = {limit, 70000, 300, 10};
    constexpr std::size_t parts_sizes[] = {limit, 1000, 70000, 100};
    bounds const most{sizes[kind >> 3 & 3], parts_sizes[kind >> 5 & 3]};
    protocol::decoder_limits const ample{.message_size = limit, .fragments = 1'000'000};
    protocol::decoder_limits const bounded{.message_size = most.whole, .fragments = 1'000'000};
    choices const how(choose.bytes(4));
    if (kind % 4 == 3) {
        auto const& rules = protocols[(kind & 4) == 0 ? protocol_version::hixie_76 : protocol_version::hixie_75];
        auto const make = [&](auto limits) {
            return [&rules, limits] { return rules.make_decoder(protocol::role::server, limits); };
        };
        // What is not UTF-8 becomes U+FFFD, which has three bytes.
        return compare(make(ample), make(bounded), choose.rest(), how, false, most, 3);
    }
    auto read = read_hybi_input(choose.rest());
    read.setup.limits = ample;
    decoder_maker maker(read.setup);
    read.setup.limits = bounded;
    decoder_maker bounded_maker(read.setup);
    compare([&] { return maker(); }, [&] { return bounded_maker(); }, read.wire, how, read.setup.deflate, most, 1);
}

}  // namespace wsio::fuzz
