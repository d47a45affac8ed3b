#include "memory/heap.hpp"

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <malloc.h>

// glibc's own functions under the names that it keeps for those who replace malloc. `new` and `delete` end here, too.
extern "C" {
void* __libc_malloc(std::size_t);                 // NOLINT(bugprone-reserved-identifier)
void* __libc_calloc(std::size_t, std::size_t);    // NOLINT(bugprone-reserved-identifier)
void* __libc_realloc(void*, std::size_t);         // NOLINT(bugprone-reserved-identifier)
void* __libc_memalign(std::size_t, std::size_t);  // NOLINT(bugprone-reserved-identifier)
void __libc_free(void*);                          // NOLINT(bugprone-reserved-identifier)
}

namespace {

constinit std::atomic<std::size_t> allocations = 0;
constinit std::atomic<std::size_t> in_use = 0;
constinit std::atomic<std::size_t> largest = SIZE_MAX;

constinit std::atomic<bool> counts = false;
constinit std::atomic<std::size_t> left_until_failure = 0;  // 0: none fails

bool too_large(std::size_t size) noexcept { return size > largest.load(std::memory_order_relaxed); }

bool is_to_fail() noexcept {
    if (!counts.load(std::memory_order_relaxed)) return false;
    auto const left = left_until_failure.load(std::memory_order_relaxed);
    if (left != 0) left_until_failure.store(left - 1, std::memory_order_relaxed);
    return left == 1;
}

bool refused(std::size_t size) noexcept { return too_large(size) || is_to_fail(); }

void* taken(void* memory) noexcept {
    if (memory == nullptr) return memory;
    allocations.fetch_add(1, std::memory_order_relaxed);
    in_use.fetch_add(::malloc_usable_size(memory), std::memory_order_relaxed);
    return memory;
}

void given_back(void* memory) noexcept {
    if (memory != nullptr) in_use.fetch_sub(::malloc_usable_size(memory), std::memory_order_relaxed);
}

}  // namespace

extern "C" {

void* malloc(std::size_t size) { return refused(size) ? nullptr : taken(__libc_malloc(size)); }
void* calloc(std::size_t count, std::size_t size) { return is_to_fail() ? nullptr : taken(__libc_calloc(count, size)); }
void* memalign(std::size_t alignment, std::size_t size) {
    return refused(size) ? nullptr : taken(__libc_memalign(alignment, size));
}
void* aligned_alloc(std::size_t alignment, std::size_t size) { return memalign(alignment, size); }

int posix_memalign(void** result, std::size_t alignment, std::size_t size) {
    void* const memory = memalign(alignment, size);
    if (memory == nullptr) return ENOMEM;
    *result = memory;
    return 0;
}

void* realloc(void* old, std::size_t size) {
    if (refused(size)) return nullptr;
    auto const before = old == nullptr ? 0 : ::malloc_usable_size(old);
    void* const memory = __libc_realloc(old, size);
    if (memory == nullptr && size != 0) return nullptr;
    in_use.fetch_sub(before, std::memory_order_relaxed);
    return taken(memory);
}

void free(void* memory) {
    given_back(memory);
    __libc_free(memory);
}

}  // extern "C"

namespace wsio::test {

heap heap_now() noexcept { return {allocations.load(), in_use.load()}; }

scarce_memory::scarce_memory(std::size_t size) noexcept { largest = size; }

scarce_memory::~scarce_memory() { largest = SIZE_MAX; }

failing_allocation::failing_allocation(std::size_t at) noexcept { left_until_failure = at; }

failing_allocation::~failing_allocation() { left_until_failure = 0; }

bool failing_allocation::reached() const noexcept { return left_until_failure == 0; }

failing_allocation::counting::counting() noexcept { counts = true; }

failing_allocation::counting::~counting() { counts = false; }

}  // namespace wsio::test
