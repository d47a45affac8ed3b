#include <wsio/server.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <exception>
#include <functional>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "io/connection_count.hpp"
#include "io/front.hpp"
#include "io/listening_socket.hpp"
#include "io/log.hpp"
#include "io/report.hpp"
#include "io/server_state.hpp"

namespace wsio {

namespace asio = boost::asio;

namespace {

// One loop with everything that it needs; nothing is shared between two of them but the handler and the count of
// connections.
class worker {
public:
    worker(const options& settings, const connection_handler& handler, std::shared_ptr<detail::connection_count> count)
        : state_(std::make_shared<detail::server_state>(context_.get_executor(), settings)),
          front_(detail::front::alone(context_.get_executor(), settings, std::move(count))) {
        state_->handler = handler;
        front_->attach(state_);
    }

    asio::io_context& context() noexcept { return context_; }
    void listen(detail::listening_sockets sockets) { front_->listen(std::move(sockets)); }
    [[nodiscard]] endpoint local_endpoint() const { return front_->local_endpoint(); }
    [[nodiscard]] std::vector<endpoint> local_endpoints() const { return front_->local_endpoints(); }

    void run() {
        for (;;) {
            try {
                context_.run();
                return;
            } catch (...) {  // out of memory, say: what was under way is lost, the loop goes on
                state_->report(std::current_exception(), request("(loop)", ""));
            }
        }
    }

    /// Drains the loop and calls `done` on it; that it could not be drained does not keep the program from ending.
    void drain(std::function<void()> done) {
        asio::post(context_, [this, done = std::move(done)] {
            try {
                asio::co_spawn(context_, drained(*this, done), asio::detached);
            } catch (...) {
                done();
                throw;
            }
        });
    }
    void stop() { context_.stop(); }

private:
    static asio::awaitable<void> drained(worker& self, std::function<void()> done) {
        try {
            co_await detail::front::drain(self.front_, self.state_->settings().drain);
        } catch (...) {  // out of memory, say
            self.state_->report(std::current_exception(), request("(loop)", ""));
        }
        done();
    }

    asio::io_context context_{1};
    std::shared_ptr<detail::server_state> state_;
    std::shared_ptr<detail::front> front_;
};

void say(const options& settings, const std::string& line) {
    detail::log(settings.log, log_level::info, [&] { return line; });
}

using workers = std::vector<std::unique_ptr<worker>>;

void stop(const workers& all) {
    for (auto const& each : all) each->stop();
}

// Stops all loops on the way out, whatever it is: their threads are waited for.
struct stop_at_end {
    const workers& all;

    explicit stop_at_end(const workers& loops) noexcept : all(loops) {}
    stop_at_end(const stop_at_end&) = delete;
    stop_at_end& operator=(const stop_at_end&) = delete;
    ~stop_at_end() { stop(all); }
};

// The first signal drains, the second stops at once. No loop ends before all are drained, so that the first one, which
// hears the signals, hears the second.
void wait_for_signals(asio::signal_set& signals, const workers& all, std::atomic<std::size_t>& busy,
                      const options& settings) {
    signals.async_wait([&](const boost::system::error_code& ec, int number) {
        if (ec) return;
        say(settings, std::string(number == SIGTERM ? "SIGTERM" : "SIGINT") + ": stopping");
        signals.async_wait([&](const boost::system::error_code& error, int) {
            if (error) return;
            say(settings, "a second signal: stopping at once");
            stop(all);
        });
        for (auto const& each : all)
            each->drain([&] {
                if (--busy == 0) stop(all);
            });
    });
}

// SIGHUP asks servers, by custom, to read their files again.
void reload_on_hangup(asio::signal_set& hangup, const options& settings) {
    hangup.async_wait([&](const boost::system::error_code& ec, int) {
        if (ec) return;
        try {
            settings.tls.reload();
            say(settings, "SIGHUP: the certificates were read again");
        } catch (...) {
            detail::report_failed_reload(settings.on_exception, settings.log, std::current_exception());
        }
        reload_on_hangup(hangup, settings);
    });
}

}  // namespace

void serve(std::uint16_t port, connection_handler handler, options settings) {
    if (!handler) throw std::invalid_argument("wsio: serve needs a handler");
    auto const count = settings.threads != 0 ? settings.threads : std::max(1U, std::thread::hardware_concurrency());
    workers all;
    auto const connections = detail::front::count_for(settings.limits);
    for (unsigned i = 0; i < count; ++i) all.push_back(std::make_unique<worker>(settings, handler, connections));

    auto sockets = detail::open_listening_sockets({settings.host, port, settings.unix_permissions}, count);
    for (unsigned i = 0; i < count; ++i) all[i]->listen(std::move(sockets[i]));

    asio::signal_set signals(all.front()->context(), SIGINT, SIGTERM);
    std::atomic<std::size_t> busy = all.size();
    wait_for_signals(signals, all, busy, settings);
    asio::signal_set hangup(all.front()->context());
    if (settings.tls) {
        hangup.add(SIGHUP);
        reload_on_hangup(hangup, settings);
    }
    for (auto const& at : all.front()->local_endpoints()) say(settings, "listening on " + at.to_string());
    if (settings.on_listening) settings.on_listening(all.front()->local_endpoint());

    std::vector<std::jthread> threads;
    stop_at_end const stopping(all);
    for (std::size_t i = 1; i < all.size(); ++i) threads.emplace_back([&loop = *all[i]] { loop.run(); });
    all.front()->run();
}

}  // namespace wsio
