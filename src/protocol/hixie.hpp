#pragma once

#include "protocol/hixie_decoder.hpp"

#include <wsio/protocol/strategy.hpp>

#include <cstddef>
#include <memory>
#include <string_view>

namespace wsio::protocol {

/// Speaks draft 75 or 76.
class hixie_strategy final : public strategy {
public:
    constexpr explicit hixie_strategy(protocol_version version) noexcept : strategy(version) {}

    [[nodiscard]] std::unique_ptr<decoder> make_decoder(role role, decoder_limits limits) const override;
    /// `type` must be text, and the payload valid UTF-8: that is what keeps FF out of it.
    [[nodiscard]] envelope wrap(opcode type, std::size_t size) const noexcept override;
    void encode_close(close_code code, std::string_view reason, byte_buffer& out) const override;
};

}  // namespace wsio::protocol
