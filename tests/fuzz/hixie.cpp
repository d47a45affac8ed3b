#include "feed.hpp"
#include "utf8_reference.hpp"

#include <wsio/protocols.hpp>

#include <algorithm>
#include <string>

// The decoder of drafts 75 and 76, cut in all ways, and against one that was written for clarity alone.

namespace wsio::fuzz {
namespace {

/// Gives the events of all that `bytes` hold (hixie-76 5.3); the last frame may be incomplete.
seen_list slow_events(bool closes, std::size_t limit, std::string_view bytes) {
    seen_list events;
    auto const too_big = seen{event_kind::failed, opcode::text, close_code::message_too_big};
    for (std::size_t at = 0; at < bytes.size();) {
        auto const type = static_cast<unsigned char>(bytes[at++]);
        if (type < 0x80) {
            auto const end = std::min(bytes.find('\xFF', at), bytes.size());
            if (end - at > limit) return events.push_back(too_big), events;
            if (end == bytes.size()) return events;
            if (type == 0)
                events.push_back({event_kind::message, opcode::text, close_code::no_status,
                                  slow_repaired(bytes.substr(at, end - at))});
            at = end + 1;
            continue;
        }
        std::size_t size = 0;
        for (int count = 1;; ++count) {
            if (at == bytes.size()) return events;
            auto const next = static_cast<unsigned char>(bytes[at++]);
            size = size * 128 + next % 128;
            if (size > limit) return events.push_back(too_big), events;
            if (count > 10)
                return events.push_back({event_kind::failed, opcode::text, close_code::protocol_error}), events;
            if (next < 0x80) break;
        }
        if (type == 0xFF && size == 0 && closes) return events.push_back({event_kind::closing}), events;
        at += std::min(size, bytes.size() - at);
    }
    return events;
}

/// Writes frames as an input describes them.
std::string frames(choices& choose) {
    constexpr unsigned sizes[] = {0, 1, 47, 48, 383, 384, 5000, 20000};
    constexpr std::string_view pieces[] = {"a",         "\xC3\xA4", "\xE2\x82\xAC", "\xF0\x9F\x98\x80",
                                           "a\xE2\x82", "\xFE",     "\xED\xA0\x80"};
    std::string out;
    while (!choose.empty() && out.size() < 200000) {
        auto const kind = choose.below(8);
        auto const type = kind < 3 ? 0 : choose.byte();
        out += static_cast<char>(type);
        if (type < 0x80) {
            out += kind % 2 == 0 ? std::string(choose.text(60)) : repeated(choose.one_of(pieces), choose.one_of(sizes));
            out += '\xFF';
            continue;
        }
        auto const body = choose.text(200);
        if (kind == 7) out += std::string(choose.below(12), '\x80');
        if (body.size() > 127) out += static_cast<char>(0x80 | body.size() >> 7);
        out += static_cast<char>(body.size() & 0x7F);
        out += body;
    }
    return out;
}

}  // namespace

void fuzz(std::string_view input) {
    choices choose(input);
    auto const options = choose.byte();
    auto const seed = choose.byte();
    constexpr std::size_t limits[] = {std::size_t{16} << 20, 10000, 100, 5};
    protocol::decoder_limits const limit{.message_size = limits[options >> 1 & 3]};
    auto const version = (options & 1) == 0 ? protocol_version::hixie_76 : protocol_version::hixie_75;
    auto const role = (options & 8) == 0 ? protocol::role::server : protocol::role::client;
    auto const wire = (options & 0x10) == 0 ? frames(choose) : std::string(choose.rest());

    auto const events = feed_all_ways([&] { return protocols[version].make_decoder(role, limit); }, wire, seed);
    check_order(events);
    for (auto const& event : events) {
        if (event.kind != event_kind::message) continue;
        expect(event.type == opcode::text && slow_valid(event.data), "messages are text");
        expect(event.data.size() <= 3 * limit.message_size, "repair makes a message at most three times as long");
    }
    expect(events == slow_events(version == protocol_version::hixie_76, limit.message_size, wire),
           "the events are those of the drafts");
}

}  // namespace wsio::fuzz
