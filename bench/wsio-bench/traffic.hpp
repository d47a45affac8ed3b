#pragma once

#include "payload.hpp"
#include "protocol/permessage_deflate.hpp"
#include "random_source.hpp"
#include "settings.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wsio::bench {

/// Knows the bytes of every message: as they are sent and as they must come back. All frames of a run are the same but
/// for the number in them and the masking key, so each is made once and only the number is written again.
/// Thread safety: distinct objects safe, shared objects unsafe.
class traffic {
public:
    /// A frame in two parts, for sending a large payload from where it lies.
    struct parts {
        std::array<char, 32> head;  ///< The header and the number.
        std::size_t head_size;
        std::string_view tail;
    };

    /// Prepares for `connections` connections, each with a masking key of its own as far as memory allows.
    traffic(const settings& wanted, std::size_t connections, random_source& random);

    /// Gives the number of the message `sequence` of a connection: different for all messages in flight anywhere.
    [[nodiscard]] static constexpr std::uint64_t number_of(std::uint64_t connection, std::uint64_t sequence) noexcept {
        return (connection << 28 | (sequence & 0xFFF'FFFF)) & 0xFFFF'FFFF'FFFF;
    }

    /// Gives the size of each frame that is sent.
    [[nodiscard]] std::size_t sent_size() const noexcept { return frames_.front().bytes.size(); }

    /// Writes the whole frame of message `number`, `sent_size()` bytes, as connection `index` sends it.
    void write(std::size_t index, std::uint64_t number, char* to) const noexcept;

    /// Gives the same frame in parts. The tail is valid as long as this object.
    [[nodiscard]] parts split(std::size_t index, std::uint64_t number) const noexcept;

    /// Gives the bytes that are expected back for message `number`, until the next call.
    [[nodiscard]] std::string_view expected(std::uint64_t number) noexcept;

    /// Gives the payload of message `number`, until the next call of `expected`.
    [[nodiscard]] std::string_view payload(std::uint64_t number) noexcept {
        return expected(number).substr(expected_number_at_, payload_size_);
    }

    /// Gives what inflates the messages that come back; null where they are not compressed.
    [[nodiscard]] protocol::permessage_deflate* codec() noexcept { return codec_ ? &*codec_ : nullptr; }

private:
    struct masked_frame {
        std::string bytes;
        std::uint64_t number_mask;  ///< The masking key as it meets the number, twice.
    };

    [[nodiscard]] const masked_frame& frame_of(std::size_t index) const noexcept {
        return frames_[index % frames_.size()];
    }
    void write_number(char* to, std::uint64_t word) const noexcept;
    [[nodiscard]] std::string compress(std::string_view payload);

    protocol::deflate_engines engines_;
    std::optional<protocol::permessage_deflate> codec_;
    std::vector<masked_frame> frames_;
    std::string expected_;
    std::size_t payload_size_;
    std::size_t number_size_;         ///< Less than eight in a short message.
    std::size_t sent_number_at_;      ///< Where the number stands in a frame that is sent,
    std::size_t expected_number_at_;  ///< and in one that comes back.
};

}  // namespace wsio::bench
