#include <wsio/server.hpp>

#include <boost/asio/detached.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/this_coro.hpp>

#include <exception>
#include <new>
#include <stdexcept>
#include <utility>

#include "handshake/authority.hpp"
#include "handshake/proxies.hpp"
#include "io/addresses.hpp"
#include "io/descriptor.hpp"
#include "io/front.hpp"
#include "io/server_state.hpp"
#include "io/session.hpp"
#include "io/upgrade.hpp"

namespace wsio {

namespace asio = boost::asio;

namespace {

// The handles of one server share this; when the last one goes away, so does what listens for it.
struct owner {
    std::shared_ptr<detail::server_state> state;
    std::shared_ptr<detail::front> front;  ///< Null for a server that gets its connections by handle_upgrade.
    bool owns_front = false;

    owner(std::shared_ptr<detail::server_state> s, std::shared_ptr<detail::front> f, bool owns) noexcept
        : state(std::move(s)), front(std::move(f)), owns_front(owns) {}
    owner(const owner&) = delete;  // the end of a copy would stop the server
    owner& operator=(const owner&) = delete;
    ~owner() {
        try {
            state->take_no_more();  // nobody could accept it
        } catch (const std::bad_alloc&) {
            // It is stopped; what could not be told so goes with it.
        }
        if (!front) return;
        front->detach(*state);
        if (owns_front) front->stop();
    }
};

std::shared_ptr<detail::server_state> handle_to(std::shared_ptr<detail::server_state> state,
                                                std::shared_ptr<detail::front> front, bool owns_front) {
    auto const shared = std::make_shared<owner>(std::move(state), std::move(front), owns_front);
    return {shared, shared->state.get()};
}

// Whoever sets it believes that the connections are encrypted.
void require_no_tls(const options& settings) {
    if (settings.tls)
        throw std::invalid_argument(
            "wsio: options.tls is for servers that listen themselves; an http_server has it in its own options");
}

std::shared_ptr<detail::server_state> attached(const std::shared_ptr<detail::front>& front, options settings,
                                               bool owns_front) {
    auto state = std::make_shared<detail::server_state>(front->executor(), std::move(settings));
    std::weak_ptr<detail::front> const weak = front;
    state->local_endpoint = [weak] {
        auto const alive = weak.lock();
        return alive ? alive->local_endpoint() : endpoint{};
    };
    if (owns_front) {
        state->on_stop = [weak] {
            if (auto const alive = weak.lock()) alive->stop();
        };
        state->on_drain = [weak](drain_options how) { return detail::front::drain(weak.lock(), how); };
    }
    front->attach(state);
    return handle_to(std::move(state), front, owns_front);
}

template <typename Signature>
detail::shared_callback<Signature> shared(std::function<Signature> callback) {
    if (!callback) return nullptr;
    return std::make_shared<const std::function<Signature>>(std::move(callback));
}

struct take_over_here {
    std::shared_ptr<detail::server_state> state;
    detail::descriptor descriptor;  // on its way to the server's thread
    request r;
    std::string head;

    void operator()() {
        detail::connection* c = nullptr;
        try {
            auto remote = r.remote_endpoint();
            c = &detail::connection::make(state->home(), descriptor.release(), std::move(remote));
            begin(*c);
        } catch (const std::exception&) {  // out of memory: this connection is lost, the others go on
            if (c != nullptr) c->out_of_memory();
        }
    }

    void begin(detail::connection& c) {
        c.close_within(state->settings().timeouts.close);
        c.append_input(head);
        c.set_deadline(state->settings().timeouts.handshake, "the handshake took too long");
        auto const server = state->serves(handshake::path_of(r)) ? state : nullptr;
        auto const sender = r.client_endpoint();  // the program may know better than the connection
        handshake::apply_forwarded(r, sender, state->proxies(), state->settings().forwarding);
        detail::launch(detail::session(c, detail::upgrade(server, c, std::move(r))), state->executor());
    }
};

}  // namespace

server::server(asio::any_io_executor executor, options options) {
    require_no_tls(options);
    state_ = handle_to(std::make_shared<detail::server_state>(std::move(executor), std::move(options)), nullptr, false);
}

asio::awaitable<std::optional<socket>> server::accept() { return detail::server_state::accept(state_); }

void server::handle_upgrade(request request, asio::ip::tcp::socket stream, std::string_view head) {
    request.remote_endpoint(detail::remote_endpoint_of(stream.native_handle()));
    stream.native_non_blocking(true);
    boost::system::error_code ignored;
    static_cast<void>(stream.set_option(asio::ip::tcp::no_delay(true), ignored));
    // The connection is to hold the state alone: as a handle it would keep the server from stopping.
    asio::dispatch(state_->home().context(),
                   take_over_here{state_->shared_from_this(), detail::descriptor(stream.release()), std::move(request),
                                  std::string(head)});
}

std::map<std::size_t, socket> server::clients() const { return state_->clients(); }

std::size_t server::clients_count() const noexcept { return state_->clients_count(); }

wsio::statistics server::statistics() const { return state_->counts.snapshot(); }

server& server::on_connection(std::function<void(socket)> callback) {
    state_->on_connection = shared(std::move(callback));
    return *this;
}

server& server::on_error(std::function<void(const request&, std::string_view)> callback) {
    state_->on_error = shared(std::move(callback));
    return *this;
}

server& server::on_headers(std::function<void(const request&, headers&)> callback) {
    state_->on_headers = shared(std::move(callback));
    return *this;
}

endpoint server::local_endpoint() const { return state_->local_endpoint ? state_->local_endpoint() : endpoint{}; }

asio::awaitable<void> server::drain(std::chrono::milliseconds deadline, std::chrono::milliseconds spread) {
    drain_options const how{deadline, spread};
    // A server that has the port to itself also sees to the connections that are not WebSockets yet.
    return state_->on_drain ? state_->on_drain(how) : detail::server_state::drain(state_, how);
}

void server::stop() {
    if (state_->loop_is_gone()) return;
    asio::dispatch(state_->home().context(), [state = state_] { state->stop(); });
}

asio::any_io_executor server::get_executor() const { return state_->executor(); }

server server::at(const std::shared_ptr<detail::front>& front, const options& options) {
    return server(attached(front, options, true));
}

server listen(asio::any_io_executor executor, std::uint16_t port, const options& options) {
    auto const front = detail::front::alone(std::move(executor), options, detail::front::count_for(options.limits));
    auto result = server::at(front, options);
    front->listen(port);
    return result;
}

asio::awaitable<server> listen(std::uint16_t port) {
    options const defaults;
    co_return listen(co_await asio::this_coro::executor, port, defaults);
}

asio::awaitable<server> listen(std::uint16_t port, const options& options) {
    co_return listen(co_await asio::this_coro::executor, port, options);
}

server attach(http_server& http, options settings) {
    require_no_tls(settings);
    return server(attached(http.front_, std::move(settings), false));
}

}  // namespace wsio
