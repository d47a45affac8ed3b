#include "echo_check.hpp"

#include "protocol/hybi_decoder.hpp"

#include <wsio/protocols.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace wsio::bench {

std::size_t echo_check::take_echoes(traffic& traffic, protocol_version version, awaited messages,
                                    std::span<char>& input) {
    if (decoding_) return 0;
    if (auto* const codec = traffic.codec()) {  // what it is shows when it is inflated
        begin_decoding({}, version, codec, traffic.expected(0).size());
        return 0;
    }
    std::size_t taken = 0;
    while (!input.empty() && taken < messages.count) {
        auto const expected = traffic.expected(traffic::number_of(messages.connection, messages.sequence + taken));
        auto const size = std::min(expected.size() - position_, input.size());
        if (std::memcmp(&expected[position_], input.data(), size) != 0) break;
        input = input.subspan(size);
        position_ += size;
        if (position_ == expected.size()) {
            position_ = 0;
            ++taken;
        }
    }
    if (!input.empty()) {
        auto const expected = traffic.expected(traffic::number_of(messages.connection, messages.sequence + taken));
        begin_decoding(expected.substr(0, position_), version, nullptr, expected.size());
    }
    return taken;
}

/// Gives the decoder what was taken of the frame already.
void echo_check::begin_decoding(std::string_view taken, protocol_version version, protocol::permessage_deflate* codec,
                                std::size_t expected_size) {
    if (!decoder_) {
        // A wrong echo may be longer than the right one, and is to be told from it.
        constexpr std::size_t tolerance = std::size_t{64} << 20;
        auto const size = expected_size + tolerance;
        decoder_ = protocols[version].make_decoder(protocol::role::client, {.message_size = size, .fragments = size});
        if (codec != nullptr) static_cast<protocol::hybi_decoder&>(*decoder_).inflate_with(codec->share());
    }
    std::string front(taken);
    std::span<char> input(front);
    while (!input.empty()) (void)decoder_->next(input);  // the front of one frame makes no event
    position_ = 0;
    decoding_ = true;
}

protocol::event echo_check::next(std::span<char>& input) {
    auto const event = after_steps(*decoder_, decoder_->next(input), input);
    // Behind a message stands a new frame, which may be as expected again.
    if (event.kind == protocol::event_kind::message) decoding_ = false;
    return event;
}

std::string describe_difference(std::string_view expected, std::string_view received) {
    auto const differs = std::ranges::mismatch(expected, received);
    auto const at = static_cast<std::size_t>(differs.in1 - expected.begin());
    if (at == expected.size() || at == received.size())
        return fmt::format("it has {} bytes instead of {}", received.size(), expected.size());
    auto const wrong = fmt::format("byte {} is 0x{:02X}, expected 0x{:02X}", at,
                                   static_cast<unsigned char>(*differs.in2), static_cast<unsigned char>(*differs.in1));
    return received.size() == expected.size()
               ? wrong
               : fmt::format("{}, and it has {} bytes instead of {}", wrong, received.size(), expected.size());
}

}  // namespace wsio::bench
