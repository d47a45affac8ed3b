#pragma once

#include <wsio/request.hpp>

#include <boost/asio/awaitable.hpp>

#include <memory>

#include "handshake/rejection.hpp"
#include "io/connection.hpp"
#include "io/server_state.hpp"

namespace wsio::detail {

/// Answers a WebSocket handshake whose head has been read: checks it, asks the application, sends the response and opens
/// the connection. Gives false when it was refused (then it has been answered) or the connection is gone. `server` is null
/// when nobody serves the path.
boost::asio::awaitable<bool> upgrade(std::shared_ptr<server_state> server, connection& c, request r);

/// Sends an HTTP answer to a request that cannot be served, and ends the connection. What the peer has sent behind the
/// request is never looked at.
void refuse(connection& c, const handshake::rejection& why);
/// As above, in answer to a request that has been read: one with HEAD gets no body.
void refuse(connection& c, handshake::rejection why, const request& r);

}  // namespace wsio::detail
