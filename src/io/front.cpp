#include "io/front.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "handshake/negotiation.hpp"
#include "handshake/request_parser.hpp"
#include "handshake/response.hpp"
#include "io/report.hpp"
#include "io/session.hpp"
#include "io/upgrade.hpp"

namespace wsio::detail {

namespace asio = boost::asio;

namespace {

http_response failed() { return {500, "the server failed to answer this request\n"}; }

}  // namespace

front::front(asio::any_io_executor executor, http_handler handler, http_options settings)
    : resident(loop::of(executor)),
      settings_(std::move(settings)),
      proxies_(settings_.trusted_proxies),
      handler_(std::move(handler)),
      executor_(std::move(executor)),
      loop_(loop::of(executor_)) {
    validate(settings_.limits);
    validate(settings_.timeouts);
}

front::~front() {
    for (auto const& open : listeners_) open->close();
}

void front::listen(std::uint16_t port, bool shared) {
    auto const self = weak_from_this();
    listeners_.push_back(std::make_shared<listener>(loop_.context(), listener::address{settings_.host, port, shared},
                                                    [self](int fd, endpoint remote) {
                                                        if (auto const alive = self.lock())
                                                            alive->accepted(fd, std::move(remote));
                                                        else
                                                            ::close(fd);
                                                    }));
    listeners_.back()->start();
}

endpoint front::local_endpoint() const {
    return listeners_.empty() ? endpoint{} : listeners_.front()->local_endpoint();
}

void front::detach(const server_state& server) {
    std::erase_if(servers_, [&server](auto const& attached) { return attached.get() == &server; });
}

void front::accepted(int fd, endpoint remote) {
    connection* c = nullptr;
    try {
        c = &connection::make(loop_, fd, std::move(remote));
        c->owner = this;
        if (settings_.tls) c->secure(settings_.tls.context()->current());
        launch(session(*c, admit(shared_from_this(), *c)), executor_);
    } catch (const std::exception&) {  // out of memory or descriptors: this connection is lost, the others go on
        if (c != nullptr) c->destroy();
    }
}

asio::awaitable<bool> front::admit(std::shared_ptr<front> self, connection& c) {
    for (;;) {
        c.set_deadline(self->settings_.timeouts.handshake, "the handshake took too long");
        auto read = co_await read_request(*self, c);
        if (!read) {
            self->report_refused_tls(c);
            co_return false;
        }
        if (handshake::wants_websocket(read->request)) {
            auto server = self->server_for(read->request.path());
            co_return co_await upgrade(std::move(server), c, std::move(read->request));
        }
        handshake::apply_forwarded_proto(read->request, self->proxies_);
        c.clear_deadline();  // the handler takes the time that it needs
        auto const response = co_await respond(*self, read->request);
        bool const keep_alive = read->keep_alive && self->handler_ && !self->stopped_;
        write(*self, c, read->request, response, keep_alive);
        co_await connection::written(c);
        if (!keep_alive) {
            c.finish();
            co_return false;
        }
    }
}

void front::report_refused_tls(const connection& c) const {
    if (c.tls_refusal().empty()) return;
    request nothing_asked;
    nothing_asked.remote_endpoint(c.remote());
    for (auto const& server : servers_) server->refused(nothing_asked, {400, std::string(c.tls_refusal())});
}

asio::awaitable<std::unique_ptr<front::read_result>> front::read_request(const front& self, connection& c) {
    auto const& limits = self.settings_.limits;
    handshake::request_parser parser({limits.head_size, limits.header_count, limits.body_size});
    using state = handshake::request_parser::state;
    bool begun = false;
    bool continued = false;
    for (;;) {
        begun = begun || !c.input().empty();
        c.consume(parser.put(c.input()));
        if (parser.status() == state::complete) break;
        if (parser.status() == state::failed) {
            refuse(c, parser.error());
            co_return nullptr;
        }
        if (parser.status() == state::body && parser.expects_continue() && !std::exchange(continued, true))
            c.write_raw("HTTP/1.1 100 Continue\r\n\r\n");
        if (co_await connection::fill(c)) continue;
        if (begun && c.timed_out())
            refuse(c, {408, "the request took too long"});
        else
            c.finish();
        co_return nullptr;
    }
    auto result = std::make_unique<read_result>(read_result{parser.take(), parser.keep_alive()});
    result->request.remote_endpoint(c.remote());
    if (c.tls() != nullptr) {
        result->request.secure(true);
        result->request.client_certificate(c.tls()->peer_certificate());
    }
    co_return result;
}

asio::awaitable<http_response> front::respond(const front& self, const request& r) {
    if (!self.handler_) co_return http_response{501, "this port speaks only WebSocket\n"};
    std::exception_ptr failure;
    try {
        co_return co_await self.handler_(r);
    } catch (...) {
        failure = std::current_exception();
    }
    report_exception(self.settings_.on_exception, std::move(failure), r);
    co_return failed();
}

void front::write(const front& self, connection& c, const request& r, const http_response& response, bool keep_alive) {
    // A reader of a large response gets a second more for every 64 KiB.
    c.set_deadline(self.settings_.timeouts.handshake + std::chrono::seconds(response.body.size() / (64 * 1024)),
                   "the peer did not take the response in time");
    bool const head_only = r.method() == "HEAD";
    std::string bytes;
    try {
        bytes = handshake::response(response, head_only, keep_alive);
    } catch (...) {  // a content type that would split the response, say
        report_exception(self.settings_.on_exception, std::current_exception(), r);
        bytes = handshake::response(failed(), head_only, keep_alive);
    }
    c.write_raw(bytes);
}

std::shared_ptr<server_state> front::server_for(std::string_view path) const {
    auto const found =
        std::find_if(servers_.begin(), servers_.end(), [path](auto const& server) { return server->serves(path); });
    return found == servers_.end() ? nullptr : *found;
}

bool front::owns(const connection& c) const {
    return c.owner == this ||
           std::any_of(servers_.begin(), servers_.end(), [&c](auto const& server) { return server == c.server(); });
}

void front::stop() {
    if (loop_is_gone() || std::exchange(stopped_, true)) return;
    for (auto const& open : listeners_) open->close();
    loop_.for_each_connection([this](connection& c) {
        if (c.owner != this || !c.awaits_input()) return;
        if (c.input().empty())
            c.finish();
        else
            refuse(c, {503, "the server is stopping"});
    });
}

void front::stop_all() {
    stop();
    for (auto const& server : servers_) server->stop();
}

asio::awaitable<void> front::drain(std::shared_ptr<front> self, std::chrono::milliseconds deadline) {
    self->stop_all();
    auto const end = std::chrono::steady_clock::now() + deadline;
    asio::steady_timer timer(self->executor_);
    for (;;) {
        bool any = false;
        self->loop_.for_each_connection(
            [&](connection& c) { any = any || (c.current_phase() != connection::phase::ended && self->owns(c)); });
        if (!any || std::chrono::steady_clock::now() >= end) break;
        timer.expires_after(std::chrono::milliseconds(10));
        co_await timer.async_wait(asio::use_awaitable);
    }
    self->loop_.for_each_connection([&self](connection& c) {
        if (self->owns(c)) c.destroy(ended_by::server, "the server stopped before the connection had ended");
    });
}

}  // namespace wsio::detail
