#pragma once

#include "protocol/hybi_decoder.hpp"
#include "protocol/hybi_rules.hpp"

#include <wsio/protocol/strategy.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace wsio::protocol {

/// Speaks one of the protocols 7, 8 and 13.
class hybi_strategy final : public strategy {
public:
    constexpr explicit hybi_strategy(protocol_version version) noexcept
        : strategy(version), rules_(&rules_of(version)) {}

    [[nodiscard]] std::unique_ptr<decoder> make_decoder(role role, decoder_limits limits) const override;
    [[nodiscard]] envelope wrap(opcode type, std::size_t size) const noexcept override;
    void encode_close(close_code code, std::string_view reason, byte_buffer& out) const override;

private:
    const hybi_rules* rules_;
};

/// The payload of a close frame.
struct close_payload {
    std::array<char, max_control_payload> bytes;
    std::uint8_t size = 0;

    [[nodiscard]] std::string_view view() const noexcept { return {bytes.data(), size}; }
};

/// Makes the payload of a close frame by the rules of `strategy::encode_close`; a client sends it with `encode_masked`.
[[nodiscard]] close_payload make_close_payload(const hybi_rules& rules, close_code code, std::string_view reason);

/// Makes the envelope one of a client's frame, whose payload is masked with `key` (RFC 6455 5.3); see `encode_masked`.
void add_mask(envelope& frame, std::uint32_t key) noexcept;

/// Gives the key of an envelope that has one.
[[nodiscard]] std::uint32_t mask_of(const envelope& frame) noexcept;

/// Appends one unfragmented masked frame, as a client sends it (RFC 6455 5.3). `key` holds the masking key's bytes in
/// the order in which they go on the wire; they must come from a strong source of randomness unless this is a test.
void encode_masked(opcode type, std::string_view payload, std::uint32_t key, byte_buffer& out);

}  // namespace wsio::protocol
