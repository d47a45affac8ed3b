#pragma once

#include <cstddef>
#include <cstring>
#include <span>
#include <string_view>
#include <utility>

namespace wsio {

namespace detail {

// The memory of a byte_buffer: its bytes follow. A buffer is one pointer, so that the many that are empty cost nothing.
struct alignas(16) block {
    std::size_t size = 0;
    std::size_t capacity = 0;

    [[nodiscard]] char* bytes() noexcept { return reinterpret_cast<char*>(this + 1); }

    // Gives a block of at least `capacity` bytes, with the content of `old`, which it takes over. Throws std::bad_alloc.
    [[nodiscard]] static block* resized(block* old, std::size_t capacity);
    static void free(block* b) noexcept;
};

}  // namespace detail

/// Owns a run of bytes that grows without being initialised first: what a received payload is assembled in.
/// An empty buffer that never grew owns no memory. A few large pieces of memory that were given back are kept for each
/// thread (at most 8 MiB), because taking them from the system again and again costs more than filling them.
/// Throws `std::bad_alloc` when memory runs out. Thread safety: distinct objects safe, shared objects unsafe.
class byte_buffer {
public:
    byte_buffer() noexcept = default;
    byte_buffer(byte_buffer&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
    byte_buffer& operator=(byte_buffer&& other) noexcept {
        byte_buffer(std::move(other)).swap(*this);
        return *this;
    }
    byte_buffer(const byte_buffer&) = delete;
    byte_buffer& operator=(const byte_buffer&) = delete;
    ~byte_buffer() {
        if (block_ != nullptr) detail::block::free(block_);
    }

    [[nodiscard]] char* data() noexcept { return block_ == nullptr ? nullptr : block_->bytes(); }
    [[nodiscard]] const char* data() const noexcept { return block_ == nullptr ? nullptr : block_->bytes(); }
    [[nodiscard]] std::size_t size() const noexcept { return block_ == nullptr ? 0 : block_->size; }
    [[nodiscard]] std::size_t capacity() const noexcept { return block_ == nullptr ? 0 : block_->capacity; }
    [[nodiscard]] bool empty() const noexcept { return size() == 0; }
    [[nodiscard]] std::string_view view() const noexcept { return {data(), size()}; }

    /// Gives the room behind the content: `capacity() - size()` bytes, not initialised.
    [[nodiscard]] std::span<char> room() noexcept { return {data() + size(), capacity() - size()}; }

    /// Makes the capacity at least `wanted` bytes. A small block grows to exactly that; a large one may be one that is
    /// kept, of up to twice as much.
    void reserve(std::size_t wanted) {
        if (wanted > capacity()) block_ = detail::block::resized(block_, wanted);
    }

    /// Makes room for `count` more bytes; grows by at least one and a half times, so that appending is linear.
    void grow_by(std::size_t count) {
        if (count <= capacity() - size()) return;
        std::size_t const wanted = size() + count;
        std::size_t const generous = capacity() + capacity() / 2;
        reserve(wanted > generous ? wanted : generous);
    }

    /// Counts `count` bytes that were written into `room()` as content.
    void commit(std::size_t count) noexcept {
        if (block_ != nullptr) block_->size += count;
    }

    /// Appends a copy of `bytes`, which must not lie in this buffer.
    void append(std::string_view bytes) {
        if (bytes.empty()) return;
        grow_by(bytes.size());
        std::memcpy(block_->bytes() + block_->size, bytes.data(), bytes.size());
        block_->size += bytes.size();
    }

    /// Drops the first `count` bytes and moves the rest to the front.
    void drop_front(std::size_t count) noexcept {
        if (count == 0) return;
        block_->size -= count;
        std::memmove(data(), data() + count, size());
    }

    /// Drops everything behind the first `size` bytes.
    void truncate(std::size_t size) noexcept {
        if (block_ != nullptr) block_->size = size;
    }

    /// Makes the buffer empty and keeps its memory.
    void clear() noexcept {
        if (block_ != nullptr) block_->size = 0;
    }

    /// Makes the buffer empty and gives its memory back.
    void release() noexcept { byte_buffer().swap(*this); }

    /// Gives the memory to the caller, who has to `block::free` it, and becomes empty; null when there is none.
    [[nodiscard]] detail::block* give_away() noexcept { return std::exchange(block_, nullptr); }

    void swap(byte_buffer& other) noexcept { std::swap(block_, other.block_); }

private:
    detail::block* block_ = nullptr;
};

}  // namespace wsio
