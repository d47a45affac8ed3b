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
#include "handshake/tunnel.hpp"
#include "handshake/websocket_url.hpp"
#include "io/addresses.hpp"
#include "io/client_state.hpp"
#include "io/client_tls_context.hpp"
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

// Whom to connect to.
struct destination {
    websocket_url url;
    std::optional<websocket_url> proxy = {};
    /// A redirect led away from the first host, whose secrets are not for this one.
    bool elsewhere = false;
    std::shared_ptr<lifetime> noted = {};
};

// One attempt to connect, in one version.
struct attempt {
    const client_options& settings;
    const destination& to;
    protocol_version version;
    const websocket_url& url = to.url;
};

// What became of it.
struct outcome {
    wsio::socket socket;
    std::optional<websocket_url> redirect = {};
};

// Drops a connection that comes to nothing.
class trial {
public:
    explicit trial(connection& c) noexcept : held_(&c), connection_(&c) {}
    trial(const trial&) = delete;
    trial& operator=(const trial&) = delete;
    ~trial() {
        if (connection_ == nullptr) return;
        connection_->survive([this] { connection_->destroy(ended_by::application, "no connection came of it"); });
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

// Fails over an answer that was refused, malformed or not there.
[[noreturn]] void fail(const websocket_url& url, const handshake::failure& problem,
                       const handshake::response_reader& answer, const connection& c) {
    auto message = problem.message + network_says(c);
    auto body = std::string_view(answer.body());
    // What is no HTTP is its own body: it says what is there in place of the server.
    if (answer.status() == 0) body = c.input();
    if (answer.status() == 0 && !body.empty())
        message += " (the answer begins with \"" + handshake::first_line(body) + "\")";
    fail(url, problem.why, message, answer.status(), body);
}

asio::awaitable<connection*> dial(const attempt& a) {
    auto const& to = a.to.proxy ? *a.to.proxy : a.url;
    dialing const where{to.host, to.port, a.settings.connect_timeout, a.settings.next_address_after};
    auto socket = co_await dial(where);
    socket.non_blocking(true);
    boost::system::error_code ignored;
    static_cast<void>(socket.set_option(asio::ip::tcp::no_delay(true), ignored));
    auto remote = remote_endpoint_of(socket.native_handle());
    auto& home = loop::of(co_await asio::this_coro::executor);
    auto& c = connection::make(home, socket.release(), std::move(remote));
    c.close_within(a.settings.timeouts.close);
    co_return &c;
}

// A stage that ran out of time.
struct late {
    error why;
    std::string_view who_did_what;
    loop::clock::time_point begun = {};  ///< When the connection's time for the handshake began.
};

[[noreturn]] void fail_late(const attempt& a, const late& stage) {
    fail(a.url, stage.why,
         std::string(stage.who_did_what) + " within " + std::to_string(a.settings.timeouts.handshake.count()) + " ms");
}

// Gives how long the body of a refusal is waited for: the deadline of the handshake holds for it as well.
std::chrono::milliseconds time_for_body(const attempt& a, connection& c, const late& stage) {
    using std::chrono::milliseconds;
    auto const used = std::chrono::duration_cast<milliseconds>(c.home().now() - stage.begun);
    return std::clamp(a.settings.timeouts.handshake - used, milliseconds(1), patience_for_body);
}

// Sends the request and reads the answer to its end, good or bad.
template <typename Exchange>
asio::awaitable<void> converse(const attempt& a, connection& c, Exchange& exchange, const late& stage) {
    c.write_raw(exchange.request_bytes());
    for (bool reads_body = false;;) {
        c.consume(exchange.put(c.input()));
        if (exchange.is_over()) co_return;
        if (exchange.reads_body() && !std::exchange(reads_body, true))
            c.set_deadline(time_for_body(a, c, stage), "the refusal took too long");
        if (co_await connection::fill(c)) continue;
        if (c.timed_out() && !reads_body) fail_late(a, stage);
        exchange.end();
    }
}

handshake::response_limits limits_of(const attempt& a) {
    return {a.settings.limits.head_size, a.settings.limits.header_count};
}

asio::awaitable<void> ask_proxy(const attempt& a, connection& c, loop::clock::time_point begun) {
    auto const t = std::make_unique<handshake::tunnel>(a.url, *a.to.proxy, limits_of(a));
    late const stage{error::proxy_timed_out, "the proxy did not connect to the server", begun};
    co_await converse(a, c, *t, stage);
    if (t->succeeded()) co_return;
    fail(a.url, t->problem(), t->answer(), c);
}

asio::awaitable<void> secure(const attempt& a, connection& c) {
    auto const expected = std::make_shared<tls_expectation>(a.settings.tls.context(), a.url.host, a.to.elsewhere);
    c.secure(expected);
    if (co_await connection::secured(c)) co_return;
    if (c.timed_out()) fail_late(a, {error::tls_timed_out, "the server did not finish the TLS handshake"});
    if (c.tls_refusal().empty())
        fail(a.url, error::tls_failed, "the server ended the connection in the TLS handshake" + network_says(c));
    std::string const reason(c.tls_refusal());
    fail(a.url, expected->why(), expected->explain(reason));
}

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
    auto const state = std::make_shared<client_state>(a.settings, a.to.noted);
    c.open(protocols[a.version], opening(r, h.subprotocol(), {}), state);
    if (h.deflate()) c.compress(*h.deflate());
    state->opened(c);
    return holder.succeeded();
}

// TLS may fail behind its handshake: in version 1.3 that is when a server refuses the client's certificate.
bool tls_broke(const connection& c) {
    auto const* const how = c.ending();
    return how != nullptr && how->cause.starts_with("TLS: ");
}

[[noreturn]] void fail(const attempt& a, const connection& c, const client_handshake& h) {
    auto const& problem = h.problem();
    if (problem.why == error::connection_lost && tls_broke(c))
        fail(a.url, error::tls_failed,
             "the server ended TLS" + network_says(c) +
                 "; does it want a certificate (client_tls_options.certificate)?");
    fail(a.url, problem, h.answer(), c);
}

// Gives where the server sends the client to, if that is to be followed.
std::optional<websocket_url> redirect_of(const attempt& a, const client_handshake& h) {
    auto const location = h.redirect();
    if (a.settings.redirects == 0 || !location) return std::nullopt;
    auto followed = handshake::follow(a.url, *location);
    if (auto const* const problem = std::get_if<std::string>(&followed))
        fail(a.url, error::bad_redirect, *problem, h.answer().status());
    auto& to = std::get<websocket_url>(followed);
    if (a.url.secure && !to.secure)
        fail(a.url, error::bad_redirect, "the redirect to " + to.to_string() + " would give up TLS",
             h.answer().status());
    return std::move(to);
}

asio::awaitable<outcome> shake_hands(const attempt& a, connection& c, trial& holder) {
    auto const begun = c.home().now();
    c.set_deadline(a.settings.timeouts.handshake, "the handshake took too long");
    if (a.to.proxy) co_await ask_proxy(a, c, begun);
    if (a.url.secure) co_await secure(a, c);
    auto const h = std::make_unique<client_handshake>(wish_of(a), limits_of(a), handshake::fill_with_random);
    late const stage{error::handshake_timed_out, "the server did not answer the WebSocket handshake", begun};
    co_await converse(a, c, *h, stage);
    outcome result;
    if (h->status() != client_handshake::state::agreed) {
        result.redirect = redirect_of(a, *h);
        if (!result.redirect) fail(a, c, *h);
        co_return result;
    }
    if (c.current_phase() != connection::phase::handshake)
        fail(a.url, error::connection_lost, "the connection ended right behind the handshake" + network_says(c));
    result.socket = open(a, c, holder, *h);
    co_return result;
}

asio::awaitable<outcome> try_version(const attempt& a) {
    auto& c = *co_await dial(a);
    trial holder(c);
    co_return co_await shake_hands(a, c, holder);
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

// Tries the versions in turn.
asio::awaitable<outcome> try_versions(const client_options& settings, const destination& to) {
    std::exception_ptr failed;
    for (auto const version : settings.protocols) {
        try {
            attempt const a{settings, to, version};
            co_return co_await try_version(a);
        } catch (const connect_error& e) {
            if (!may_be_the_version(e)) throw;
            failed = std::current_exception();
        }
    }
    std::rethrow_exception(failed);
}

websocket_url parsed(const std::string& url) {
    auto result = handshake::parse_url(url);
    if (auto const* const problem = std::get_if<std::string>(&result)) throw connect_error(error::bad_url, *problem);
    return std::get<websocket_url>(std::move(result));
}

// Goes where a redirect leads, with what belongs to the host if it is the same one.
void redirect(destination& to, websocket_url next, client_options& settings) {
    if (!next.same_origin(to.url)) {
        to.elsewhere = true;
        for (auto const* const name : {"Authorization", "Cookie", "Host"}) settings.fields.erase(name);
    } else if (next.credentials.empty()) {
        next.credentials = to.url.credentials;
    }
    to.url = std::move(next);
}

}  // namespace

asio::awaitable<socket> connect(std::string url, client_options settings, std::shared_ptr<lifetime> noted) {
    validate(settings);
    destination to{.url = parsed(url), .noted = std::move(noted)};
    if (!settings.proxy.empty()) to.proxy = std::get<websocket_url>(handshake::parse_proxy(settings.proxy));
    for (unsigned followed = 0;; ++followed) {
        auto result = co_await try_versions(settings, to);
        if (!result.redirect) co_return std::move(result.socket);
        if (followed == settings.redirects)
            fail(to.url, error::too_many_redirects,
                 "there were more than " + std::to_string(settings.redirects) + " redirects, the last to " +
                     result.redirect->to_string());
        redirect(to, std::move(*result.redirect), settings);
    }
}

asio::awaitable<socket> connect_over(int fd, endpoint remote, std::string url, client_options settings) {
    auto& c = connection::make(loop::of(co_await asio::this_coro::executor), fd, std::move(remote));
    trial holder(c);
    c.close_within(settings.timeouts.close);
    validate(settings);
    destination const to{.url = parsed(url)};
    attempt const a{settings, to, settings.protocols.front()};
    auto result = co_await shake_hands(a, c, holder);
    if (result.redirect)
        fail(to.url, error::bad_redirect, "there is no way to follow a redirect to " + result.redirect->to_string());
    co_return std::move(result.socket);
}

}  // namespace wsio::detail
