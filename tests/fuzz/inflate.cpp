#include "fuzz.hpp"
#include "inflate_reference.hpp"
#include "protocol/permessage_deflate.hpp"

#include <zlib.h>

#include <memory>
#include <string>
#include <utility>

// Compression of messages. What the library compresses it can inflate; what somebody else compressed, or claims to have,
// gives what an inflater without zlib makes of it, and never more than the limit.

namespace wsio::fuzz {
namespace {

using protocol::inflater;

std::string message(choices& choose) {
    if (choose.flag()) return std::string(choose.text(200));
    auto const pattern = choose.text(20);
    return repeated(pattern.empty() ? "a" : pattern, choose.pair() % 40000);
}

/// Compresses as others may: with all of zlib's strategies and flushes, final blocks, and several blocks for a message.
std::string foreign(choices& choose) {
    constexpr int strategies[] = {Z_DEFAULT_STRATEGY, Z_HUFFMAN_ONLY, Z_FIXED, Z_RLE, Z_FILTERED};
    constexpr int flushes[] = {Z_SYNC_FLUSH, Z_FULL_FLUSH, Z_PARTIAL_FLUSH, Z_BLOCK, Z_FINISH, Z_NO_FLUSH};
    z_stream stream{};
    expect(::deflateInit2(&stream, static_cast<int>(choose.below(10)), Z_DEFLATED,
                          -static_cast<int>(9 + choose.below(7)), 8, choose.one_of(strategies)) == Z_OK,
           "zlib begins");
    std::string out;
    for (auto parts = 1 + choose.below(3); parts > 0; --parts) {
        auto text = message(choose);
        stream.next_in = reinterpret_cast<Bytef*>(text.data());
        stream.avail_in = static_cast<uInt>(text.size());
        int const flush = choose.one_of(flushes);
        for (char room[4096];;) {
            stream.next_out = reinterpret_cast<Bytef*>(room);
            stream.avail_out = sizeof room;
            ::deflate(&stream, flush);
            out.append(room, sizeof room - stream.avail_out);
            if (stream.avail_out != 0) break;
        }
        if (flush == Z_FINISH) ::deflateReset(&stream);
    }
    ::deflateEnd(&stream);
    if (out.ends_with(std::string_view("\0\0\xff\xff", 4)) && choose.byte() % 8 != 7) out.resize(out.size() - 4);
    for (auto changes = choose.below(8); changes >= 6 && !out.empty(); --changes)
        out[choose.pair() % out.size()] ^= static_cast<char>(1U << choose.below(8));
    return out;
}

void check_foreign(choices& choose) {
    protocol::deflate_engines engines;
    protocol::deflate_parameters agreed;
    agreed.client_no_context_takeover = choose.flag();
    agreed.client_max_window_bits = static_cast<std::uint8_t>(15 - choose.below(8));
    protocol::permessage_deflate codec(engines, protocol::role::server, agreed, {}, 0);
    std::size_t const window = agreed.client_no_context_takeover ? 0 : std::size_t{1} << agreed.client_max_window_bits;
    std::string history;
    while (!choose.empty()) {
        constexpr std::size_t limits[] = {1000000, 100000, 16384, 16383, 1000, 10, 0};
        auto const limit = choose.one_of(limits);
        auto const payload = choose.byte() % 4 == 0 ? std::string(choose.text(255)) : foreign(choose);
        byte_buffer plain;
        auto const result = codec.inflate(payload, limit, plain);
        expect(plain.size() <= limit + 1, "inflating stops at the limit");
        std::string expected;
        auto const wanted = slow_inflater::inflate(payload, history, limit, expected);
        expect(static_cast<int>(result) == static_cast<int>(wanted), "a payload is valid, too long or broken for both");
        if (result != inflater::outcome::done) return;
        expect(plain.view() == expected, "both inflate to the same");
        history += expected;
        if (history.size() > window) history.erase(0, history.size() - window);
    }
}

void check_round_trip(choices& choose) {
    protocol::deflate_engines server_engines;
    protocol::deflate_engines client_engines;
    protocol::deflate_parameters agreed;
    agreed.server_no_context_takeover = choose.flag();
    agreed.server_max_window_bits = static_cast<std::uint8_t>(8 + choose.below(8));
    protocol::deflate_settings const settings{.window_bits = static_cast<int>(8 + choose.below(8)),
                                              .level = static_cast<int>(1 + choose.below(9)),
                                              .memory_level = static_cast<int>(1 + choose.below(9))};
    auto const threshold = choose.below(100);
    protocol::permessage_deflate server(server_engines, protocol::role::server, agreed, settings, threshold);
    protocol::permessage_deflate client(client_engines, protocol::role::client, agreed, settings, 0);
    std::string history;
    std::size_t const window = agreed.server_no_context_takeover ? 0 : std::size_t{1} << agreed.server_max_window_bits;
    while (!choose.empty()) {
        auto const sent = message(choose);
        if (choose.byte() % 8 == 7) server.release_deflater();
        auto const payload = server.compress(sent);
        expect(payload || sent.size() < threshold || agreed.server_no_context_takeover, "what is long is compressed");
        if (!payload) continue;
        expect(sent.size() >= threshold, "what is short is not compressed");
        expect(window != 0 || payload->size() < sent.size(), "a message alone only ever becomes shorter");
        byte_buffer received;
        expect(client.inflate(*payload, sent.size(), received) == inflater::outcome::done,
               "what was compressed inflates");
        expect(received.view() == sent, "what was compressed inflates to the same");
        // The inflater has a window of 32 KiB; a peer that agreed on less may not.
        auto const agreed_bits = std::min<int>(settings.window_bits, agreed.server_max_window_bits);
        std::string expected;
        expect(slow_inflater::inflate(*payload, history, sent.size(), expected, std::size_t{1} << agreed_bits) ==
                       slow_inflater::outcome::done &&
                   expected == sent,
               "nothing refers back farther than was agreed");
        history += sent;
        if (history.size() > window) history.erase(0, history.size() - window);
    }
}

}  // namespace

void fuzz(std::string_view input) {
    choices choose(input);
    if (choose.flag())
        check_round_trip(choose);
    else
        check_foreign(choose);
}

}  // namespace wsio::fuzz
