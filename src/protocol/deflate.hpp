#pragma once

#include <wsio/byte_buffer.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

struct z_stream_s;

namespace wsio::protocol {

/// How far back a DEFLATE stream may refer at most, as a power of two (RFC 1951 2).
inline constexpr int max_window_bits = 15;

/// What a sync flush ends with, and what is cut off a message on the wire (RFC 7692 7.2.1).
inline constexpr std::string_view flush_tail{"\x00\x00\xff\xff", 4};

/// How a deflater works. Its memory is 2^(window_bits + 2) + 2^(memory_level + 9) bytes and 6 KiB.
struct deflate_settings {
    int window_bits = max_window_bits;  ///< 8 to 15: it refers back at most 2^window_bits bytes.
    int level = 6;                      ///< 1 (fast) to 9 (small).
    int memory_level = 8;               ///< 1 to 9.

    friend bool operator==(const deflate_settings&, const deflate_settings&) = default;
};

/// Compresses messages into the form of RFC 7692 7.2.1: DEFLATE blocks, the last of them an empty stored block without
/// its 00 00 FF FF. Throws `std::bad_alloc` when memory runs out.
/// Thread safety: distinct objects safe, shared objects unsafe.
class deflater {
public:
    explicit deflater(deflate_settings settings);

    /// Appends the compressed form of `message` to `out`; it may refer back to the messages before.
    void deflate(std::string_view message, byte_buffer& out);

    /// Appends the compressed form of a piece of a message that goes on, up to the byte boundary that a flush makes: with
    /// its tail, which only the end of the message goes without. The last piece is for `deflate`.
    void deflate_piece(std::string_view piece, byte_buffer& out);

    /// Appends the compressed form of `message`, which refers to no other. Gives false, with `out` as it was, if that
    /// would be no shorter than the message itself.
    [[nodiscard]] bool deflate_alone(std::string_view message, byte_buffer& out);

private:
    struct end {
        void operator()(z_stream_s* stream) const noexcept;
    };
    bool run(std::string_view message, std::size_t most, byte_buffer& out);

    std::unique_ptr<z_stream_s, end> stream_;
};

/// Inflates one message step by step, into room of the caller's.
/// Thread safety: distinct objects safe, shared objects unsafe.
class message_inflater {
public:
    /// Begins a message that may refer back to `history`.
    explicit message_inflater(std::string_view history);

    struct step {
        std::size_t made = 0;  ///< Bytes of the room that were filled.
        bool broken = false;   ///< The payload is not what RFC 7692 7.2.1 makes of a message.
    };

    /// Takes bytes from the front of `payload` until all are taken or the `room`, which is not empty, is full. When it is
    /// full, there may be more without further bytes.
    [[nodiscard]] step inflate(std::string_view& payload, std::span<char> room);

    /// Tells whether the last byte taken ended a DEFLATE stream; then the message needs no tail (RFC 7692 7.2.3.4).
    [[nodiscard]] bool stream_ended() const noexcept { return stream_ended_; }

    /// Tells whether the last byte taken ended a block, as that of a message with its tail does.
    [[nodiscard]] bool at_end_of_block() const noexcept;

private:
    struct end {
        void operator()(z_stream_s* stream) const noexcept;
    };

    std::unique_ptr<z_stream_s, end> stream_;
    bool stream_ended_ = false;
};

/// Inflates whole messages, those of many peers one after the other: it keeps nothing between two messages.
/// Thread safety: distinct objects safe, shared objects unsafe.
class inflater {
public:
    inflater();

    enum class outcome {
        done,
        too_big,  ///< The message has more than `limit` bytes.
        broken,   ///< The payload is not what RFC 7692 7.2.1 makes of a message.
    };

    /// Replaces the content of `out` by the message that `payload` stands for. Never makes more than one byte beyond
    /// `limit`. `history` is what the peer may refer back to: the end of the messages before, up to 32 KiB.
    [[nodiscard]] outcome inflate(std::string_view payload, std::string_view history, std::size_t limit,
                                  byte_buffer& out);

private:
    struct end {
        void operator()(z_stream_s* stream) const noexcept;
    };
    class output;
    void begin(std::string_view history);
    outcome take(std::string_view part, output& out);
    [[nodiscard]] bool at_end_of_block() const noexcept;

    std::unique_ptr<z_stream_s, end> stream_;
    bool stream_ended_ = false;  ///< The last block said that it is the last of its stream.
    byte_buffer scratch_;        ///< Where a message of usual size is made, to be copied into memory of its size.
};

}  // namespace wsio::protocol
