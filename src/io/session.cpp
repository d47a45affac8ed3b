#include "io/session.hpp"

#include <utility>

#include "io/server_state.hpp"

namespace wsio::detail {

namespace {

// A function of its own, because the compiler would keep the temporary socket in the coroutine's frame.
boost::asio::awaitable<void> handle(connection& c) {
    drop_kept_frames();
    return c.server()->handler(c.handle());
}

}  // namespace

// This frame lives as long as the connection, so it holds no more than it must: the connection holds its server.
lowest_frame session(connection& c, boost::asio::awaitable<bool> admission) {
    operation const held(&c);
    try {
        if (!co_await std::move(admission)) co_return;
        if (!c.server()->handler) {
            c.server()->hand_out(c.handle());
            co_return;
        }
        co_await handle(c);
        c.end(close_code::normal, {}, ended_by::application, "the handler returned");
    } catch (...) {
        c.session_failed(std::current_exception());
    }
}

}  // namespace wsio::detail
