#pragma once

#include <wsio/byte_buffer.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace wsio {

class message;

namespace detail {

class loop;

// What a received message is made of. Bytes that lie in the loop's receive block, with the loop's note of who uses them:
struct lent_payload {
    std::string_view bytes;
    bool binary;
    message** lease;
};
// Or a buffer of its own:
struct own_payload {
    byte_buffer bytes;
    bool binary;
};

}  // namespace detail

/// Views the bytes of a text as binary data, so that `socket.send(wsio::bytes("…"))` sends a binary message.
[[nodiscard]] inline std::span<const std::byte> bytes(std::string_view text) noexcept {
    return std::as_bytes(std::span(text.data(), text.size()));
}

/// Views binary data as characters.
[[nodiscard]] inline std::string_view characters(std::span<const std::byte> bytes) noexcept {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Holds one whole message, text or binary.
///
/// A received message stays valid until it is destroyed, whatever is awaited meanwhile and wherever it is moved. A small
/// one that is used at once costs neither allocation nor copy: it lies in the loop's receive block until the loop needs
/// the block again or the message is moved, and only then takes memory of its own.
/// Thread safety: distinct objects safe, shared objects unsafe. To take a message to another thread, move or copy it
/// first: `auto mine = std::move(message);`.
class message {
public:
    /// Makes an empty text message.
    message() noexcept = default;
    message(message&& other);
    message(const message& other);
    message& operator=(message&& other);
    message& operator=(const message& other);
    ~message() { reset(); }

    // For the library: messages that are received.
    explicit message(const detail::lent_payload& payload) noexcept
        : data_(payload.bytes.data()),
          size_(payload.bytes.size()),
          lease_(payload.lease),
          memory_(memory::lent),
          binary_(payload.binary) {
        *lease_ = this;
    }
    explicit message(detail::own_payload&& payload) noexcept;

    /// Makes a text message from a copy of `text`, which must be UTF-8.
    [[nodiscard]] static message text(std::string_view text) { return message(text, false); }

    /// Makes a binary message from a copy of `bytes`.
    [[nodiscard]] static message binary(std::span<const std::byte> bytes) { return message(characters(bytes), true); }

    /// Tells whether this is a text message; a received one is valid UTF-8.
    [[nodiscard]] bool is_text() const noexcept { return !binary_; }

    /// Tells whether this is a binary message.
    [[nodiscard]] bool is_binary() const noexcept { return binary_; }

    /// Gives the payload as characters, for text and binary messages alike. The view is valid until the message is
    /// moved, changed or destroyed, or the coroutine that holds it awaits anything.
    [[nodiscard]] std::string_view text() const noexcept { return {data_, size_}; }

    /// Gives the payload as bytes, valid as long as that of `text()`.
    [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return wsio::bytes(text()); }

    /// Gives a copy of the payload.
    [[nodiscard]] std::string str() const { return std::string(text()); }

    [[nodiscard]] const char* data() const noexcept { return data_; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

    /// Compares kind and payload.
    friend bool operator==(const message& a, const message& b) noexcept {
        return a.binary_ == b.binary_ && a.text() == b.text();
    }

private:
    friend class detail::loop;

    message(std::string_view payload, bool binary);

    // Where the bytes are.
    enum class memory : unsigned char { none, owned, lent };

    void reset() noexcept {
        if (memory_ == memory::lent)
            *lease_ = nullptr;
        else if (memory_ == memory::owned)
            detail::block::free(owned_);
    }
    void own(byte_buffer&& payload) noexcept;
    void own_copy_of(std::string_view payload);
    // Takes memory of its own in place of what it is lent.
    void keep();
    // The same without a copy: takes the whole buffer that its bytes lie in.
    void take_over(byte_buffer&& whole) noexcept {
        owned_ = whole.give_away();
        memory_ = memory::owned;
    }

    const char* data_ = "";
    std::size_t size_ = 0;
    union {
        detail::block* owned_ = nullptr;  ///< Memory of this message's own.
        message** lease_;                 ///< While the bytes lie in the loop's block: the loop's note of who uses it.
    };
    memory memory_ = memory::none;
    bool binary_ = false;
};

}  // namespace wsio
