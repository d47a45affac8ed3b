#include "feed.hpp"
#include "hybi_reference.hpp"
#include "protocol/hybi.hpp"
#include "protocol/hybi_rules.hpp"
#include "utf8_reference.hpp"

#include <wsio/protocols.hpp>

#include <array>
#include <string>

// What one end encodes, the other decodes to the same, for all versions and both roles.

namespace wsio::fuzz {
namespace {

/// Writes what an input describes, and notes what has to come out.
class script {
public:
    script(choices& choose, protocol_version version, bool from_server)
        : choose_(choose), strategy_(protocols[version]), from_server_(from_server) {}

    void run() {
        while (!choose_.empty() && wire.size() < (std::size_t{1} << 19)) {
            auto const kind = choose_.below(16);
            if (kind == 15) {
                close();
                return;
            }
            if (!strategy_.has_binary())
                send(opcode::text, slow_repaired(payload()));
            else if (kind < 5)
                send(opcode::text, slow_repaired(payload()));
            else if (kind < 10)
                send(opcode::binary, payload());
            else if (kind < 12)
                send(kind == 10 ? opcode::ping : opcode::pong, std::string(choose_.text(125)));
            else
                send_fragments();
        }
    }

    byte_buffer wire;
    seen_list expected;

private:
    std::string payload() {
        constexpr unsigned sizes[] = {0, 125, 126, 16383, 16384, 65535, 65536, 100000};
        if (choose_.flag()) return std::string(choose_.text(255));
        auto const pattern = std::string(choose_.text(20));
        return repeated(pattern.empty() ? "\xC3\xA4" : pattern, choose_.one_of(sizes));
    }

    void frame(opcode type, std::string_view data) {
        if (!strategy_.has_binary() || from_server_)
            strategy_.encode(type, data, wire);
        else
            protocol::encode_masked(type, data, choose_.pair() * 65537U, wire);
    }

    void send(opcode type, const std::string& data) {
        bool const is_message = type == opcode::text || type == opcode::binary;
        auto const kind = is_message ? event_kind::message : type == opcode::ping ? event_kind::ping : event_kind::pong;
        frame(type, data);
        expected.push_back({kind, is_message ? type : opcode::text, close_code::no_status, data});
    }

    /// The library sends no fragments, but their frames are those of messages without FIN.
    void send_fragments() {
        auto const data = payload();
        auto const count = 2 + choose_.below(4);
        for (unsigned i = 0; i < count; ++i) {
            auto const from = data.size() * i / count;
            auto const at = wire.size();
            frame(i == 0 ? opcode::binary : opcode::continuation,
                  data.substr(from, data.size() * (i + 1) / count - from));
            if (i + 1 != count) wire.data()[at] = static_cast<char>(wire.data()[at] & 0x7F);
        }
        expected.push_back({event_kind::message, opcode::binary, close_code::no_status, data});
    }

    void close() {
        auto const code = static_cast<close_code>(choose_.pair());
        auto const reason = std::string(choose_.text(200));
        auto const before = wire.size();
        if (!is_hybi(strategy_.version()) || from_server_) {
            strategy_.encode_close(code, reason, wire);
        } else {
            auto const data = protocol::make_close_payload(protocol::rules_of(strategy_.version()), code, reason);
            frame(opcode::close, data.view());
        }
        expect((wire.size() > before) == strategy_.has_closing_handshake(), "who has a closing frame sends it");
        if (wire.size() > before) expected.push_back({event_kind::closing, opcode::text, code, reason});
    }

    choices& choose_;
    const protocol::strategy& strategy_;
    bool from_server_;
};

/// A code or reason that must not be sent is replaced, so a closing frame need not be what was asked for; but it is good.
void check_close(protocol_version version, const seen& sent, const seen& received) {
    expect(received.kind == event_kind::closing, "a closing frame is one");
    if (!is_hybi(version)) return expect(received == seen{event_kind::closing}, "a hixie closing frame says nothing");
    if (sent.code == close_code::no_status)
        return expect(received.code == close_code::no_status && received.data.empty(), "no status has no reason");
    bool const may = slow_hybi::may_close_with(protocol_version::hybi_13, to_number(sent.code));
    bool const renamed =
        version != protocol_version::hybi_13 && to_number(sent.code) >= 1010 && to_number(sent.code) <= 1014;
    expect(!may || renamed || received.code == sent.code, "a code that may be sent is sent");
    expect(slow_hybi::may_close_with(version, to_number(received.code)), "the code that is sent may be");
    // The reason is cut at a character, and mended before.
    auto const mended = slow_repaired(sent.data);
    expect(received.data.size() <= 123 && slow_valid(received.data), "a reason fits and is text");
    if (slow_valid(sent.data)) {
        expect(sent.data.starts_with(received.data), "a reason is the front of what was given");
        expect(received.data == sent.data || received.data.size() > 119, "no more is cut than has to be");
    } else {
        expect(mended.substr(0, 100).starts_with(received.data.substr(0, 97)), "a reason is mended");
    }
}

}  // namespace

void fuzz(std::string_view input) {
    choices choose(input);
    auto const version = all_protocol_versions[choose.below(5)];
    bool const from_server = choose.flag();
    auto const seed = choose.byte();
    script sent(choose, version, from_server);
    sent.run();

    auto const role = from_server ? protocol::role::client : protocol::role::server;
    auto received = feed_all_ways([&] { return protocols[version].make_decoder(role); }, sent.wire.view(), seed);
    expect(received.size() == sent.expected.size(), "as much comes out as went in");
    if (!received.empty() && sent.expected.back().kind == event_kind::closing) {
        check_close(version, sent.expected.back(), received.back());
        received.pop_back();
        sent.expected.pop_back();
    }
    expect(received == sent.expected, "what is encoded is decoded to the same");
}

}  // namespace wsio::fuzz
