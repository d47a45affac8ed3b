#include <wsio/http_server.hpp>

#include <boost/asio/dispatch.hpp>

#include <stdexcept>
#include <utility>

#include "io/front.hpp"

namespace wsio {

namespace asio = boost::asio;

http_server::http_server(asio::any_io_executor executor, http_handler handler, http_options options) {
    if (!handler) throw std::invalid_argument("wsio: an http_server needs a handler");
    auto count = detail::front::count_for(options.limits);
    front_ =
        std::make_shared<detail::front>(std::move(executor), std::move(handler), std::move(options), std::move(count));
}

void http_server::listen(std::uint16_t port) { front_->listen(port); }

endpoint http_server::local_endpoint() const { return front_->local_endpoint(); }

asio::awaitable<void> http_server::drain(std::chrono::milliseconds deadline, std::chrono::milliseconds spread) {
    return detail::front::drain(front_, {deadline, spread});
}

void http_server::stop() { front_->stop_all(); }

asio::any_io_executor http_server::get_executor() const { return front_->executor(); }

}  // namespace wsio
