#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace wsio::detail {

/// Where the clients of one loop get their masking keys from: OpenSSL's generator, which is strong as RFC 6455 10.3 wants
/// it, asked for many at a time. Each key is given once.
class mask_source {
public:
    /// Gives a key. Throws `std::runtime_error` when the system has no randomness.
    [[nodiscard]] std::uint32_t next() {
        if (used_ == keys_.size()) refill();
        return keys_[used_++];
    }

    /// Gives memory for a part of a large payload while it is masked. What lies there stays until the next call.
    [[nodiscard]] std::span<char> room();

private:
    static constexpr std::size_t room_size = std::size_t{64} << 10;

    void refill();

    std::array<std::uint32_t, 1024> keys_{};
    std::size_t used_ = keys_.size();
    std::unique_ptr<char[]> room_;
};

}  // namespace wsio::detail
