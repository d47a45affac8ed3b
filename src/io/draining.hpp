#pragma once

#include <wsio/options.hpp>

#include <boost/asio/awaitable.hpp>

#include <functional>

#include "io/connection.hpp"
#include "io/loop.hpp"

namespace wsio::detail {

/// Closes the open connections that `belongs` names with 1001, evenly over `how.spread`, waits until all that it names have
/// ended, at most `how.deadline` from now, and drops the rest.
boost::asio::awaitable<void> drain(loop& l, log_function log_to, drain_options how,
                                   std::function<bool(const connection&)> belongs);

/// Says goodbye to one connection of a server that stops.
void close_for_stop(connection& c);

}  // namespace wsio::detail
