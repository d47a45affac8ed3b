#include <wsio/client.hpp>

#include <utility>

#include "io/connecting.hpp"

namespace wsio {

namespace asio = boost::asio;

namespace {

asio::awaitable<connect_result> caught(asio::awaitable<socket> connecting) {
    connect_result result;
    try {
        result.socket = co_await std::move(connecting);
    } catch (const connect_error& e) {
        result.error = e;
    }
    co_return result;
}

}  // namespace

asio::awaitable<socket> connect(std::string_view url) { return detail::connect(std::string(url), client_options()); }

asio::awaitable<socket> connect(std::string_view url, const client_options& options) {
    return detail::connect(std::string(url), options);
}

asio::awaitable<connect_result> try_connect(std::string_view url) { return caught(connect(url)); }

asio::awaitable<connect_result> try_connect(std::string_view url, const client_options& options) {
    return caught(connect(url, options));
}

}  // namespace wsio
