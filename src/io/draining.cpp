#include "io/draining.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "io/log.hpp"

namespace wsio::detail {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::milliseconds look_every{10};

// Every step walks over all connections, so there are not too many of them.
constexpr std::size_t most_steps = 100;

std::size_t steps_of(std::chrono::milliseconds spread) {
    return std::clamp<std::size_t>(static_cast<std::size_t>(spread / look_every), 1, most_steps);
}

std::size_t count(loop& l, const std::function<bool(const connection&)>& counts) {
    std::size_t found = 0;
    l.for_each_connection([&](const connection& c) { found += counts(c) ? 1 : 0; });
    return found;
}

// Closes open connections until there are no more than `keep`.
void close_some(loop& l, std::size_t keep, const std::function<bool(const connection&)>& is_open) {
    auto open = count(l, is_open);
    l.for_each_connection([&](connection& c) {
        if (open <= keep || !is_open(c)) return;
        close_for_stop(c);
        --open;
    });
}

}  // namespace

void close_for_stop(connection& c) {
    c.end(close_code::going_away, "the server is stopping", ended_by::server, "the server is stopping");
}

asio::awaitable<void> drain(loop& l, log_function log_to, drain_options how,
                            std::function<bool(const connection&)> belongs) {
    how.deadline = bounded(how.deadline);
    auto const begin = l.now();
    auto const end = begin + how.deadline;
    auto const spread = std::max(std::chrono::milliseconds::zero(), std::min(how.spread, how.deadline));
    auto const steps = steps_of(spread);
    auto const is_open = [&belongs](const connection& c) {
        return c.current_phase() == connection::phase::open && belongs(c);
    };
    auto const open = count(l, is_open);
    auto const lives = [&belongs](const connection& c) {
        return c.current_phase() != connection::phase::ended && belongs(c);
    };
    log(log_to, log_level::info,
        [&] { return fmt::format("draining {} connections within {} ms", count(l, lives), how.deadline.count()); });
    for (std::size_t step = 0; step < steps; ++step) {
        if (step != 0) co_await loop::sleep_until(l, begin + spread * step / steps);
        if (!l.any_connection(lives)) break;
        close_some(l, open * (steps - 1 - step) / steps, is_open);
    }
    // At least once, so that who was closed last is told even when the time is over.
    while (l.any_connection(lives)) {
        co_await loop::sleep_until(l, std::min(end, l.now() + look_every));
        if (l.now() >= end) break;
    }
    std::size_t dropped = 0;
    l.for_each_connection([&](connection& c) {
        if (!lives(c)) return;
        c.destroy(ended_by::server, "the server stopped before the connection had ended");
        ++dropped;
    });
    auto const level = dropped == 0 ? log_level::info : log_level::warning;
    log(log_to, level, [&] { return fmt::format("drained; {} connections had to be dropped", dropped); });
}

}  // namespace wsio::detail
