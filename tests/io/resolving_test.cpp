#include "io/resolving.hpp"

#include "io/client_tools.hpp"

#include <dlfcn.h>
#include <netdb.h>

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <optional>

using namespace wsio::test;
using wsio::error;

namespace {

/// A name server that is silent about *.dead.test until it is let go. Each test has names of its own: who asks for one that
/// is just being answered gets that answer.
class name_server {
public:
    void wait() {
        std::unique_lock lock(mutex_);
        ++asked_;
        changed_.wait_for(lock, limit, [this] { return !silent_; });
        --asked_;
        changed_.notify_all();
    }
    void fall_silent() {
        std::lock_guard const lock(mutex_);
        silent_ = true;
    }
    /// Answers all, and waits until nobody asks any more.
    void wake() {
        std::unique_lock lock(mutex_);
        silent_ = false;
        changed_.notify_all();
        changed_.wait_for(lock, limit, [this] { return asked_ == 0; });
    }
    [[nodiscard]] int asked() {
        std::lock_guard const lock(mutex_);
        return asked_;
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool silent_ = true;
    int asked_ = 0;
};

name_server names;

/// Silent as long as a test goes on.
struct silence {
    silence() { names.fall_silent(); }
    silence(const silence&) = delete;
    silence& operator=(const silence&) = delete;
    ~silence() { names.wake(); }
};

}  // namespace

// Stands in for that of the system.
extern "C" int getaddrinfo(const char* name, const char* service, const addrinfo* hints, addrinfo** result) {
    static auto* const real = reinterpret_cast<decltype(&getaddrinfo)>(dlsym(RTLD_NEXT, "getaddrinfo"));
    std::string_view const asked = name == nullptr ? "" : name;
    if (asked.ends_with("dead.test")) {
        names.wait();
        return EAI_AGAIN;
    }
    return real(asked == "alive.test" ? "127.0.0.1" : name, service, hints, result);
}

BOOST_AUTO_TEST_SUITE(io_resolving)

BOOST_AUTO_TEST_CASE(name_that_is_not_answered_keeps_no_other_waiting) {
    silence const silent;
    world w;
    auto server = w.listen();
    std::vector<task<wsio::connect_result>> waiting;
    for (int i = 0; i < 5; ++i) waiting.push_back(w.start(wsio::try_connect("ws://dead.test/")));
    waiting.push_back(w.start(wsio::try_connect("ws://other.dead.test/")));
    BOOST_REQUIRE(w.until([] { return names.asked() == 2; }));  // each name is asked for once
    auto const url = "ws://alive.test:" + std::to_string(server.port()) + "/";
    BOOST_TEST(connect_to(w, url, {.connect_timeout = 2s}).is_open());
    names.wake();
    for (auto const& each : waiting) {
        BOOST_REQUIRE(w.until([&] { return each.done(); }));
        check_failure(failure_of(each), error::name_not_resolved, "dead.test\" cannot be resolved");
    }
}

BOOST_AUTO_TEST_CASE(name_that_is_not_answered_times_out) {
    silence const silent;
    world w;
    check_failure(failure(w, "ws://late.dead.test/", {.connect_timeout = 100ms}), error::resolve_timed_out,
                  "within 100 ms; is the name server reachable?");
}

BOOST_AUTO_TEST_CASE(cancellation_does_not_wait_for_the_answer) {
    silence const silent;
    world w;
    auto const connecting = w.start(wsio::connect("ws://cancelled.dead.test/"));
    BOOST_REQUIRE(w.until([] { return names.asked() == 1; }));
    connecting.cancel();
    BOOST_REQUIRE(w.until([&] { return connecting.done(); }, 1s));
    BOOST_CHECK_EXCEPTION(connecting.get(), boost::system::system_error,
                          [](auto& e) { return e.code() == asio::error::operation_aborted; });
}

BOOST_AUTO_TEST_CASE(context_that_goes_away_does_not_wait_for_the_answer) {
    silence const silent;
    auto const begun = std::chrono::steady_clock::now();
    {
        world w;
        static_cast<void>(w.start(wsio::connect("ws://left.dead.test/")));
        BOOST_REQUIRE(w.until([] { return names.asked() == 1; }));
    }
    BOOST_TEST((std::chrono::steady_clock::now() - begun < 2s));
}

BOOST_AUTO_TEST_CASE(more_names_than_there_are_threads_are_asked_for_in_turn) {
    silence const silent;
    world w;
    std::vector<task<wsio::connect_result>> waiting;
    for (int i = 0; i < 40; ++i)
        waiting.push_back(w.start(wsio::try_connect("ws://" + std::to_string(i) + ".dead.test/")));
    w.turn_for(100ms);
    BOOST_TEST(names.asked() <= 16);
    for (auto const& each : waiting) each.cancel();
    BOOST_REQUIRE(w.until([&] { return std::ranges::all_of(waiting, [](auto& each) { return each.done(); }); }));
    names.wake();
    auto server = w.listen();
    BOOST_TEST(connect_to(w, "ws://alive.test:" + std::to_string(server.port()) + "/").is_open());
}

BOOST_AUTO_TEST_SUITE_END()
