#include <wsio/server.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>

#include <algorithm>
#include <csignal>
#include <exception>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "io/front.hpp"
#include "io/report.hpp"
#include "io/server_state.hpp"

namespace wsio {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::seconds drain_deadline{5};

// One loop with everything that it needs; nothing is shared between two of them but the handler.
class worker {
public:
    worker(const options& settings, const connection_handler& handler)
        : state_(std::make_shared<detail::server_state>(context_.get_executor(), settings)),
          front_(std::make_shared<detail::front>(
              context_.get_executor(), http_handler(),
              http_options{settings.host, settings.limits, settings.timeouts, settings.trusted_proxies, {}})) {
        state_->handler = handler;
        front_->attach(state_);
    }

    asio::io_context& context() noexcept { return context_; }
    void listen(std::uint16_t port, bool shared) { front_->listen(port, shared); }
    [[nodiscard]] endpoint local_endpoint() const { return front_->local_endpoint(); }

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

    void drain() { asio::post(context_, [this] { asio::co_spawn(context_, drained(*this), asio::detached); }); }
    void stop() { context_.stop(); }

private:
    static asio::awaitable<void> drained(worker& self) {
        co_await detail::front::drain(self.front_, drain_deadline);
        self.context_.stop();
    }

    asio::io_context context_{1};
    std::shared_ptr<detail::server_state> state_;
    std::shared_ptr<detail::front> front_;
};

using workers = std::vector<std::unique_ptr<worker>>;

// The first signal drains, the second stops at once.
void wait_for_signal(asio::signal_set& signals, workers& all, bool first) {
    signals.async_wait([&signals, &all, first](const boost::system::error_code& ec, int) {
        if (ec) return;
        for (auto const& each : all) first ? each->drain() : each->stop();
        if (first) wait_for_signal(signals, all, false);
    });
}

}  // namespace

void serve(std::uint16_t port, connection_handler handler, options settings) {
    if (!handler) throw std::invalid_argument("wsio: serve needs a handler");
    auto const count = settings.threads != 0 ? settings.threads : std::max(1U, std::thread::hardware_concurrency());
    workers all;
    for (unsigned i = 0; i < count; ++i) all.push_back(std::make_unique<worker>(settings, handler));

    bool const shared = count > 1;
    if (shared) detail::check_port_is_free(all.front()->context(), {settings.host, port, false});
    for (auto const& each : all) each->listen(each == all.front() ? port : all.front()->local_endpoint().port, shared);

    // A signal stops first on the other threads: the first loop must be the last to end, because it hears the second one.
    asio::signal_set signals(all.front()->context(), SIGINT, SIGTERM);
    wait_for_signal(signals, all, true);
    if (settings.on_listening) settings.on_listening(all.front()->local_endpoint());

    std::vector<std::jthread> threads;
    for (std::size_t i = 1; i < all.size(); ++i) threads.emplace_back([&loop = *all[i]] { loop.run(); });
    all.front()->run();
}

}  // namespace wsio
