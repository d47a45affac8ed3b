#include "report.hpp"

#include "bench_tools.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

using namespace wsio;
using namespace wsio::bench;

BOOST_AUTO_TEST_SUITE(report_)

BOOST_AUTO_TEST_CASE(a_rate_is_told_as_it_was_asked_for) {
    auto wanted = settings_for(protocol_version::hybi_13, 16);
    auto const tells = [&](double rate, const std::string& told) {
        wanted.rate = rate;
        return as_text(wanted, {}).find(", " + told + " messages/s wanted") != std::string::npos;
    };
    BOOST_TEST(tells(0.5, "0.5"));
    BOOST_TEST(tells(1.5, "1.5"));
    BOOST_TEST(tells(20'000, "20,000"));
}

BOOST_AUTO_TEST_SUITE_END()
