#pragma once

#include "io/fixture.hpp"

#include <csignal>
#include <cstdlib>
#include <future>
#include <string_view>
#include <utility>

#include <poll.h>
#include <unistd.h>

namespace wsio::test {

/// Runs wsio::serve on a thread of its own until the test is over.
class serving {
public:
    explicit serving(connection_handler handler, options options = {}) {
        std::promise<endpoint> listening;
        if (options.host.empty()) options.host = "127.0.0.1";
        options.on_listening = [&](const endpoint& address) { listening.set_value(address); };
        ended_ = std::async(std::launch::async, [handler = std::move(handler), options = std::move(options)]() mutable {
            wsio::serve(0, std::move(handler), std::move(options));
        });
        auto address = listening.get_future();
        BOOST_REQUIRE(address.wait_for(limit) == std::future_status::ready);
        address_ = address.get();
    }
    ~serving() { stop(); }

    [[nodiscard]] bool ended(std::chrono::milliseconds time = 0ms) const {
        return ended_.wait_for(time) == std::future_status::ready;
    }

    void interrupt() { ::kill(::getpid(), SIGINT); }
    void stop() {
        for (int i = 0; i < 2 && !ended(); ++i) {
            interrupt();
            if (ended(limit)) return;
        }
        if (!ended()) std::abort();  // nothing but a hang: the thread cannot be ended otherwise
    }

    [[nodiscard]] client raw() const {
        return {address_, [] { ::poll(nullptr, 0, 1); }};
    }
    [[nodiscard]] client connect(std::string_view target = "/") const {
        auto made = raw();
        made.send(handshake(target)).read_to("\r\n\r\n");
        return made;
    }

private:
    endpoint address_;
    std::future<void> ended_;
};

}  // namespace wsio::test
