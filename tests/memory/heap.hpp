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

/// Lets one allocation fail: the `at`th, counted from 1, of those that are made while there is a `counting`.
class failing_allocation {
public:
    explicit failing_allocation(std::size_t at) noexcept;
    failing_allocation(const failing_allocation&) = delete;
    failing_allocation& operator=(const failing_allocation&) = delete;
    ~failing_allocation();

    [[nodiscard]] bool reached() const noexcept;

    class counting {
    public:
        counting() noexcept;
        counting(const counting&) = delete;
        counting& operator=(const counting&) = delete;
        ~counting();
    };
};

}  // namespace wsio::test
