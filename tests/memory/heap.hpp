#pragma once

#include <cstddef>

// Counts what this program takes from the heap. Every allocation comes here: heap.cpp stands in for malloc.

namespace wsio::test {

/// What is counted since the program began, over all threads.
struct heap {
    std::size_t allocations;  ///< Calls that took memory.
    std::size_t in_use;       ///< Bytes that are taken now, as malloc rounded them up.
};

[[nodiscard]] heap heap_now() noexcept;

/// Lets every allocation of more than `size` bytes fail, over all threads, as long as it lives.
class scarce_memory {
public:
    explicit scarce_memory(std::size_t size) noexcept;
    scarce_memory(const scarce_memory&) = delete;
    scarce_memory& operator=(const scarce_memory&) = delete;
    ~scarce_memory();
};

}  // namespace wsio::test
