#include "io/connection_count.hpp"

#include <boost/test/unit_test.hpp>

#include <thread>
#include <vector>

BOOST_AUTO_TEST_SUITE(io_connection_count)

using boost::asio::ip::make_address;
using wsio::detail::connection_count;

namespace {

std::shared_ptr<connection_count> count(std::size_t limit, std::size_t per_address = 1'000'000) {
    return std::make_shared<connection_count>(limit, per_address);
}

/// Counts one more connection of an address; gives whether there was room.
bool add(std::vector<connection_count::place>& places, connection_count& counted, const char* address) {
    auto place = counted.enter();
    if (!place || !place.count_for({make_address(address)})) return false;
    places.push_back(std::move(place));
    return true;
}

}  // namespace

BOOST_AUTO_TEST_CASE(there_are_as_many_places_as_the_limit_and_no_more) {
    auto const counted = count(3);
    std::vector<connection_count::place> places;
    for (int i = 0; i < 3; ++i) BOOST_TEST(bool(places.emplace_back(counted->enter())));
    BOOST_TEST(!counted->enter());
    BOOST_TEST(!counted->enter());
    places.pop_back();
    BOOST_TEST(bool(places.emplace_back(counted->enter())));
    BOOST_TEST(!counted->enter());
    places.clear();
    for (int i = 0; i < 3; ++i) BOOST_TEST(bool(places.emplace_back(counted->enter())));
}

BOOST_AUTO_TEST_CASE(a_place_is_given_back_once_however_it_moves) {
    auto const counted = count(1, 1);
    auto first = counted->enter();
    BOOST_TEST(first.count_for({make_address("203.0.113.9")}));
    auto moved = std::move(first);
    first = {};
    BOOST_TEST(!counted->enter());
    moved = {};
    std::vector<connection_count::place> places;
    BOOST_TEST(add(places, *counted, "203.0.113.9"));
    BOOST_TEST(!counted->enter());
}

BOOST_AUTO_TEST_CASE(each_address_has_its_own_limit) {
    auto const counted = count(100, 2);
    std::vector<connection_count::place> places;
    BOOST_TEST(add(places, *counted, "203.0.113.9"));
    BOOST_TEST(add(places, *counted, "203.0.113.9"));
    BOOST_TEST(!add(places, *counted, "203.0.113.9"));
    BOOST_TEST(!add(places, *counted, "203.0.113.9"));
    BOOST_TEST(add(places, *counted, "203.0.113.10"));
    BOOST_TEST(add(places, *counted, "2001:db8::9"));
    places.erase(places.begin());
    BOOST_TEST(add(places, *counted, "203.0.113.9"));
    BOOST_TEST(!add(places, *counted, "203.0.113.9"));
}

BOOST_AUTO_TEST_CASE(an_ipv6_address_counts_with_its_64) {
    auto const counted = count(100, 1);
    std::vector<connection_count::place> places;
    BOOST_TEST(add(places, *counted, "2001:db8:0:1::9"));
    BOOST_TEST(!add(places, *counted, "2001:db8:0:1:ffff:ffff:ffff:ffff"));
    BOOST_TEST(add(places, *counted, "2001:db8:0:2::9"));
    BOOST_TEST(add(places, *counted, "::1"));
    BOOST_TEST(add(places, *counted, "0.0.0.1"));  // no IPv4 address is taken for one of IPv6
}

BOOST_AUTO_TEST_CASE(a_connection_is_counted_for_the_last_client_that_it_had_room_for) {
    auto const counted = count(100, 1);
    auto one = counted->enter();
    auto two = counted->enter();
    BOOST_TEST(one.count_for({make_address("203.0.113.1")}));
    BOOST_TEST(one.count_for({make_address("203.0.113.1")}));  // it is the one that is there
    BOOST_TEST(two.count_for({make_address("203.0.113.2")}));
    BOOST_TEST(!two.count_for({make_address("203.0.113.1")}));
    BOOST_TEST(one.count_for({make_address("203.0.113.3")}));
    BOOST_TEST(two.count_for({make_address("203.0.113.1")}));
    BOOST_TEST(one.count_for({make_address("203.0.113.2")}));  // which two has left
}

BOOST_AUTO_TEST_CASE(unix_sockets_count_for_no_address) {
    auto const counted = count(100, 1);
    std::vector<connection_count::place> places;
    for (int i = 0; i < 5; ++i) BOOST_TEST(places.emplace_back(counted->enter()).count_for({{}, 0, "unix:"}));
    BOOST_TEST(places[0].count_for({make_address("203.0.113.1")}));
    BOOST_TEST(!places[1].count_for({make_address("203.0.113.1")}));
    BOOST_TEST(places[0].count_for({{}, 0, "unix:"}));
    BOOST_TEST(places[1].count_for({make_address("203.0.113.1")}));
}

BOOST_AUTO_TEST_CASE(a_place_that_was_given_back_refuses_nobody) {
    connection_count::place none;
    BOOST_TEST(none.count_for({make_address("203.0.113.1")}));
    BOOST_TEST(!none);
}

BOOST_AUTO_TEST_CASE(places_may_outlive_the_last_user_of_the_count) {
    auto counted = count(1, 1);
    auto place = counted->enter();
    BOOST_TEST(place.count_for({make_address("203.0.113.1")}));
    counted.reset();
    place = {};
    BOOST_TEST(!place);
}

BOOST_AUTO_TEST_CASE(threads_count_together) {
    auto const counted = count(50, 20);
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&counted] {
            for (int i = 0; i < 5000; ++i) {
                std::vector<connection_count::place> places;
                for (auto const* address : {"203.0.113.1", "203.0.113.2", "2001:db8::1"})
                    add(places, *counted, address);
            }
        });
    for (auto& thread : threads) thread.join();
    std::vector<connection_count::place> places;
    for (int i = 0; i < 20; ++i) BOOST_TEST(add(places, *counted, "203.0.113.1"));
    BOOST_TEST(!add(places, *counted, "203.0.113.1"));
    for (int i = 0; i < 20; ++i) BOOST_TEST(add(places, *counted, "203.0.113.2"));
    for (int i = 0; i < 10; ++i) BOOST_TEST(add(places, *counted, "2001:db8::1"));
    BOOST_TEST(!counted->enter());
}

BOOST_AUTO_TEST_SUITE_END()
