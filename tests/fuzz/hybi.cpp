#include "hybi_input.hpp"

// The decoder of protocols 7, 8 and 13, in both roles, with and without compression: cut in all ways, and against one that
// was written for clarity alone.

namespace wsio::fuzz {
namespace {

void check_limits(const seen_list& events, const hybi_setup& setup) {
    for (auto const& event : events) {
        switch (event.kind) {
            case event_kind::need_more: expect(false, "need_more is no event"); break;
            case event_kind::part: expect(false, "nobody asked for parts"); break;
            case event_kind::message:
                expect(event.data.size() <= setup.limits.message_size, "no message is over the limit");
                expect(event.type == opcode::binary || slow_valid(event.data), "text is UTF-8");
                break;
            case event_kind::ping:
            case event_kind::pong: expect(event.data.size() <= 125, "control frames are short"); break;
            case event_kind::closing:
                expect(event.data.size() <= 123 && slow_valid(event.data), "a reason is short and UTF-8");
                expect(event.code == close_code::no_status ||
                           slow_hybi::may_close_with(setup.version, to_number(event.code)),
                       "a peer closes with a code that it may send");
                break;
            case event_kind::failed:
                expect(event.code == close_code::protocol_error || event.code == close_code::invalid_payload ||
                           event.code == close_code::policy_violation || event.code == close_code::message_too_big,
                       "a failure has one of four codes");
                break;
        }
    }
}

}  // namespace

void fuzz(std::string_view bytes) {
    auto const input = read_hybi_input(bytes);
    decoder_maker make(input.setup);
    auto const events = feed_all_ways([&] { return make(); }, input.wire, input.seed);
    check_order(events);
    check_limits(events, input.setup);
    expect(events == slow_hybi::events(input.setup, input.wire), "the events are those of the RFC");
}

}  // namespace wsio::fuzz
