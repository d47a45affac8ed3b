#pragma once

#include "protocol/hybi_decoder.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace wsio::protocol {

/// What few connections need: for control frames in pieces, and for messages in parts. Known to the decoder's files alone.
struct hybi_decoder::occasional {
    std::array<char, max_control_payload> control_payload;  ///< Of a control frame that comes in pieces.
    std::array<char, 3> carried;  ///< The beginning of a character that a part was not to end in.
    std::uint8_t carried_size = 0;
    bool parts = false;            ///< Messages come in parts.
    bool held = false;             ///< `ended` by a message that was too big to be given whole.
    bool begun = false;            ///< A part of the message under way was given.
    bool given = false;            ///< What the assembly holds was given as a part.
    bool complete = false;         ///< The whole payload was received, though not inflated,
    bool tail_given = false;       ///< and what a compressor cuts off behind it as well.
    stage held_in = stage::ended;  ///< Where decoding goes on when the failure is taken back,
    stage after = stage::ended;    ///< and where when what was received is inflated.
    std::size_t limit = 0;         ///< For messages in parts.
    std::size_t received = 0;      ///< Payload bytes of the message that are not in the assembly any more.
    std::size_t inflated = 0;      ///< Bytes that were made of them and given.
    std::unique_ptr<message_inflater> inflater;
    byte_buffer compressed;            ///< Received and not inflated yet,
    std::size_t compressed_taken = 0;  ///< but for the first bytes.

    void begin_message() noexcept {
        carried_size = 0;
        begun = given = complete = tail_given = false;
        received = inflated = 0;
    }
};

}  // namespace wsio::protocol
