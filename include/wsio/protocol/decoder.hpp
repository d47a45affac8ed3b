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

/// The most payload bytes that a decoder puts into a part of a message.
inline constexpr std::size_t max_part_size = std::size_t{64} << 10;

/// What a decoder found.
enum class event_kind : std::uint8_t {
    need_more,  ///< All input was taken, unless the decoder holds more; nothing is complete yet.
    message,    ///< A whole message: `type`, `data`.
    ping,       ///< A ping: `data` is to be sent back in a pong.
    pong,       ///< A pong with `data`.
    closing,    ///< The peer's closing frame: `code` (no_status when it gave none), `data` is the reason.
    failed,     ///< The peer broke the protocol: `code` to close with, `data` says what was wrong (static text).
    part,       ///< A part of a message: `type`, `data`, `first`, `last`; only after `receive_in_parts`.
};

/// One thing that a decoder found. A small value; the bytes are elsewhere.
struct event {
    event_kind kind = event_kind::need_more;
    opcode type = opcode::text;  ///< For a message or part: text or binary.
    /// For a message or part: the payload was assembled in a buffer of its own, which `decoder::take_payload` hands out.
    /// A part always is.
    bool assembled = false;
    bool first = false;  ///< For a part: the message begins with it.
    bool last = false;   ///< For a part: the message ends with it.
    /// For a failure: a message is too big to be given whole, and `receive_in_parts` takes the failure back.
    bool resumable = false;
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
    /// `need_more`, all of `input` was taken, unless the decoder `holds_more`: then this is to be called again, with what is
    /// left, when others had their turn. The events do not depend on how the bytes are cut into calls.
    [[nodiscard]] virtual event next(std::span<char>& input) = 0;

    /// Gives the place where the next bytes of a large payload can be received without a copy; empty when the next
    /// bytes are to go through `next`. At most this many bytes belong to the payload.
    [[nodiscard]] virtual std::span<char> window() = 0;

    /// Counts `count` bytes (at least 1, at most `window().size()`) that were received into `window()` and gives the
    /// event that they complete, or `need_more`.
    [[nodiscard]] virtual event commit(std::size_t count) = 0;

    /// Gives messages in parts from here on, the one under way included, if they are over `max_part_size` (a third of it
    /// on the hixie drafts, where repairing may treble a text) or were begun by `part_so_far`; others come whole as
    /// before. `limit` takes the place of `decoder_limits::message_size` unless it is less, and
    /// `decoder_limits::fragments` holds for each part. Takes a resumable failure back. Gives `failed` if the message
    /// under way is over `limit`, else `need_more`. A part that `next` or `commit` gives has `max_part_size` bytes (on the
    /// hixie drafts a third of it before it is repaired), or up to 3 fewer so that no character is cut; the last has what
    /// is left, which may be nothing. The first may be longer: what had come before this call.
    [[nodiscard]] virtual event receive_in_parts(std::size_t limit) = 0;

    /// Gives as a part what has come of a message since its last part, however little, or `need_more` when that is
    /// nothing. For the receiver who waits; only after `receive_in_parts`, and when `next` has no more to give.
    [[nodiscard]] virtual event part_so_far() = 0;

    /// Tells whether `next` has something to give without more input: a message that is being inflated.
    [[nodiscard]] virtual bool holds_more() const noexcept { return false; }

    /// Hands out the payload of the last event, which must have been `assembled`. A payload that is not taken keeps its
    /// memory until the next message that needs assembling.
    [[nodiscard]] byte_buffer take_payload() noexcept { return std::move(assembly_); }

protected:
    byte_buffer assembly_;  ///< A message that came in more than one piece.
};

/// Goes on with a message that is inflated in steps, for who has nobody else to serve meanwhile: `found` is what `next` or
/// `commit` gave.
[[nodiscard]] inline event after_steps(decoder& from, event found, std::span<char>& input) {
    while (found.kind == event_kind::need_more && from.holds_more()) found = from.next(input);
    return found;
}

}  // namespace wsio::protocol
