#include "histogram.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

using wsio::bench::histogram;
using wsio::bench::nanoseconds;

BOOST_AUTO_TEST_SUITE(histogram_)

BOOST_AUTO_TEST_CASE(an_empty_one_gives_zeros) {
    histogram const none;
    BOOST_TEST(none.count() == 0U);
    BOOST_TEST(none.percentile(50) == 0U);
    BOOST_TEST(none.max() == 0U);
    BOOST_TEST(none.mean() == 0.0);
}

BOOST_AUTO_TEST_CASE(one_value_is_every_percentile) {
    for (nanoseconds const value : {0ULL, 1ULL, 255ULL, 256ULL, 257ULL, 1000ULL, 123'456'789ULL}) {
        histogram one;
        one.record(value);
        for (double const percent : {0.0, 50.0, 99.9, 100.0}) BOOST_TEST(one.percentile(percent) == value);
        BOOST_TEST(one.mean() == static_cast<double>(value));
    }
}

BOOST_AUTO_TEST_CASE(small_values_are_exact) {
    histogram all;
    for (nanoseconds value = 1; value <= 200; ++value) all.record(value);
    BOOST_TEST(all.percentile(50) == 100U);
    BOOST_TEST(all.percentile(99.5) == 199U);
    BOOST_TEST(all.percentile(100) == 200U);
}

BOOST_AUTO_TEST_CASE(every_bucket_ends_where_the_next_begins) {
    // A second, larger value keeps the maximum from rounding the first one's bucket down.
    for (nanoseconds value = 1; value < nanoseconds{1} << 39; value += value / 300 + 1) {
        histogram two;
        two.record(value);
        two.record(value * 2 + 1000);
        auto const end = two.percentile(50);
        BOOST_REQUIRE(end >= value);
        BOOST_REQUIRE_LE(static_cast<double>(end - value), static_cast<double>(value) / 128);
        histogram next;
        next.record(end + 1);
        next.record(value * 2 + 1000);
        BOOST_REQUIRE(next.percentile(50) > end);
    }
}

BOOST_AUTO_TEST_CASE(percentiles_agree_with_sorting) {
    std::mt19937_64 generator(7);
    std::lognormal_distribution<double> latency(11, 2);
    std::vector<nanoseconds> values(100'000);
    histogram counted;
    for (auto& value : values) counted.record(value = static_cast<nanoseconds>(latency(generator)));
    std::ranges::sort(values);
    for (double const percent : {0.1, 1.0, 50.0, 90.0, 99.0, 99.9, 99.99}) {
        auto const exact = values[static_cast<std::size_t>(std::ceil(percent / 100 * 100'000)) - 1];
        BOOST_TEST_CONTEXT(percent)
        BOOST_TEST(static_cast<double>(counted.percentile(percent)) == static_cast<double>(exact),
                   boost::test_tools::tolerance(0.008));
    }
    BOOST_TEST(counted.percentile(100) == values.back());
}

BOOST_AUTO_TEST_CASE(values_beyond_the_longest_are_counted) {
    histogram long_ones;
    auto const huge = nanoseconds{1} << 50;
    long_ones.record(huge, 3);
    BOOST_TEST(long_ones.count() == 3U);
    BOOST_TEST(long_ones.max() == huge);
    BOOST_TEST(long_ones.percentile(50) == (nanoseconds{1} << 40) - 1);
}

BOOST_AUTO_TEST_CASE(merging_is_as_if_one_had_counted_all) {
    histogram left;
    histogram right;
    histogram both;
    for (nanoseconds value = 10; value < 10'000'000; value = value * 5 / 4 + 1) {
        (value % 2 == 0 ? left : right).record(value);
        both.record(value);
    }
    left.merge(right);
    BOOST_TEST(left.count() == both.count());
    BOOST_TEST(left.mean() == both.mean());
    for (double const percent : {1.0, 50.0, 99.0, 100.0})
        BOOST_TEST(left.percentile(percent) == both.percentile(percent));
}

BOOST_AUTO_TEST_CASE(reset_forgets_everything) {
    histogram used;
    used.record(5000);
    used.reset();
    BOOST_TEST(used.count() == 0U);
    BOOST_TEST(used.max() == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
