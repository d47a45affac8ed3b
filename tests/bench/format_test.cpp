#include "format.hpp"

#include <boost/test/unit_test.hpp>

using namespace wsio::bench;

BOOST_AUTO_TEST_SUITE(format_)

BOOST_AUTO_TEST_CASE(numbers_have_commas) {
    BOOST_TEST(with_commas(0) == "0");
    BOOST_TEST(with_commas(999) == "999");
    BOOST_TEST(with_commas(1000) == "1,000");
    BOOST_TEST(with_commas(9061234.4) == "9,061,234");
    BOOST_TEST(with_commas(-1234) == "-1,234");
}

BOOST_AUTO_TEST_CASE(times_have_the_unit_that_suits) {
    BOOST_TEST(as_time(999) == "999 ns");
    BOOST_TEST(as_time(3312) == "3.31 us");
    BOOST_TEST(as_time(12'345'678) == "12.3 ms");
    BOOST_TEST(as_time(2.5e9) == "2.50 s");
}

BOOST_AUTO_TEST_CASE(sizes_have_the_unit_that_suits) {
    BOOST_TEST(as_bytes(1472) == "1472 B");
    BOOST_TEST(as_bytes(12'340) == "12.3 kB");
    BOOST_TEST(as_bytes(6'100'000) == "6.10 MB");
    BOOST_TEST(as_bytes(-500) == "-500 B");
}

BOOST_AUTO_TEST_CASE(json_strings_are_quoted) { BOOST_TEST(as_json("a\"b\\c\n") == "\"a\\\"b\\\\c\\u000a\""); }

BOOST_AUTO_TEST_SUITE_END()
