#pragma once

#include "fuzz.hpp"
#include "protocol/hybi_decoder.hpp"

#include <wsio/protocol/decoder.hpp>

#include <cstring>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// Feeds decoders in all the ways that a connection can, and compares what comes out.

namespace wsio::fuzz {

using protocol::event_kind;
using protocol::opcode;

/// An event with a copy of its bytes. The words of a failure are left out.
struct seen {
    event_kind kind;
    opcode type = opcode::text;
    close_code code = close_code::no_status;
    std::string data = {};

    friend bool operator==(const seen&, const seen&) = default;
};
using seen_list = std::vector<seen>;

using decoder_factory = std::function<std::unique_ptr<protocol::decoder>()>;

inline void note(const protocol::event& found, protocol::decoder& decoder, seen_list& events) {
    bool const failed = found.kind == event_kind::failed;
    expect(!failed || !found.data.empty(), "a failure says why");
    expect(!found.assembled || found.kind == event_kind::message, "only messages are assembled");
    events.push_back({found.kind, found.type, found.code, failed ? std::string() : std::string(found.data)});
    if (found.assembled)
        expect(decoder.take_payload().view() == events.back().data, "an assembled payload can be taken");
}

/// Feeds one piece, which is a block of its own: a sanitizer sees what reads beyond its end or keeps a view into it. With
/// `short_first` what may take the short way does, as in a connection.
inline void feed_piece(protocol::decoder& decoder, std::string_view bytes, seen_list& events, bool short_first) {
    auto const block = std::make_unique<char[]>(bytes.size());
    bytes.copy(block.get(), bytes.size());
    std::span<char> input(block.get(), bytes.size());
    while (!input.empty()) {
        auto const before = input;
        auto* const hybi = short_first ? dynamic_cast<protocol::hybi_decoder*>(&decoder) : nullptr;
        protocol::event found;
        if (hybi == nullptr || !hybi->next_short(input, found)) found = decoder.next(input);
        found = after_steps(decoder, found, input);
        expect(input.size() < before.size() && input.data() + input.size() == before.data() + before.size(),
               "bytes are taken from the front");
        if (found.kind == event_kind::need_more)
            expect(input.empty(), "who needs more has taken everything");
        else
            note(found, decoder, events);
    }
}

/// Feeds pieces of the sizes that `cut` gives. With `windows` it does so as a connection: into the window where the decoder
/// gives one, and the short way first.
template <typename Cut>
seen_list feed(const decoder_factory& make, std::string_view bytes, bool windows, Cut cut) {
    auto const decoder = make();
    seen_list events;
    while (!bytes.empty()) {
        auto const window = windows ? decoder->window() : std::span<char>();
        auto const count = std::min({cut(), bytes.size(), window.empty() ? bytes.size() : window.size()});
        if (window.empty()) {
            feed_piece(*decoder, bytes.substr(0, count), events, windows);
        } else {
            std::memcpy(window.data(), bytes.data(), count);
            std::span<char> nothing;
            auto const found = after_steps(*decoder, decoder->commit(count), nothing);
            if (found.kind != event_kind::need_more) note(found, *decoder, events);
        }
        bytes.remove_prefix(count);
    }
    return events;
}

/// Feeds `bytes` whole, in pieces of one size, in pieces of many sizes and through windows; all have to give the same, which
/// is returned.
inline seen_list feed_all_ways(const decoder_factory& make, std::string_view bytes, unsigned seed) {
    auto const whole = feed(make, bytes, false, [&] { return bytes.size(); });
    // Byte by byte, but in bounded time.
    std::size_t const small = 1 + bytes.size() / 4096;
    expect(feed(make, bytes, false, [&] { return small; }) == whole, "small pieces give the same events");
    expect(feed(make, bytes, false, cutter(seed)) == whole, "pieces of many sizes give the same events");
    expect(feed(make, bytes, true, cutter(seed + 1)) == whole, "windows give the same events");
    expect(feed(make, bytes, true, [&] { return bytes.size(); }) == whole, "full windows give the same events");
    return whole;
}

/// Checks what holds of every sequence of events.
inline void check_order(const seen_list& events) {
    for (std::size_t i = 0; i < events.size(); ++i) {
        bool const last = events[i].kind == event_kind::closing || events[i].kind == event_kind::failed;
        expect(!last || i + 1 == events.size(), "nothing comes after a closing frame or a failure");
    }
}

}  // namespace wsio::fuzz
