#pragma once

#include "protocol/hybi_frames.hpp"
#include "protocol/permessage_deflate.hpp"

#include <memory>
#include <string>
#include <string_view>

// Both ends of a connection that compresses, for the tests.

namespace wsio::protocol::test {

inline constexpr deflate_parameters taking_over{};
inline constexpr deflate_parameters alone{.server_no_context_takeover = true, .client_no_context_takeover = true};

/// A decoder with its own codec, as the tests' feeders make many of.
class inflating_decoder final : public decoder {
public:
    inflating_decoder(decoder_limits limits, const deflate_parameters& agreed)
        : codec_(engines_, role::server, agreed, {}, 0),
          inner_(rules_of(protocol_version::hybi_13), role::server, limits) {
        inner_.inflate_with(codec_.share());
    }
    event next(std::span<char>& input) override { return keep(inner_.next(input)); }
    std::span<char> window() override { return inner_.window(); }
    event commit(std::size_t count) override { return keep(inner_.commit(count)); }
    event receive_in_parts(std::size_t limit) override { return inner_.receive_in_parts(limit); }
    event part_so_far() override { return keep(inner_.part_so_far()); }
    bool holds_more() const noexcept override { return inner_.holds_more(); }

private:
    event keep(const event& found) {
        if (found.assembled) assembly_ = inner_.take_payload();
        return found;
    }
    deflate_engines engines_;
    permessage_deflate codec_;
    hybi_decoder inner_;
};

inline decoder_factory inflating(decoder_limits limits = {}, const deflate_parameters& agreed = taking_over) {
    return [=] { return std::make_unique<inflating_decoder>(limits, agreed); };
}

/// What a client sends.
class client {
public:
    explicit client(const deflate_parameters& agreed = taking_over) : codec_(engines_, role::client, agreed, {}, 0) {}
    std::string payload(std::string_view message) {
        auto const compressed = codec_.compress(message);
        BOOST_REQUIRE(compressed);
        return std::string(*compressed);
    }
    std::string text(std::string_view message) { return frame(0xC1, payload(message)); }
    std::string binary(std::string_view message) { return frame(0xC2, payload(message)); }

private:
    deflate_engines engines_;
    permessage_deflate codec_;
};

/// Cuts a payload into frames of `size` bytes.
inline std::string fragmented(unsigned first, std::string_view payload, std::size_t size) {
    std::string bytes;
    for (bool begun = false;; begun = true) {
        bool const last = payload.size() <= size;
        bytes += frame((begun ? 0U : first & 0x7FU) | (last ? 0x80U : 0U), payload.substr(0, size));
        if (last) return bytes;
        payload.remove_prefix(size);
    }
}

}  // namespace wsio::protocol::test
