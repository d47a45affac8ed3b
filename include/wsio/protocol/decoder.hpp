#pragma once

#include <wsio/byte_buffer.hpp>
#include <wsio/close_code.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace wsio::protocol {

/// The type of a frame (RFC 6455 5.2). The hixie drafts know only text and closing.
enum class opcode : std::uint8_t { continuation = 0x0, text = 0x1, binary = 0x2, close = 0x8, ping = 0x9, pong = 0xA };

/// Which end of the connection this is: it decides who masks (RFC 6455 5.1).
enum class role : std::uint8_t { server, client };

/// Bounds what a decoder keeps in memory.
struct decoder_limits {
    std::size_t message_size = std::size_t{16} << 20;  ///< Largest payload of one message, in bytes.
    std::size_t fragments = 16384;                     ///< Most frames that one message may come in.
};

/// What a decoder found.
enum class event_kind : std::uint8_t {
    need_more,  ///< All input was taken; nothing is complete yet.
    message,    ///< A whole message: `type`, `data`.
    ping,       ///< A ping: `data` is to be sent back in a pong.
    pong,       ///< A pong with `data`.
    closing,    ///< The peer's closing frame: `code` (no_status when it gave none), `data` is the reason.
    failed,     ///< The peer broke the protocol: `code` to close with, `data` says what was wrong (static text).
};

/// One thing that a decoder found. A small value; the bytes are elsewhere.
struct event {
    event_kind kind = event_kind::need_more;
    opcode type = opcode::text;  ///< For a message: text or binary.
    /// For a message: the payload was assembled in a buffer of its own, which `decoder::take_payload` hands out.
    bool assembled = false;
    close_code code = close_code::no_status;
    /// The payload. It lies in the input, or in the decoder if assembled; valid until the input's memory is changed or
    /// the decoder is called again.
    std::string_view data;
};

/// Turns received bytes into events. Does no I/O and holds no more than its limits allow.
/// After `closing` or `failed` it takes and ignores everything.
/// Thread safety: distinct objects safe, shared objects unsafe.
class decoder {
public:
    decoder() = default;
    decoder(const decoder&) = delete;
    decoder& operator=(const decoder&) = delete;
    virtual ~decoder() = default;

    /// Takes bytes from the front of `input`, up to the end of the first event, and gives that event.
    /// `input` is moved past what was taken. Its bytes may be changed (unmasked) in place. When the answer is
    /// `need_more`, all of `input` was taken. The events do not depend on how the bytes are cut into calls.
    [[nodiscard]] virtual event next(std::span<char>& input) = 0;

    /// Gives the place where the next bytes of a large payload can be received without a copy; empty when the next
    /// bytes are to go through `next`. At most this many bytes belong to the payload.
    [[nodiscard]] virtual std::span<char> window() = 0;

    /// Counts `count` bytes (at least 1, at most `window().size()`) that were received into `window()` and gives the
    /// event that they complete, or `need_more`.
    [[nodiscard]] virtual event commit(std::size_t count) = 0;

    /// Hands out the payload of the last event, which must have been `assembled`. A payload that is not taken keeps its
    /// memory until the next message that needs assembling.
    [[nodiscard]] byte_buffer take_payload() noexcept { return std::move(assembly_); }

protected:
    byte_buffer assembly_;  ///< A message that came in more than one piece.
};

}  // namespace wsio::protocol
