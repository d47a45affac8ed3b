#pragma once

#include "clock.hpp"

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace wsio::bench {

/// Counts latencies in buckets whose width grows with the latency, so that every percentile is right to 0.8 %: values
/// below 256 ns have a bucket each, and each doubling above that has 128. Values beyond 18 minutes count as the longest.
/// Thread safety: distinct objects safe, shared objects unsafe.
class histogram {
public:
    /// Counts `count` values of `value`.
    void record(nanoseconds value, std::uint64_t count = 1) noexcept {
        buckets_[bucket_of(value)] += count;
        count_ += count;
        sum_ += value * count;
        if (value > max_) max_ = value;
    }

    /// Adds what another histogram counted.
    void merge(const histogram& other) noexcept;

    /// Forgets everything.
    void reset() noexcept { *this = histogram(); }

    [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
    [[nodiscard]] nanoseconds max() const noexcept { return max_; }

    /// Gives the mean; 0 when there are no values.
    [[nodiscard]] double mean() const noexcept;

    /// Gives the least value that at least `percent` of all values do not exceed, rounded up to the end of its bucket;
    /// 0 when there are no values.
    [[nodiscard]] nanoseconds percentile(double percent) const noexcept;

private:
    static constexpr unsigned precision = 7;  ///< Each doubling has 2^precision buckets.
    static constexpr unsigned value_bits = 40;
    static constexpr std::size_t bucket_count = (value_bits - precision + 1) << precision;

    static constexpr std::size_t bucket_of(nanoseconds value) noexcept {
        constexpr nanoseconds longest = (nanoseconds{1} << value_bits) - 1;
        if (value > longest) value = longest;
        unsigned const width = static_cast<unsigned>(std::bit_width(value));
        unsigned const shift = width > precision + 1 ? width - precision - 1 : 0;
        return (static_cast<std::size_t>(shift) << precision) + static_cast<std::size_t>(value >> shift);
    }

    /// Gives the greatest value of a bucket.
    static constexpr nanoseconds end_of(std::size_t bucket) noexcept {
        std::size_t const doubling = bucket >> precision;
        std::size_t const shift = doubling > 1 ? doubling - 1 : 0;
        nanoseconds const first = static_cast<nanoseconds>(bucket - (shift << precision)) << shift;
        return first + ((nanoseconds{1} << shift) - 1);
    }

    std::array<std::uint64_t, bucket_count> buckets_{};
    std::uint64_t count_ = 0;
    nanoseconds sum_ = 0;
    nanoseconds max_ = 0;
};

}  // namespace wsio::bench
