#include "histogram.hpp"

#include <algorithm>
#include <cmath>

namespace wsio::bench {

void histogram::merge(const histogram& other) noexcept {
    for (std::size_t i = 0; i < bucket_count; ++i) buckets_[i] += other.buckets_[i];
    count_ += other.count_;
    sum_ += other.sum_;
    max_ = std::max(max_, other.max_);
}

double histogram::mean() const noexcept {
    return count_ == 0 ? 0 : static_cast<double>(sum_) / static_cast<double>(count_);
}

nanoseconds histogram::percentile(double percent) const noexcept {
    if (count_ == 0) return 0;
    auto const wanted = std::max(1.0, std::ceil(static_cast<double>(count_) * percent / 100));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < bucket_count; ++i) {
        seen += buckets_[i];
        if (static_cast<double>(seen) >= wanted) return std::min(end_of(i), max_);
    }
    return max_;
}

}  // namespace wsio::bench
