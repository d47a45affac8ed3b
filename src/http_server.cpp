#include <wsio/http_server.hpp>

#include <boost/asio/dispatch.hpp>

#include <memory>
#include <stdexcept>
#include <utility>

#include "io/front.hpp"

namespace wsio {

namespace asio = boost::asio;

namespace {

// The handles share this, those of attached servers too; when the last one goes away, the port is closed. Connections hold
// the front alone, or one that lives on would keep the port open.
struct owner {
    std::shared_ptr<detail::front> front;

    explicit owner(std::shared_ptr<detail::front> f) noexcept : front(std::move(f)) {}
    owner(const owner&) = delete;
    owner& operator=(const owner&) = delete;
    ~owner() { front->stop(); }
};

}  // namespace

http_server::http_server(asio::any_io_executor executor, http_handler handler, http_options options) {
    if (!handler) throw std::invalid_argument("wsio: an http_server needs a handler");
    auto count = detail::front::count_for(options.limits);
    auto const shared = std::make_shared<owner>(
        std::make_shared<detail::front>(std::move(executor), std::move(handler), std::move(options), std::move(count)));
    front_ = {shared, shared->front.get()};
}

void http_server::listen(std::uint16_t port) { front_->listen(port); }

endpoint http_server::local_endpoint() const { return front_->local_endpoint(); }

asio::awaitable<void> http_server::drain(std::chrono::milliseconds deadline, std::chrono::milliseconds spread) {
    return detail::front::drain(front_, {deadline, spread});
}

void http_server::stop() { front_->stop_all(); }

asio::any_io_executor http_server::get_executor() const { return front_->executor(); }

}  // namespace wsio
