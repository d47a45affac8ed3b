#pragma once

#include <cstddef>
#include <span>

namespace wsio::handshake {

/// Fills `bytes` from OpenSSL's strong generator. Throws `std::runtime_error` when the system has no randomness.
void fill_with_random(std::span<std::byte> bytes);

}  // namespace wsio::handshake
