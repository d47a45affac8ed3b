#pragma once

#include <wsio/byte_buffer.hpp>
#include <wsio/compression.hpp>
#include <wsio/message.hpp>
#include <wsio/protocol/decoder.hpp>

#include <cstddef>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "io/connection.hpp"
#include "protocol/deflate.hpp"
#include "protocol/utf8.hpp"

namespace wsio::detail {

/// A message that waits for `receive`, or a part of one.
struct connection::queued {
    std::optional<wsio::message> message;
    queued* next = nullptr;
    std::size_t total = 0;  ///< Of the last: what all of them cost.
    bool first = true;      ///< For a part: the message begins with it,
    bool last = true;       ///< or ends with it. Both are true of a whole message.

    [[nodiscard]] bool is_whole() const noexcept { return first && last; }
};

/// What a connection needs to receive a message in parts, to send one in pieces, or to wait for a decision about one that is
/// too big to be given whole. Most never have it.
struct connection::large_messages {
    // Receiving.

    /// The bytes of a message that come before those in the queue: put together for `receive`, or too many for one part.
    struct front {
        byte_buffer bytes;
        std::size_t given = 0;  ///< So many were given in parts.
        bool binary = false;
        bool begun = false;     ///< A part of the message was given.
        bool complete = false;  ///< The message ends with these bytes.

        [[nodiscard]] bool empty() const noexcept { return bytes.empty() && !complete; }
    };
    front before;
    std::string_view held;      ///< Why a message cannot be given whole; empty when there is none such.
    bool parts = false;         ///< The decoder gives messages in parts.
    bool part_awaited = false;  ///< The receiver that waits wants a part.
    bool inside = false;        ///< The application has the first part of a message, but not the last.

    // Sending.

    /// A message behind the one that is being sent in pieces.
    struct held_back {
        protocol::opcode type;
        std::string payload;
        send_options how;
        bool droppable;
    };
    struct outgoing {
        outgoing(protocol::opcode opcode, send_options options) noexcept : type(opcode), how(options) {}

        protocol::opcode type;
        send_options how;
        bool begun = false;
        protocol::utf8_validator utf8;              ///< For the hixie drafts.
        std::unique_ptr<protocol::deflater> alone;  ///< The message's own compressor, if its context is not kept.
        std::list<held_back> behind;
        std::size_t bytes_behind = 0;
    };
    std::optional<outgoing> outgoing;
};

}  // namespace wsio::detail
