#pragma once

#include <malloc.h>

#include <cstddef>

#ifdef __SANITIZE_ADDRESS__
// Declared in <sanitizer/allocator_interface.h>, which g++ comes without.
extern "C" std::size_t __sanitizer_get_current_allocated_bytes();  // NOLINT(bugprone-reserved-identifier)
#endif

namespace wsio::test {

/// Bytes that are allocated now.
inline std::size_t heap_in_use() {
#ifdef __SANITIZE_ADDRESS__
    return ::__sanitizer_get_current_allocated_bytes();
#else
    auto const heap = ::mallinfo2();
    return heap.uordblks + heap.hblkhd;
#endif
}

}  // namespace wsio::test
