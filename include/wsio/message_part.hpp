#pragma once

#include <wsio/message.hpp>
#include <wsio/protocol/decoder.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace wsio {

/// Holds a part of a received message; see `socket::receive_part`.
/// Thread safety: distinct objects safe, shared objects unsafe.
class message_part {
public:
    /// The most bytes that a part has: 64 KiB.
    static constexpr std::size_t max_size = protocol::max_part_size;

    /// For the library: a part that is received.
    message_part(message&& payload, bool first, bool last) : payload_(std::move(payload)), first_(first), last_(last) {}

    /// Tells whether the message is text. A part of text is valid UTF-8 by itself: no character is cut.
    [[nodiscard]] bool is_text() const noexcept { return payload_.is_text(); }
    [[nodiscard]] bool is_binary() const noexcept { return payload_.is_binary(); }

    /// Tells whether the message begins with this part.
    [[nodiscard]] bool is_first() const noexcept { return first_; }

    /// Tells whether the message ends with this part. The last part may be empty. A message whose last part never came is
    /// incomplete.
    [[nodiscard]] bool is_last() const noexcept { return last_; }

    /// Gives the bytes as characters, for text and binary messages alike; valid until the part is moved or destroyed.
    [[nodiscard]] std::string_view text() const noexcept { return payload_.text(); }
    /// Gives the bytes, valid as long as those of `text()`.
    [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return payload_.bytes(); }
    /// Gives a copy of the bytes.
    [[nodiscard]] std::string str() const { return payload_.str(); }

    [[nodiscard]] const char* data() const noexcept { return payload_.data(); }
    [[nodiscard]] std::size_t size() const noexcept { return payload_.size(); }
    [[nodiscard]] bool empty() const noexcept { return payload_.empty(); }

private:
    message payload_;
    bool first_;
    bool last_;
};

}  // namespace wsio
