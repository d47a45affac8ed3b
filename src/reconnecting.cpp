#include <wsio/reconnecting.hpp>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>

#include "handshake/random.hpp"
#include "io/client_state.hpp"
#include "io/connecting.hpp"
#include "io/deadlines.hpp"

namespace wsio {

namespace asio = boost::asio;

bool is_temporary(const connect_error& e) noexcept {
    switch (e.why()) {
        case error::name_not_resolved:  // as it is without a network
        case error::connection_refused:
        case error::unreachable:
        case error::resolve_timed_out:
        case error::connect_timed_out:
        case error::proxy_timed_out:
        case error::tls_timed_out:
        case error::handshake_timed_out:
        case error::proxy_failed:
        case error::proxy_refused:
        case error::tls_failed:
        case error::connection_lost: return true;
        case error::unexpected_status: {
            constexpr std::array busy{408U, 425U, 429U, 500U, 502U, 503U, 504U};
            return std::ranges::find(busy, e.http_status()) != busy.end();
        }
        default: return false;
    }
}

backoff::backoff(std::chrono::milliseconds first, std::chrono::milliseconds most)
    : first_(first), most_(most), present_(first) {
    if (first.count() <= 0 || first > most)
        throw std::invalid_argument("wsio: reconnect_options.first must be more than 0, and most no less than it");
    handshake::fill_with_random(std::as_writable_bytes(std::span(&random_, 1)));
}

std::chrono::milliseconds backoff::next() {
    // splitmix64: nothing secret hangs on it.
    auto mixed = random_ += 0x9E3779B97F4A7C15;
    mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9;
    mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB;
    mixed ^= mixed >> 31;
    auto const half = present_ / 2;
    auto const span = static_cast<std::uint64_t>((present_ - half).count()) + 1;
    auto const wait = half + std::chrono::milliseconds(mixed % span);
    present_ = present_ > most_ / 2 ? most_ : present_ * 2;
    return wait;
}

struct reconnecting::state {
    std::string url;
    client_options options;
    reconnect_options when;
    backoff times;
    std::shared_ptr<detail::lifetime> last = {};  ///< Of the connection before, if there was one.
    bool began = false;
};

reconnecting::reconnecting(std::string_view url, const client_options& options, const reconnect_options& when)
    : state_(std::make_shared<state>(state{std::string(url), options, when, backoff(when.first, when.most)})) {
    detail::validate(options);
}

asio::awaitable<socket> reconnecting::next() { return next(state_); }

namespace {

asio::awaitable<void> wait(std::chrono::milliseconds time) {
    asio::steady_timer timer(co_await asio::this_coro::executor, detail::bounded(time));
    co_await timer.async_wait(asio::use_awaitable);
}

// Tells how long a connection lasted. What the application did after its end does not count.
std::chrono::milliseconds length(const detail::lifetime& of) {
    auto const end = of.ended.value_or(std::chrono::steady_clock::now());
    return std::chrono::duration_cast<std::chrono::milliseconds>(end - of.begun);
}

}  // namespace

asio::awaitable<socket> reconnecting::next(std::shared_ptr<state> s) {
    auto const& when = s->when;
    if (s->last && length(*s->last) >= when.steady) s->times.reset();
    s->last.reset();
    if (std::exchange(s->began, true)) co_await wait(s->times.next());
    for (unsigned tried = 1;; ++tried) {
        auto const noted = std::make_shared<detail::lifetime>();
        std::optional<connect_error> error;
        try {
            auto connecting = detail::connect(s->url, s->options, noted);
            auto socket = co_await std::move(connecting);
            s->last = noted;
            co_return socket;
        } catch (const connect_error& e) {
            error = e;
        }
        bool const again = when.retry ? when.retry(*error) : is_temporary(*error);
        if (!again || tried == when.attempts) throw connect_error(*error);
        auto const pause = s->times.next();
        if (when.on_failure) when.on_failure(*error, pause);
        co_await wait(pause);
    }
}

}  // namespace wsio
