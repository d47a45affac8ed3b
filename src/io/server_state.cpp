#include "io/server_state.hpp"

#include <boost/asio/experimental/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "io/draining.hpp"
#include "io/log.hpp"
#include "io/report.hpp"

namespace wsio::detail {

namespace asio = boost::asio;

server_state::server_state(asio::any_io_executor executor, options settings)
    : resident(loop::of(executor)),
      side(protocol::role::server, {settings.limits, settings.when_full, settings.timeouts, settings.compression}),
      settings_((validate(settings), std::move(settings))),
      proxies_(settings_.trusted_proxies),
      executor_(std::move(executor)),
      loop_(loop::of(executor_)),
      arrival_(std::in_place, executor_, asio::steady_timer::time_point::max()) {
    if (settings_.monitor) settings_.monitor->add(counts);
}

server_state::~server_state() {
    if (settings_.monitor) settings_.monitor->remove(counts);
}

void server_state::leave_loop() {
    arrival_.reset();
    counts.nothing_is_left();
}

bool server_state::has_room() const noexcept {
    return !stopped_ && (handler || on_connection || accepted_.size() < settings_.limits.accept_backlog);
}

void server_state::show_headers(const request& r, headers& fields) const {
    if (settings_.on_headers) settings_.on_headers(r, fields);
    if (auto const callback = on_headers) (*callback)(r, fields);
}

void server_state::opened(connection& c, const request& r) {
    count(c);
    log(settings_.log, log_level::info, [&] {
        return fmt::format("{}: opened {}, {}{}{}", r.client_endpoint().to_string(), quoted(r.target()),
                           to_string(c.strategy()->version()), r.secure() ? ", TLS" : "",
                           c.is_compressed() ? ", compressed" : "");
    });
}

// Whatever takes memory comes first: a connection that finds none ends, and must not be taken for one that was counted.
void server_state::count(connection& c) {
    if (!settings_.client_tracking) {
        c.place = connection::untracked;
    } else if (free_places_.empty()) {
        if (places_.size() == places_.capacity()) places_.reserve(2 * places_.size() + 16);
        free_places_.reserve(places_.capacity());  // an ending is to need none
        c.place = static_cast<std::uint32_t>(places_.size());
        places_.push_back(&c);
    } else {
        std::pop_heap(free_places_.begin(), free_places_.end(), std::greater<>());
        c.place = free_places_.back();
        free_places_.pop_back();
        places_[c.place] = &c;
    }
    ++open_;
    counts.opened(c.strategy()->version());
}

void server_state::ended(connection& c) {
    auto const& how = *c.ending();
    auto const place = std::exchange(c.place, connection::nowhere);
    if (place != connection::nowhere) {
        --open_;
        counts.ended(c.strategy()->version(), how.by, how.code);
    }
    if (place < places_.size()) {
        places_[place] = nullptr;
        free_places_.push_back(place);
        std::push_heap(free_places_.begin(), free_places_.end(), std::greater<>());
    }
    log(settings_.log, how.by == ended_by::library ? log_level::warning : log_level::info, [&] {
        return fmt::format("{}: closed: {}", c.agreed().request().client_endpoint().to_string(), how.to_string());
    });
    if (!c.message_waits()) forget_accepted(c);
}

// One that has nothing left to give must not take the place of one that has.
void server_state::forget_accepted(const connection& c) {
    auto const found = std::find_if(accepted_.begin(), accepted_.end(),
                                    [&c](const socket& waiting) { return connection::of(waiting) == &c; });
    if (found == accepted_.end()) return;
    accepted_.erase(found);
    counts.sockets_waiting.set(accepted_.size());
}

void server_state::refused(const request& r, const handshake::rejection& why) {
    counts.refused(why.status);
    log(settings_.log, log_level::warning, [&] {
        return fmt::format("{}: refused {} {}: {}: {}", r.client_endpoint().to_string(), quoted(r.method()),
                           quoted(r.target()), why.status, why.reason);
    });
    failed(r, fmt::format("{}: {}", why.status, why.reason));
}

void server_state::failed(const request& r, std::string_view why) const {
    try {
        if (settings_.on_error) settings_.on_error(r, why);
        if (auto const callback = on_error) (*callback)(r, why);
    } catch (...) {
        report(std::current_exception(), r);
    }
}

void server_state::report(std::exception_ptr exception, const request& r) const {
    report_exception(settings_.on_exception, settings_.log, std::move(exception), r);
}

void server_state::hand_out(socket opened) {
    if (auto const callback = on_connection) {
        auto& c = *connection::of(opened);
        operation const held(&c);
        try {
            (*callback)(std::move(opened));
        } catch (...) {
            c.application_failed(std::current_exception());
        }
        return;
    }
    if (!has_room()) {
        opened.end(close_code::try_again_later, "the server is busy");
        return;
    }
    accepted_.push_back(std::move(opened));
    counts.sockets_waiting.set(accepted_.size());
    arrival_->cancel();
}

asio::awaitable<std::optional<socket>> server_state::accept(std::shared_ptr<server_state> self) {
    // Nothing is taken before the loop has turned: what completes at once can lose a race that is not over yet (`||`), and
    // the socket would be lost with it.
    bool turned = false;
    while (!turned || (self->accepted_.empty() && !self->stopped_)) {
        if (self->accepted_.empty() && !self->stopped_)
            co_await self->arrival_->async_wait(asio::experimental::as_tuple(asio::use_awaitable));
        else
            co_await asio::post(self->executor_, asio::use_awaitable);
        turned = true;
        auto const state = co_await asio::this_coro::cancellation_state;
        if (state.cancelled() != asio::cancellation_type::none) {
            self->arrival_->cancel_one();  // what may be there is for somebody else
            throw boost::system::system_error(asio::error::operation_aborted, "wsio: accept");
        }
    }
    if (self->accepted_.empty()) co_return std::nullopt;
    auto next = std::move(self->accepted_.front());
    self->accepted_.pop_front();
    self->counts.sockets_waiting.set(self->accepted_.size());
    co_return next;
}

std::map<std::size_t, socket> server_state::clients() const {
    std::map<std::size_t, socket> table;
    if (loop_is_gone()) return table;
    for (std::size_t i = 0; i < places_.size(); ++i)
        if (places_[i] != nullptr) table.emplace_hint(table.end(), i, places_[i]->handle());
    return table;
}

void server_state::take_no_more() {
    if (loop_is_gone() || std::exchange(stopped_, true)) return;
    if (on_stop) on_stop();
    close_accepted();
    arrival_->cancel();
}

// One by one: whatever the end of a connection leads to finds the others as they are.
void server_state::close_accepted() {
    while (!accepted_.empty()) {
        auto const waiting = std::move(accepted_.front());
        accepted_.pop_front();
        counts.sockets_waiting.set(accepted_.size());
        close_for_stop(*connection::of(waiting));
    }
}

void server_state::stop() {
    if (loop_is_gone()) return;
    take_no_more();
    loop_.for_each_connection([this](connection& c) {
        if (c.server() == this) close_for_stop(c);
    });
}

asio::awaitable<void> server_state::drain(std::shared_ptr<server_state> self, drain_options how) {
    self->take_no_more();
    std::function<bool(const connection&)> belongs = [self](const connection& c) { return c.server() == self.get(); };
    co_await detail::drain(self->loop_, self->settings_.log, how, std::move(belongs));
}

}  // namespace wsio::detail
