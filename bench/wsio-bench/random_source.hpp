#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <span>

namespace wsio::bench {

/// Gives bytes from the system's strong generator, for masking keys and handshake keys (RFC 6455 10.3). Asks for many at a
/// time, so that a connection costs no system call of its own.
/// Thread safety: distinct objects safe, shared objects unsafe.
class random_source {
public:
    /// Fills `out`, which must not be longer than 256 bytes.
    void fill(std::span<char> out) {
        if (out.size() > left_) refill();
        std::memcpy(out.data(), &pool_[pool_.size() - left_], out.size());
        left_ -= out.size();
    }

    /// Gives a random value of an unsigned type.
    template <typename Number>
    [[nodiscard]] Number number() {
        std::array<char, sizeof(Number)> bytes;
        fill(bytes);
        Number value;
        std::memcpy(&value, bytes.data(), sizeof value);
        return value;
    }

private:
    void refill();

    std::array<char, 256> pool_;  // getrandom gives this many at once, or fails
    std::size_t left_ = 0;
};

}  // namespace wsio::bench
