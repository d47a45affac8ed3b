#include "io/dialing.hpp"

#include <wsio/error.hpp>

#include <boost/asio/error.hpp>
#include <boost/asio/experimental/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <deque>
#include <memory>
#include <optional>
#include <utility>

#include "io/deadlines.hpp"
#include "io/resolving.hpp"

namespace wsio::detail {

namespace asio = boost::asio;
using asio::ip::tcp;
using clock = std::chrono::steady_clock;

namespace {

// Where a coroutine waits for one of several things to happen, at most until a time. Shared with the handlers of the
// operations, which may run when nobody waits any more: nothing ends getaddrinfo before its time.
class event {
public:
    explicit event(const asio::any_io_executor& executor) : timer_(executor) {}

    void happen() { timer_.cancel(); }

    /// Throws when the calling coroutine is cancelled.
    static asio::awaitable<void> wait(event& self, clock::time_point until) {
        self.timer_.expires_at(until);
        co_await self.timer_.async_wait(asio::experimental::as_tuple(asio::use_awaitable));
        auto const state = co_await asio::this_coro::cancellation_state;
        if (state.cancelled() != asio::cancellation_type::none)
            throw boost::system::system_error(asio::error::operation_aborted, "wsio: connect");
    }

private:
    asio::steady_timer timer_;
};

std::string place(const dialing& where) { return where.host + ':' + std::to_string(where.port); }

struct inquiry {
    explicit inquiry(const asio::any_io_executor& executor) : done(executor) {}

    event done;
    std::optional<resolution> answer;
};

question ask(const asio::any_io_executor& executor, const std::string& host, const std::shared_ptr<inquiry>& about) {
    return {executor, host, [about](const resolution& found) {
                about->answer = found;
                about->done.happen();
            }};
}

asio::awaitable<std::vector<tcp::endpoint>> resolve(const dialing& where, clock::time_point deadline) {
    boost::system::error_code ec;
    if (auto const literal = asio::ip::make_address(where.host, ec); !ec)
        co_return std::vector{tcp::endpoint(literal, where.port)};
    auto const executor = co_await asio::this_coro::executor;
    auto const r = std::make_shared<inquiry>(executor);
    auto const asked = ask(executor, where.host, r);
    while (!r->answer) {
        if (clock::now() >= deadline)
            throw connect_error(error::resolve_timed_out, "the name \"" + where.host + "\" was not resolved within " +
                                                              std::to_string(where.timeout.count()) +
                                                              " ms; is the name server reachable?");
        co_await event::wait(r->done, deadline);
    }
    if (r->answer->addresses.empty())
        throw connect_error(error::name_not_resolved, "the name \"" + where.host + "\" cannot be resolved (" +
                                                          r->answer->problem +
                                                          "); check its spelling, and the network");
    std::vector<tcp::endpoint> places;
    for (auto const& each : r->answer->addresses) places.emplace_back(each, where.port);
    co_return places;
}

// The attempts on all addresses of a host.
struct race {
    explicit race(const asio::any_io_executor& executor) : changed(executor) {}

    event changed;
    std::deque<tcp::socket> sockets;
    std::size_t under_way = 0;
    clock::time_point next_at = clock::now();  ///< When the next address is tried.
    std::optional<std::size_t> winner;
    boost::system::error_code first_failure;
    std::string failures;
    bool over = false;  ///< Nobody waits for it any more.
};

// Ends what is left of a race when the coroutine that waits for it does.
struct referee {
    std::shared_ptr<race> watched;

    explicit referee(std::shared_ptr<race> r) : watched(std::move(r)) {}
    referee(const referee&) = delete;
    referee& operator=(const referee&) = delete;
    ~referee() {
        watched->over = true;
        boost::system::error_code ignored;
        for (auto& socket : watched->sockets) static_cast<void>(socket.close(ignored));
    }
};

void attempt(const std::shared_ptr<race>& r, const tcp::endpoint& to, const asio::any_io_executor& executor) {
    auto const index = r->sockets.size();
    auto& socket = r->sockets.emplace_back(executor);
    ++r->under_way;
    socket.async_connect(to, [r, index, to](boost::system::error_code ec) {
        --r->under_way;
        if (r->over) return;
        if (!ec) {
            if (!r->winner) r->winner = index;
        } else {
            if (!r->first_failure) r->first_failure = ec;
            if (!r->failures.empty()) r->failures += "; ";
            r->failures += to.address().to_string() + ": " + ec.message();
            boost::system::error_code ignored;
            // Not only when the race is over: there may be many addresses.
            static_cast<void>(r->sockets[index].close(ignored));
            r->next_at = clock::now();
        }
        r->changed.happen();
    });
}

[[noreturn]] void fail(const dialing& where, const race& r) {
    auto const lost = "no connection to " + place(where) + " (" + r.failures + "); ";
    if (r.first_failure == asio::error::connection_refused)
        throw connect_error(error::connection_refused, lost + "is the server running, and is the port right?");
    if (r.first_failure == asio::error::timed_out)
        throw connect_error(error::connect_timed_out, lost + "is the host up, and does a firewall let this through?");
    if (r.first_failure == boost::system::errc::too_many_files_open ||
        r.first_failure == boost::system::errc::too_many_files_open_in_system)
        throw connect_error(error::unreachable, lost + "close what is not needed, or raise the limit of open files");
    throw connect_error(error::unreachable, lost + "is there a network that leads there?");
}

}  // namespace

std::vector<tcp::endpoint> interleaved(const std::vector<tcp::endpoint>& addresses) {
    std::vector<tcp::endpoint> preferred;
    std::vector<tcp::endpoint> others;
    for (auto const& each : addresses)
        (each.protocol() == addresses.front().protocol() ? preferred : others).push_back(each);
    std::vector<tcp::endpoint> ordered;
    for (std::size_t i = 0; i < preferred.size() || i < others.size(); ++i) {
        if (i < preferred.size()) ordered.push_back(preferred[i]);
        if (i < others.size()) ordered.push_back(others[i]);
    }
    return ordered;
}

asio::awaitable<tcp::socket> dial(const dialing& where) {
    auto const deadline = clock::now() + bounded(where.timeout);
    auto const addresses = interleaved(co_await resolve(where, deadline));
    co_return co_await dial_any(where, addresses, deadline);
}

asio::awaitable<tcp::socket> dial_any(const dialing& where, const std::vector<tcp::endpoint>& addresses,
                                      clock::time_point deadline) {
    auto const executor = co_await asio::this_coro::executor;
    referee const watch(std::make_shared<race>(executor));
    auto const& r = watch.watched;
    std::size_t tried = 0;
    while (!r->winner) {
        auto const now = clock::now();
        if (now >= deadline)
            throw connect_error(error::connect_timed_out,
                                place(where) + " did not take the connection within " +
                                    std::to_string(where.timeout.count()) +
                                    " ms; is the host up, and does a firewall let this through?");
        if (tried < addresses.size() && now >= r->next_at) {
            attempt(r, addresses[tried++], executor);
            r->next_at = now + bounded(where.next_address_after);
            continue;
        }
        if (r->under_way == 0) fail(where, *r);
        co_await event::wait(r->changed, tried < addresses.size() ? std::min(r->next_at, deadline) : deadline);
    }
    auto connected = std::move(r->sockets[*r->winner]);
    co_return connected;
}

}  // namespace wsio::detail
