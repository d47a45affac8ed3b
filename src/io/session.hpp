#pragma once

#include <boost/asio/awaitable.hpp>

#include "io/connection.hpp"
#include "io/launch.hpp"

namespace wsio::detail {

/// The coroutine of one connection, from its first byte to the end of its handler. `admission` reads and answers the
/// handshake and tells whether it opened the connection. Then the handler of `serve` runs, if there is one; otherwise the
/// socket goes to the server's callback or channel. Whatever is thrown ends this connection alone.
lowest_frame session(connection& c, boost::asio::awaitable<bool> admission);

}  // namespace wsio::detail
