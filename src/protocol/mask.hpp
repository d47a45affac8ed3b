#pragma once

#include <cstddef>
#include <cstdint>

namespace wsio::protocol {

/// XORs `size` bytes with the masking key, beginning at key byte `phase % 4` (RFC 6455 5.3); masking and unmasking are
/// the same. `to` may equal `from`; otherwise the two must not overlap.
/// `key` is the key's four bytes in the order in which they stand on the wire (copy them with `memcpy`).
void unmask(char* to, const char* from, std::size_t size, std::uint32_t key, std::size_t phase) noexcept;

}  // namespace wsio::protocol
