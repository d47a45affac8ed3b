#include "probing.hpp"

#include "client_arguments.hpp"
#include "text.hpp"
#include "url.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace wsio::command {

namespace asio = boost::asio;

namespace {

using clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::size_t first_size = 64 << 10;
constexpr milliseconds pong_time{10'000};

double nanoseconds_since(clock::time_point begin) {
    return std::chrono::duration<double, std::nano>(clock::now() - begin).count();
}

double seconds_since(clock::time_point begin) { return nanoseconds_since(begin) / 1e9; }

asio::awaitable<socket> connect_in(const probe_settings& wanted, protocol_version version) {
    auto options = wanted.way;
    options.protocols = {version};
    co_return co_await connect(wanted.url, options);
}

// Sends a ping and gives how long its pong took; nothing when there is none. Messages are no answer. A server with much to
// send may leave a ping unanswered that comes meanwhile, so it is asked again.
asio::awaitable<std::optional<double>> round_trip(socket with) {
    asio::steady_timer timer(co_await asio::this_coro::executor);
    std::optional<double> took;
    std::map<std::string, clock::time_point, std::less<>> asked;
    auto const until = clock::now() + pong_time;
    with.on_message([](const message&) {});
    with.on_pong([&](std::string_view payload) {
        auto const answered = asked.find(payload);
        if (answered == asked.end() || took) return;  // nobody asked for it, or an earlier round trip did
        took = nanoseconds_since(answered->second);
        timer.cancel();
    });
    with.on_close([&](const status&) { timer.cancel(); });
    while (!took && with.is_open() && clock::now() < until) {
        auto const now = clock::now();
        auto const payload =
            fmt::format("wsio probe {}", now.time_since_epoch().count());  // no other ping has the same
        asked.emplace(payload, now);
        with.ping(payload);
        timer.expires_after(std::chrono::seconds(1));
        boost::system::error_code ignored;
        co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
    with.on_pong(nullptr).on_close(nullptr);
    co_return took;
}

// Gives the problem without what every line would say.
std::string problem_of(const connect_error& error, std::string_view url) {
    auto const text = message_of(error);
    auto const at = text.find(": ");
    bool const names_the_url = at != std::string::npos && text.find(url) < at;
    return names_the_url ? text.substr(at + 2) : text;
}

asio::awaitable<findings::version> try_version(const probe_settings& wanted, protocol_version version,
                                               findings& found) {
    findings::version result{.spoken = version};
    auto options = wanted.way;
    options.protocols = {version};
    options.on_headers = [&](const headers& fields) {
        result.extensions = fields["Sec-WebSocket-Extensions"];
        if (auto const server = fields["Server"]; !server.empty()) found.server = server;
    };
    connect_result attempt;
    clock::time_point begin;
    for (bool again = true; again;) {
        begin = clock::now();
        attempt = co_await try_connect(wanted.url, options);
        // A server that answers an offer in a way that no client can accept may speak the version all the same.
        again = false;
        if (attempt.error && attempt.error->why() == error::wrong_extension)
            again = std::exchange(options.compression.mode, compression_mode::off) != compression_mode::off;
        if (attempt.error && attempt.error->why() == error::wrong_subprotocol)
            again = !std::exchange(options.subprotocols, {}).empty();
    }
    if (attempt.error) {
        auto const code = exit_code_of(attempt.error->why());
        // Other versions would fare no better.
        if (code != exit_code::no_handshake) throw failure(code, message_of(*attempt.error));
        result.problem = problem_of(*attempt.error, bench::without_credentials(wanted.url));
        co_return result;
    }
    result.nanoseconds = nanoseconds_since(begin);
    result.subprotocol = attempt.socket.subprotocol();
    if (attempt.socket.can_send_binary() && !found.was_pinged) {
        found.was_pinged = true;
        found.ping_nanoseconds = co_await round_trip(attempt.socket);
    }
    co_await attempt.socket.close();
    co_return result;
}

// Sends messages twice as long each time, and behind each a ping: the pong says that the message was taken.
asio::awaitable<findings::message_size> find_message_size(const probe_settings& wanted, protocol_version version) {
    findings::message_size found;
    auto opened = co_await connect_in(wanted, version);
    for (auto size = std::min(first_size, wanted.largest_message);; size = std::min(2 * size, wanted.largest_message)) {
        std::string const payload(size, 'x');
        co_await opened.send(payload);
        if (!co_await round_trip(opened)) {
            found.refused = size;
            co_await opened.close();
            auto const how = opened.status();
            found.why = how.by == ended_by::application ? fmt::format("no pong within {} s", pong_time.count() / 1000)
                                                        : describe_ending(how);
            co_return found;
        }
        found.taken = size;
        if (size == wanted.largest_message) break;
    }
    co_await opened.close();
    co_return found;
}

// Says nothing. What comes and is no message is a ping.
asio::awaitable<findings::silence> be_silent(const probe_settings& wanted, protocol_version version) {
    auto quiet = wanted;
    quiet.way.timeouts.ping = {};
    quiet.way.monitor = std::make_shared<monitor>();
    findings::silence found;
    auto opened = co_await connect_in(quiet, version);
    auto const begin = clock::now();
    asio::steady_timer timer(co_await asio::this_coro::executor);
    opened.on_message([&](const message&) { found.spoke = true; });
    while (opened.is_open() && clock::now() - begin < *wanted.silence) {
        timer.expires_after(milliseconds(20));
        co_await timer.async_wait(asio::use_awaitable);
        auto const counted = quiet.way.monitor->statistics();
        if (!found.pinged_after && opened.is_open() && !found.spoke && counted.bytes_received != 0)
            found.pinged_after = seconds_since(begin);
    }
    if (!opened.is_open()) {
        found.closed_after = seconds_since(begin);
        found.why = describe_ending(opened.status());
    }
    found.watched_seconds = seconds_since(begin);
    co_await opened.close();
    co_return found;
}

}  // namespace

asio::awaitable<findings> probe(const probe_settings& wanted) {
    findings found{.url = bench::without_credentials(wanted.url), .offered = wanted.way.subprotocols};
    found.size_was_asked = wanted.largest_message != 0;
    found.patience_was_asked = wanted.silence.has_value();
    std::optional<protocol_version> best;
    for (auto const version : wanted.versions) {
        auto const result = co_await try_version(wanted, version, found);
        if (result.works() && is_hybi(version) && !best) best = version;
        found.versions.push_back(result);
    }
    if (best && found.size_was_asked) found.size = co_await find_message_size(wanted, *best);
    if (best && found.patience_was_asked) found.patience = co_await be_silent(wanted, *best);
    co_return found;
}

}  // namespace wsio::command
