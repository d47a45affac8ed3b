#include "hand_over.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <thread>

using namespace wsio::command;
namespace asio = boost::asio;

namespace {

// Hands over so many lines of this size, and expects that only so many are taken before somebody asks for one, and all then.
void only_so_many_wait(std::size_t expected, std::size_t count, std::size_t size) {
    asio::io_context context;
    hand_over lines(context.get_executor());
    std::atomic<std::size_t> given = 0;
    std::thread giver([&] {
        for (std::size_t i = 0; i < count && lines.put(std::string(size, 'x')); ++i) ++given;
        lines.put(std::nullopt);
    });
    while (given < expected) std::this_thread::yield();
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    BOOST_TEST(given == expected);
    std::size_t taken = 0;
    auto const take_all = [&]() -> asio::awaitable<void> {
        while (auto const line = co_await lines.next()) taken += line->size() == size ? 1 : 0;
    };
    asio::co_spawn(context, take_all(), asio::detached);
    context.run();
    giver.join();
    BOOST_TEST(taken == count);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(hand_over_)

BOOST_AUTO_TEST_CASE(a_megabyte_of_lines_waits_or_one_line) {
    only_so_many_wait(1, 5, std::size_t{3} << 20);
    only_so_many_wait(2, 5, std::size_t{400} << 10);
    only_so_many_wait(1000, 1000, 10);
    // What holds an empty line takes memory, too.
    only_so_many_wait((1 << 20) / sizeof(std::optional<std::string>), 100'000, 0);
}

BOOST_AUTO_TEST_CASE(whoever_gives_is_let_go) {
    asio::io_context context;
    hand_over lines(context.get_executor());
    BOOST_TEST(lines.put(std::string(std::size_t{2} << 20, 'x')));
    std::thread giver([&] { BOOST_TEST(!lines.put("more")); });
    lines.close();
    giver.join();
}

BOOST_AUTO_TEST_SUITE_END()
