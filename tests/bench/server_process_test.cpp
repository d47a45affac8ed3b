#include "server_process.hpp"

#include <boost/test/unit_test.hpp>

#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <thread>

using namespace wsio::bench;

namespace {

/// Lets the calling thread use a core for so long.
void work(nanoseconds time) {
    auto const used = [] {
        timespec spent{};
        ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
        return static_cast<nanoseconds>(spent.tv_sec) * second + static_cast<nanoseconds>(spent.tv_nsec);
    };
    while (used() < time) {
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(server_process_)

BOOST_AUTO_TEST_CASE(the_time_of_threads_that_have_ended_counts) {
    auto const before = usage_of(::getpid());
    std::thread(work, second / 50).join();
    auto const after = usage_of(::getpid());
    BOOST_TEST_REQUIRE((before && after));
    BOOST_TEST(after->cpu - before->cpu >= second / 50);
    BOOST_TEST(after->resident > 1'000'000U);
}

BOOST_AUTO_TEST_CASE(a_process_that_has_ended_uses_nothing) {
    auto const child = ::fork();
    if (child == 0) ::_exit(0);
    siginfo_t how{};
    ::waitid(P_PID, static_cast<id_t>(child), &how, WEXITED | WNOWAIT);
    BOOST_TEST(!usage_of(child));
    ::waitpid(child, nullptr, 0);
    BOOST_TEST(!usage_of(child));
}

BOOST_AUTO_TEST_SUITE_END()
