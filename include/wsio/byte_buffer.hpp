#pragma once

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <new>
#include <span>
#include <string_view>
#include <utility>

namespace wsio {

/// Owns a run of bytes that grows without being initialised first: what a received payload is assembled in.
/// An empty buffer that never grew owns no memory. Memory comes from `malloc`, so that growth can use `realloc`.
/// Throws `std::bad_alloc` when memory runs out. Thread safety: distinct objects safe, shared objects unsafe.
class byte_buffer {
public:
    byte_buffer() noexcept = default;
    byte_buffer(byte_buffer&& other) noexcept { swap(other); }
    byte_buffer& operator=(byte_buffer&& other) noexcept {
        byte_buffer(std::move(other)).swap(*this);
        return *this;
    }
    byte_buffer(const byte_buffer&) = delete;
    byte_buffer& operator=(const byte_buffer&) = delete;
    ~byte_buffer() { std::free(data_); }

    [[nodiscard]] char* data() noexcept { return data_; }
    [[nodiscard]] const char* data() const noexcept { return data_; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    [[nodiscard]] std::string_view view() const noexcept { return {data_, size_}; }

    /// Gives the room behind the content: `capacity() - size()` bytes, not initialised.
    [[nodiscard]] std::span<char> room() noexcept { return {data_ + size_, capacity_ - size_}; }

    /// Makes the capacity at least `capacity` bytes, exactly that if it has to grow.
    void reserve(std::size_t capacity) {
        if (capacity <= capacity_) return;
        auto* grown = static_cast<char*>(std::realloc(data_, capacity));
        if (grown == nullptr) throw std::bad_alloc();
        data_ = grown;
        capacity_ = capacity;
    }

    /// Makes room for `count` more bytes; grows by at least one and a half times, so that appending is linear.
    void grow_by(std::size_t count) {
        if (count <= capacity_ - size_) return;
        std::size_t const wanted = size_ + count;
        std::size_t const generous = capacity_ + capacity_ / 2;
        reserve(wanted > generous ? wanted : generous);
    }

    /// Counts `count` bytes that were written into `room()` as content.
    void commit(std::size_t count) noexcept { size_ += count; }

    /// Appends a copy of `bytes`, which must not lie in this buffer.
    void append(std::string_view bytes) {
        if (bytes.empty()) return;
        grow_by(bytes.size());
        std::memcpy(data_ + size_, bytes.data(), bytes.size());
        size_ += bytes.size();
    }

    /// Drops the first `count` bytes and moves the rest to the front.
    void drop_front(std::size_t count) noexcept {
        size_ -= count;
        if (size_ != 0) std::memmove(data_, data_ + count, size_);
    }

    /// Makes the buffer empty and keeps its memory.
    void clear() noexcept { size_ = 0; }

    /// Makes the buffer empty and gives its memory back.
    void release() noexcept { byte_buffer().swap(*this); }

    /// Gives the memory to the caller, who has to `std::free` it, and becomes empty; null when there is none.
    [[nodiscard]] char* give_away() noexcept {
        size_ = capacity_ = 0;
        return std::exchange(data_, nullptr);
    }

    void swap(byte_buffer& other) noexcept {
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        std::swap(capacity_, other.capacity_);
    }

private:
    char* data_ = nullptr;
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
};

}  // namespace wsio
