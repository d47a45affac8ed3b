#include "io/front.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <utility>
#include <variant>

#include "handshake/authority.hpp"
#include "handshake/negotiation.hpp"
#include "handshake/request_parser.hpp"
#include "handshake/response.hpp"
#include "io/draining.hpp"
#include "io/log.hpp"
#include "io/report.hpp"
#include "io/session.hpp"
#include "io/upgrade.hpp"

namespace wsio::detail {

namespace asio = boost::asio;

namespace {

// How many connections beyond a limit are told so at a time. The others are dropped: they must not cost more than those
// that are let in.
constexpr std::size_t most_turned_away = 128;

// How many requests that came together are answered before others have their turn.
constexpr unsigned requests_in_a_turn = 16;

handshake::rejection full() { return {503, "the server has all the connections that it takes; try again later"}; }

handshake::rejection too_many() { return {429, "there are too many connections from this address"}; }

http_response failed() { return {500, "the server failed to answer this request\n"}; }

}  // namespace

std::shared_ptr<front> front::alone(asio::any_io_executor executor, const options& server,
                                    std::shared_ptr<connection_count> count) {
    http_options settings{.host = server.host,
                          .unix_permissions = server.unix_permissions,
                          .limits = server.limits,
                          .timeouts = server.timeouts,
                          .trusted_proxies = server.trusted_proxies,
                          .forwarding = server.forwarding,
                          .proxy_protocol = server.proxy_protocol,
                          .log = server.log,
                          .tls = server.tls};
    return std::make_shared<front>(std::move(executor), http_handler(), std::move(settings), std::move(count));
}

front::front(asio::any_io_executor executor, http_handler handler, http_options settings,
             std::shared_ptr<connection_count> count)
    : resident(loop::of(executor)),
      settings_((validate(settings), std::move(settings))),
      proxies_(settings_.trusted_proxies),
      count_(std::move(count)),
      turned_away_(std::make_shared<connection_count>(most_turned_away, most_turned_away)),
      handler_(std::move(handler)),
      executor_(std::move(executor)),
      loop_(loop::of(executor_)) {}

front::~front() {
    for (auto const& open : listeners_) open->close();
}

void front::listen(std::uint16_t port) {
    listen(std::move(open_listening_sockets({settings_.host, port, settings_.unix_permissions}, 1).front()));
    log(settings_.log, log_level::info,
        [&] { return "listening on " + listeners_.back()->local_endpoint().to_string(); });
}

void front::listen(listening_sockets sockets) {
    auto const self = weak_from_this();
    for (auto& socket : sockets) {
        auto on_accepted = [self](int fd, endpoint remote) {
            if (auto const alive = self.lock())
                alive->accepted(fd, std::move(remote));
            else
                ::close(fd);
        };
        auto on_dropped = [self](endpoint remote) {
            if (auto const alive = self.lock()) alive->out_of_descriptors(std::move(remote));
        };
        auto on_paused = [log_to = settings_.log, at = socket.local_endpoint()](int error) {
            log(log_to, error != 0 ? log_level::error : log_level::info, [&] {
                return at.to_string() + (error != 0 ? ": accepting pauses: " + std::string(std::strerror(error))
                                                    : ": accepting goes on");
            });
        };
        listeners_.push_back(std::make_shared<listener>(loop_, std::move(socket), std::move(on_accepted),
                                                        std::move(on_dropped), std::move(on_paused)));
        listeners_.back()->start();
    }
}

endpoint front::local_endpoint() const {
    return listeners_.empty() ? endpoint{} : listeners_.front()->local_endpoint();
}

std::vector<endpoint> front::local_endpoints() const {
    std::vector<endpoint> all;
    all.reserve(listeners_.size());
    for (auto const& each : listeners_) all.push_back(each->local_endpoint());
    return all;
}

void front::detach(const server_state& server) {
    std::erase_if(servers_, [&server](auto const& attached) { return attached.get() == &server; });
}

void front::accepted(int fd, endpoint remote) {
    int owned = fd;
    connection* c = nullptr;
    try {
        bool const from_proxy = proxies_.contains(remote);
        if (settings_.proxy_protocol && !from_proxy) {
            ::close(std::exchange(owned, -1));
            tell_dropped(std::move(remote),
                         "this peer is not among the trusted proxies, which alone may send a PROXY header");
            return;
        }
        auto place = count_->enter();
        // What comes from a proxy is counted when the proxy has said for whom.
        if (!place || (!from_proxy && !place.count_for(remote))) {
            turn_away(std::exchange(owned, -1), std::move(remote), place ? too_many() : full());
            return;
        }
        c = &connection::make(loop_, std::exchange(owned, -1), std::move(remote));
        c->owner = this;
        c->close_within(settings_.timeouts.close);
        c->counted = std::move(place);
        launch(session(*c, admit(shared_from_this(), *c)), executor_);
    } catch (const std::exception&) {  // out of memory: this connection is lost, the others go on
        if (owned >= 0) ::close(owned);
        if (c != nullptr) c->out_of_memory();
    }
}

void front::turn_away(int fd, endpoint remote, const handshake::rejection& why) {
    auto place = settings_.tls ? connection_count::place() : turned_away_->enter();  // plain text says nothing to TLS
    if (place) {
        auto& c = connection::make(loop_, fd, remote);
        c.owner = this;
        c.close_within(settings_.timeouts.close);
        c.counted = std::move(place);
        c.set_deadline(settings_.timeouts.close, "the connection was refused");
        refuse(c, why);
    } else {
        ::close(fd);
    }
    report_refused(remote, why);
    tell(std::move(remote), std::to_string(why.status) + ": " + why.reason);
}

void front::drop(connection& c, std::string why) const {
    tell_dropped(c.remote(), why);
    c.destroy(ended_by::library, std::move(why));
}

void front::tell_dropped(endpoint remote, std::string_view why) const {
    if (auto* const server = sole()) server->counts.dropped.add();
    log(settings_.log, log_level::warning, [&] { return fmt::format("{}: dropped: {}", remote.to_string(), why); });
    tell(std::move(remote), "dropped: " + std::string(why));
}

void front::out_of_descriptors(endpoint remote) {
    if (auto* const server = sole()) server->counts.dropped.add();
    ++dropped_unsaid_;
    // As many as come are dropped; their lines would be as many.
    if (auto const now = std::chrono::steady_clock::now(); now >= say_dropped_at_) {
        log(settings_.log, log_level::error, [&] {
            return fmt::format("the process has no descriptors left: dropped {} connections, the last from {}",
                               dropped_unsaid_, remote.to_string());
        });
        dropped_unsaid_ = 0;
        say_dropped_at_ = now + std::chrono::seconds(1);
    }
    tell(std::move(remote), "dropped: the process has no descriptors left");
}

void front::tell(endpoint remote, std::string_view why) const {
    request nothing_read;
    nothing_read.remote_endpoint(std::move(remote));
    auto const told = servers_;  // the application may let go of one over it
    for (auto const& server : told) server->failed(nothing_read, why);
}

asio::awaitable<bool> front::admit(std::shared_ptr<front> self, connection& c) {
    c.set_deadline(self->settings_.timeouts.handshake, "the handshake took too long");
    auto const said = co_await read_proxy_header(*self, c);
    if (!said) co_return false;
    if (self->settings_.tls) c.secure(self->settings_.tls.context()->current());
    for (unsigned answered = 1;; ++answered) {
        auto read = co_await read_request(*self, c);
        if (!read) {
            self->report_refused_tls(c);
            co_return false;
        }
        bool const upgrades = handshake::wants_websocket(read->request);
        auto server = upgrades ? self->server_for(handshake::path_of(read->request)) : nullptr;
        self->identify(read->request, c, *said, server.get());
        if (!c.counted.count_for(read->request.client_endpoint())) {
            if (server)
                server->refused(read->request, too_many());
            else
                self->report_refused(c.remote(), too_many());
            refuse(c, too_many(), read->request);
            co_return false;
        }
        if (upgrades) {
            if (!server) self->report_refused(c.remote(), {404, "no WebSocket server serves this path"});
            co_return co_await upgrade(std::move(server), c, std::move(read->request));
        }
        c.clear_deadline();  // the handler takes the time that it needs
        auto const response = co_await respond(*self, read->request);
        bool const keep_alive = read->keep_alive && self->handler_ && !self->stopped_;
        write(*self, c, read->request, response, keep_alive);
        co_await connection::written(c);
        if (!keep_alive) {
            c.finish();
            co_return false;
        }
        c.set_deadline(self->settings_.timeouts.handshake, "the handshake took too long");
        if (answered % requests_in_a_turn == 0 && !c.input().empty())
            co_await asio::post(self->executor_, asio::use_awaitable);
    }
}

void front::report_refused_tls(const connection& c) const {
    if (c.tls_refusal().empty()) return;
    if (auto* const server = sole()) server->counts.tls_failures.add();
    log(settings_.log, log_level::warning,
        [&] { return fmt::format("{}: refused: {}", c.remote().to_string(), c.tls_refusal()); });
    tell(c.remote(), "400: " + std::string(c.tls_refusal()));
}

void front::refuse_head(connection& c, const handshake::rejection& why) const {
    report_refused(c.remote(), why);
    tell(c.remote(), std::to_string(why.status) + ": " + why.reason);
    refuse(c, why);
}

void front::report_refused(const endpoint& remote, const handshake::rejection& why) const {
    if (auto* const server = sole()) server->counts.refused(why.status);
    log(settings_.log, log_level::warning,
        [&] { return fmt::format("{}: refused: {}: {}", remote.to_string(), why.status, why.reason); });
}

// Gives an empty header when none is expected, nothing when the connection has ended over it.
asio::awaitable<std::unique_ptr<handshake::proxy_header>> front::read_proxy_header(const front& self, connection& c) {
    if (!self.settings_.proxy_protocol) co_return std::make_unique<handshake::proxy_header>();
    for (;;) {
        auto const result = handshake::read_proxy_header(c.input());
        if (auto const* header = std::get_if<handshake::proxy_header>(&result)) {
            c.consume(header->size);
            co_return std::make_unique<handshake::proxy_header>(*header);
        }
        if (auto const* problem = std::get_if<std::string_view>(&result)) {
            self.drop(c, "PROXY header: " + std::string(*problem));
            co_return nullptr;
        }
        if (co_await connection::fill(c)) continue;
        if (c.timed_out())
            self.drop(c, "PROXY header: it took too long");
        else if (c.input().empty() || c.interrupted())
            c.finish();  // a proxy that looks whether somebody listens, or we stop
        else
            self.drop(c, "PROXY header: the connection ended within it");
        co_return nullptr;
    }
}

// Says who sent a request. The proxies that a server trusts count for its own requests, if it names any.
void front::identify(request& r, const connection& c, const handshake::proxy_header& said,
                     const server_state* server) const {
    r.remote_endpoint(c.remote());
    if (said.source) r.client_endpoint(*said.source);
    r.secure(said.secure || c.tls() != nullptr);
    if (c.tls() != nullptr) r.client_certificate(c.tls()->peer_certificate());
    auto const sender = r.client_endpoint();
    if (server != nullptr && !server->proxies().empty())
        handshake::apply_forwarded(r, sender, server->proxies(), server->settings().forwarding);
    else
        handshake::apply_forwarded(r, sender, proxies_, settings_.forwarding);
}

asio::awaitable<std::unique_ptr<front::read_result>> front::read_request(const front& self, connection& c) {
    auto const& limits = self.settings_.limits;
    handshake::request_parser parser({limits.head_size, limits.header_count, limits.body_size});
    using state = handshake::request_parser::state;
    bool begun = !c.input().empty();
    bool continued = false;
    while (!self.stopped_) {  // while the answer before was on its way, say
        begun = begun || !c.input().empty();
        c.consume(parser.put(c.input()));
        if (parser.status() == state::complete)
            co_return std::make_unique<read_result>(read_result{parser.take(), parser.keep_alive()});
        if (parser.status() == state::failed) {
            self.refuse_head(c, parser.error());
            co_return nullptr;
        }
        if (parser.status() == state::body && parser.expects_continue() && !std::exchange(continued, true))
            c.write_raw("HTTP/1.1 100 Continue\r\n\r\n");
        if (!co_await connection::fill(c)) break;
    }
    if (begun && self.stopped_)
        self.refuse_head(c, {503, "the server is stopping"});
    else if (begun && c.timed_out())
        self.refuse_head(c, {408, "the request took too long"});
    else
        c.finish();
    co_return nullptr;
}

asio::awaitable<http_response> front::respond(const front& self, const request& r) {
    if (!self.handler_) {
        self.report_refused(r.client_endpoint(), {501, "this port speaks only WebSocket"});
        co_return http_response{501, "this port speaks only WebSocket\n"};
    }
    std::exception_ptr failure;
    try {
        co_return co_await self.handler_(r);
    } catch (...) {
        failure = std::current_exception();
    }
    report_exception(self.settings_.on_exception, self.settings_.log, std::move(failure), r);
    co_return failed();
}

void front::write(const front& self, connection& c, const request& r, const http_response& response, bool keep_alive) {
    // A reader of a large response gets a second more for every 64 KiB.
    c.set_deadline(
        bounded(self.settings_.timeouts.handshake) + std::chrono::seconds(response.body.size() / (64 * 1024)),
        "the peer did not take the response in time");
    bool const head_only = r.method() == "HEAD";
    std::string bytes;
    try {
        bytes = handshake::response(response, head_only, keep_alive);
    } catch (...) {  // a content type that would split the response, say
        report_exception(self.settings_.on_exception, self.settings_.log, std::current_exception(), r);
        bytes = handshake::response(failed(), head_only, keep_alive);
    }
    c.write_raw(bytes);
}

std::shared_ptr<server_state> front::server_for(std::string_view path) const {
    auto const found =
        std::find_if(servers_.begin(), servers_.end(), [path](auto const& server) { return server->serves(path); });
    return found == servers_.end() ? nullptr : *found;
}

server_state* front::sole() const noexcept { return handler_ || servers_.empty() ? nullptr : servers_.front().get(); }

bool front::owns(const connection& c) const {
    return c.owner == this || std::any_of(servers_.begin(), servers_.end(),
                                          [&c](auto const& server) { return server.get() == c.server(); });
}

void front::stop() {
    if (loop_is_gone() || std::exchange(stopped_, true)) return;
    for (auto const& open : listeners_) open->close();
    loop_.for_each_connection([this](connection& c) {
        if (c.owner == this && c.awaits_input()) c.interrupt();
    });
}

void front::stop_all() {
    stop();
    auto const all = servers_;  // the application may let go of one over it
    for (auto const& server : all) server->stop();
}

asio::awaitable<void> front::drain(std::shared_ptr<front> self, drain_options how) {
    self->stop();
    {
        auto const all = self->servers_;
        for (auto const& server : all) server->take_no_more();
    }
    std::function<bool(const connection&)> belongs = [self](const connection& c) { return self->owns(c); };
    co_await detail::drain(self->loop_, self->settings_.log, how, std::move(belongs));
}

}  // namespace wsio::detail
