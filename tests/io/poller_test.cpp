#include "io/poller.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/test/unit_test.hpp>

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Both implementations, here by hand: what a connection makes of the events is tested everywhere else.

namespace {

namespace asio = boost::asio;
using wsio::detail::poller;

/// One end of a Unix socket pair that is watched, and the other end in plain.
class watched final : public wsio::detail::polled {
public:
    watched(poller& p, std::function<void(bool, bool)> on_ready) : poller_(p), on_ready_(std::move(on_ready)) {
        std::array<int, 2> ends{};
        BOOST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) == 0);
        peer = ends[1];
        poller_.add(*this, ends[0]);
    }
    ~watched() override {
        poller_.close(*this);
        close_peer();
    }

    void say(std::string_view bytes) const {
        BOOST_REQUIRE(::send(peer, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
    }
    void close_peer() {
        if (peer >= 0) ::close(std::exchange(peer, -1));
    }
    std::string read() const {
        std::array<char, 1 << 16> room;
        auto const count = ::recv(fd(), room.data(), room.size(), 0);
        return count > 0 ? std::string(room.data(), static_cast<std::size_t>(count)) : std::string();
    }
    void fill() const {
        std::array<char, 1 << 16> const bytes{};
        while (::send(fd(), bytes.data(), bytes.size(), MSG_DONTWAIT) > 0) {
        }
        BOOST_REQUIRE(errno == EAGAIN);
    }
    void drain_peer() const {
        std::array<char, 1 << 16> room;
        while (::recv(peer, room.data(), room.size(), MSG_DONTWAIT) > 0) {
        }
    }

    int peer = -1;

private:
    void ready(bool readable, bool writable) override { on_ready_(readable, writable); }

    poller& poller_;
    std::function<void(bool, bool)> on_ready_;
};

struct world {
    asio::io_context context;
    poller sockets{context};

    ~world() { sockets.shut_down(); }
    /// Runs what is ready, and twice more: an implementation may need a turn to ask and one to tell.
    void turn() {
        for (int i = 0; i < 3; ++i) {
            context.restart();
            context.poll();
        }
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(the_poller, world)

BOOST_AUTO_TEST_CASE(tells_once_for_each_wait) {
    int told = 0;
    watched one(sockets, [&](bool readable, bool writable) {
        BOOST_TEST(readable);
        BOOST_TEST(!writable);
        ++told;
    });
    BOOST_TEST(one.await_readable());
    turn();
    BOOST_TEST(told == 0);
    one.say("a");
    turn();
    BOOST_TEST(told == 1);
    BOOST_TEST(one.read() == "a");
    one.say("b");
    turn();
    BOOST_TEST(told == 1);  // nobody waits
    BOOST_TEST(!one.await_readable());
    BOOST_TEST(one.read() == "b");
    BOOST_TEST(one.await_readable());
    one.say("c");
    turn();
    BOOST_TEST(told == 2);
}

BOOST_AUTO_TEST_CASE(says_that_the_end_came_with_the_last_bytes) {
    int told = 0;
    watched one(sockets, [&](bool, bool) { ++told; });
    BOOST_TEST(one.await_readable());
    one.say("last");
    one.close_peer();
    BOOST_TEST(!one.end_is_near());
    turn();
    BOOST_TEST(told == 1);
    BOOST_TEST(one.end_is_near());
    BOOST_TEST(one.read() == "last");
    BOOST_TEST(one.read().empty());
}

BOOST_AUTO_TEST_CASE(tells_of_an_end_that_comes_later) {
    int told = 0;
    watched one(sockets, [&](bool, bool) { ++told; });
    BOOST_TEST(one.await_readable());
    one.say("last");
    turn();
    BOOST_TEST(one.read() == "last");
    BOOST_TEST(!one.end_is_near());
    BOOST_TEST(one.await_readable());
    one.close_peer();
    turn();
    BOOST_TEST(told == 2);
    BOOST_TEST(one.end_is_near());
}

BOOST_AUTO_TEST_CASE(tells_when_a_full_socket_has_room_each_time) {
    int told = 0;
    watched one(sockets, [&](bool readable, bool writable) {
        BOOST_TEST(!readable);
        BOOST_TEST(writable);
        ++told;
    });
    for (int time = 1; time <= 3; ++time) {
        one.fill();
        sockets.await_writable(one);
        turn();
        BOOST_TEST(told == time - 1);
        one.drain_peer();
        turn();
        BOOST_TEST(told == time);
    }
}

BOOST_AUTO_TEST_CASE(tells_of_reading_and_writing_together) {
    std::pair<bool, bool> told;
    watched one(sockets, [&](bool readable, bool writable) {
        told.first = told.first || readable;
        told.second = told.second || writable;
    });
    one.fill();
    BOOST_TEST(one.await_readable());
    sockets.await_writable(one);
    one.drain_peer();
    one.say("a");
    turn();
    BOOST_TEST(told.first);
    BOOST_TEST(told.second);
}

BOOST_AUTO_TEST_CASE(does_not_tell_one_that_another_has_closed_in_the_same_round) {
    int told = 0;
    std::vector<std::unique_ptr<watched>> all;
    for (int i = 0; i < 10; ++i)
        all.push_back(std::make_unique<watched>(sockets, [&](bool, bool) {
            ++told;
            asio::post(context, [] {});  // what was told already is let go of before this
            for (auto const& each : all) sockets.close(*each);
        }));
    for (auto const& each : all) {
        BOOST_TEST(each->await_readable());
        each->say("a");
    }
    turn();
    BOOST_TEST(told == 1);
    for (auto const& each : all) BOOST_TEST(each->fd() == -1);
}

BOOST_AUTO_TEST_CASE(tells_all_of_more_than_one_round) {
    constexpr int count = 300;
    int told = 0;
    std::vector<std::unique_ptr<watched>> all;
    for (int i = 0; i < count; ++i) all.push_back(std::make_unique<watched>(sockets, [&](bool, bool) { ++told; }));
    for (auto const& each : all) {
        BOOST_TEST(each->await_readable());
        each->say("a");
    }
    turn();
    BOOST_TEST(told == count);
}

BOOST_AUTO_TEST_CASE(does_not_lose_the_news_of_others_when_one_throws) {
    constexpr int count = 10;
    int told = 0;
    std::vector<std::unique_ptr<watched>> all;
    for (int i = 0; i < count; ++i)
        all.push_back(std::make_unique<watched>(sockets, [&](bool, bool) {
            if (++told == 3) throw std::runtime_error("from an application");
        }));
    for (auto const& each : all) {
        BOOST_TEST(each->await_readable());
        each->say("a");
    }
    BOOST_CHECK_THROW(turn(), std::runtime_error);
    turn();
    BOOST_TEST(told == count);
}

BOOST_AUTO_TEST_CASE(keeps_the_io_context_at_work_as_long_as_there_is_a_socket) {
    auto const one = std::make_unique<watched>(sockets, [](bool, bool) {});
    auto const two = std::make_unique<watched>(sockets, [](bool, bool) {});
    BOOST_TEST(one->await_readable());
    one->say("a");
    turn();
    BOOST_TEST(!context.stopped());
    sockets.close(*one);
    turn();
    BOOST_TEST(!context.stopped());
    sockets.close(*two);
    turn();
    BOOST_TEST(context.stopped());  // run() would return

    watched three(sockets, [](bool, bool) {});
    turn();
    BOOST_TEST(!context.stopped());
}

BOOST_AUTO_TEST_SUITE_END()
