#include "protocol/hixie.hpp"

#include <cassert>

namespace wsio::protocol {

std::unique_ptr<decoder> hixie_strategy::make_decoder(role, decoder_limits limits) const {
    return std::make_unique<hixie_decoder>(version(), limits);
}

envelope hixie_strategy::wrap([[maybe_unused]] opcode type, std::size_t) const noexcept {
    assert(type == opcode::text);
    envelope frame;
    frame.prefix[0] = 0;
    frame.prefix_size = 1;
    frame.suffix_size = 1;
    return frame;
}

void hixie_strategy::encode_close(close_code, std::string_view, byte_buffer& out) const {
    // Draft 75 has no closing frame; 76 has one, without a code (hixie-76 5.3).
    if (has_closing_handshake()) out.append({"\xFF\x00", 2});
}

}  // namespace wsio::protocol
