#pragma once

#include "traffic.hpp"

#include <wsio/protocol/decoder.hpp>
#include <wsio/protocol_version.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace wsio::bench {

/// Compares what a connection receives with what it must receive. As the bytes of the next echo are known, the usual case
/// is one comparison of memory and needs no decoder; whatever differs (a ping, a fragmented message, a close, a wrong
/// echo) goes through the library's, as compressed messages do.
/// Thread safety: distinct objects safe, shared objects unsafe.
class echo_check {
public:
    /// The messages that a connection waits for.
    struct awaited {
        std::uint64_t connection;
        std::uint64_t sequence;  ///< The first of them.
        std::uint64_t count;
    };

    /// Takes whole or partial echoes from the front of `input`. Gives how many ended. When bytes are left, `next` tells
    /// what they are.
    [[nodiscard]] std::size_t take_echoes(traffic& traffic, protocol_version version, awaited messages,
                                          std::span<char>& input);

    /// Takes the next event from the front of `input`.
    [[nodiscard]] protocol::event next(std::span<char>& input);

private:
    void begin_decoding(std::string_view taken, protocol_version version, protocol::permessage_deflate* codec,
                        std::size_t expected_size);

    std::size_t position_ = 0;  ///< Bytes of the current echo that came and were right.
    bool decoding_ = false;     ///< The current frame is not what was expected.
    std::unique_ptr<protocol::decoder> decoder_;
};

/// Says in which byte an echo differs from what was sent.
[[nodiscard]] std::string describe_difference(std::string_view expected, std::string_view received);

}  // namespace wsio::bench
