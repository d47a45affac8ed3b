#pragma once

/// Everything of wsio: the WebSocket server and client, their sockets, the HTTP server beside it, and the parts of Boost.Asio that a
/// handler needs.

#include <wsio/byte_buffer.hpp>
#include <wsio/client.hpp>
#include <wsio/client_tls.hpp>
#include <wsio/close_code.hpp>
#include <wsio/endpoint.hpp>
#include <wsio/error.hpp>
#include <wsio/fmt.hpp>
#include <wsio/forwarding_header.hpp>
#include <wsio/headers.hpp>
#include <wsio/http_server.hpp>
#include <wsio/log.hpp>
#include <wsio/message.hpp>
#include <wsio/message_part.hpp>
#include <wsio/message_stream.hpp>
#include <wsio/options.hpp>
#include <wsio/protocol_version.hpp>
#include <wsio/protocols.hpp>
#include <wsio/reconnecting.hpp>
#include <wsio/request.hpp>
#include <wsio/server.hpp>
#include <wsio/socket.hpp>
#include <wsio/statistics.hpp>
#include <wsio/status.hpp>
#include <wsio/tls.hpp>
#include <wsio/version.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
