#include "io/connecting.hpp"

#include <wsio/protocols.hpp>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <array>
#include <exception>
#include <memory>
#include <optional>
#include <utility>
#include <variant>

#include "handshake/client_handshake.hpp"
#include "handshake/random.hpp"
#include "handshake/websocket_url.hpp"
#include "io/addresses.hpp"
#include "io/client_state.hpp"
#include "io/connection.hpp"
#include "io/dialing.hpp"
#include "io/loop.hpp"

namespace wsio::detail {

namespace asio = boost::asio;
using handshake::client_handshake;
using handshake::websocket_url;

namespace {

// How long the body of a refusal is waited for: it only makes the message better.
constexpr std::chrono::milliseconds patience_for_body{1'000};

// One attempt to connect, in one version.
struct attempt {
    const client_options& settings;
    const websocket_url& url;
    protocol_version version;
};

// Drops a connection that comes to nothing.
class trial {
public:
    explicit trial(connection& c) noexcept : held_(&c), connection_(&c) {}
    trial(const trial&) = delete;
    trial& operator=(const trial&) = delete;
    ~trial() {
        if (connection_ != nullptr) connection_->destroy(ended_by::application, "no connection came of it");
    }
    [[nodiscard]] socket succeeded() noexcept { return std::exchange(connection_, nullptr)->handle(); }

private:
    operation held_;
    connection* connection_;
};

[[noreturn]] void fail(const websocket_url& url, error why, const std::string& message, unsigned status = 0,
                       std::string_view body = {}) {
    throw connect_error(why, "cannot connect to " + url.to_string() + ": " + message, status, body);
}

// What ended a connection before its time, where the network has said so.
std::string network_says(const connection& c) {
    auto const* const how = c.ending();
    return how == nullptr ? std::string() : " (" + how->cause + ')';
}

asio::awaitable<connection*> dial(const attempt& a) {
    dialing const where{a.url.host, a.url.port, a.settings.connect_timeout, a.settings.next_address_after};
    auto socket = co_await dial(where);
    socket.non_blocking(true);
    boost::system::error_code ignored;
    socket.set_option(asio::ip::tcp::no_delay(true), ignored);
    auto remote = remote_endpoint_of(socket.native_handle());
    auto& home = loop::of(co_await asio::this_coro::executor);
    co_return &connection::make(home, socket.release(), std::move(remote));
}

// Sends the request and reads the answer to its end, good or bad.
asio::awaitable<void> converse(const attempt& a, connection& c, client_handshake& h) {
    using state = client_handshake::state;
    c.write_raw(h.request_bytes());
    for (bool reads_body = false;;) {
        c.consume(h.put(c.input()));
        if (h.status() >= state::agreed) co_return;
        if (h.status() == state::body && !std::exchange(reads_body, true))
            c.set_deadline(std::min(patience_for_body, a.settings.timeouts.handshake), "the refusal took too long");
        if (co_await connection::fill(c)) continue;
        if (c.timed_out() && !reads_body)
            fail(a.url, error::handshake_timed_out,
                 "the server did not answer the handshake of " + std::string(to_string(a.version)) + " within " +
                     std::to_string(a.settings.timeouts.handshake.count()) + " ms; is it a WebSocket server?");
        h.end();
    }
}

// `wish` has defaults that the URL's and the options' lifetimes have nothing to do with.
handshake::wish wish_of(const attempt& a) {
    handshake::wish wanted;
    wanted.version = a.version;
    wanted.url = a.url;
    wanted.origin = a.settings.origin;
    wanted.subprotocols = a.settings.subprotocols;
    wanted.fields = a.settings.fields;
    wanted.compression = a.settings.compression;
    return wanted;
}

socket open(const attempt& a, connection& c, trial& holder, const client_handshake& h) {
    if (a.settings.on_headers) a.settings.on_headers(h.answer().fields());
    auto r = h.request();
    r.remote_endpoint(c.remote());
    auto const state = std::make_shared<client_state>(a.settings);
    c.open(protocols[a.version], opening(r, h.subprotocol(), {}), state);
    if (h.deflate()) c.compress(*h.deflate());
    state->opened(c);
    return holder.succeeded();
}

asio::awaitable<socket> try_version(const attempt& a) {
    auto& c = *co_await dial(a);
    trial holder(c);
    c.set_deadline(a.settings.timeouts.handshake, "the handshake took too long");
    handshake::response_limits const limits{a.settings.limits.head_size, a.settings.limits.header_count};
    auto const h = std::make_unique<client_handshake>(wish_of(a), limits, handshake::fill_with_random);
    co_await converse(a, c, *h);
    if (h->status() != client_handshake::state::agreed) {
        auto const& problem = h->problem();
        auto const lost = problem.why == error::connection_lost ? network_says(c) : std::string();
        fail(a.url, problem.why, problem.message + lost, h->answer().status(), h->answer().body());
    }
    if (c.current_phase() != connection::phase::handshake)
        fail(a.url, error::connection_lost, "the connection ended right behind the handshake" + network_says(c));
    co_return open(a, c, holder, *h);
}

// Tells whether another version may do better: the server was reached, and did not take this one.
bool may_be_the_version(const connect_error& e) {
    switch (e.why()) {
        case error::unexpected_status: {
            constexpr std::array about_the_request{400U, 404U, 405U, 426U, 500U, 501U, 505U};
            return std::ranges::find(about_the_request, e.http_status()) != about_the_request.end();
        }
        case error::handshake_timed_out:
        case error::connection_lost:
        case error::bad_answer:
        case error::wrong_upgrade:
        case error::wrong_connection:
        case error::wrong_accept_key:
        case error::wrong_challenge_answer:
        case error::wrong_origin:
        case error::wrong_location: return true;
        default: return false;
    }
}

}  // namespace

asio::awaitable<socket> connect(std::string url, client_options settings) {
    validate(settings);
    auto parsed = handshake::parse_url(url);
    if (auto const* const problem = std::get_if<std::string>(&parsed)) throw connect_error(error::bad_url, *problem);
    auto const& where = std::get<websocket_url>(parsed);
    std::exception_ptr failed;
    for (auto const version : settings.protocols) {
        try {
            attempt const a{settings, where, version};
            co_return co_await try_version(a);
        } catch (const connect_error& e) {
            if (!may_be_the_version(e)) throw;
            failed = std::current_exception();
        }
    }
    std::rethrow_exception(failed);
}

}  // namespace wsio::detail
