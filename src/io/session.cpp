#include "io/session.hpp"

#include <utility>

#include "io/server_state.hpp"

namespace wsio::detail {

namespace {

// This frame lives as long as the connection, so it holds no more than it must.
lowest_frame run(operation held, boost::asio::awaitable<void> handler) {
    auto& c = static_cast<connection&>(*held.get());
    try {
        co_await std::move(handler);
        c.end(close_code::normal, {}, ended_by::application, "the handler returned");
    } catch (...) {
        c.session_failed(std::current_exception());
    }
}

void hand_over(connection& c) {
    if (!c.server()->handler) {
        c.server()->hand_out(c.handle());
        return;
    }
    drop_kept_frames();
    launch(run(operation(&c), c.server()->handler(c.handle())), c.server()->executor());
}

}  // namespace

lowest_frame session(connection& c, boost::asio::awaitable<bool> admission) {
    operation const held(&c);
    try {
        if (co_await std::move(admission)) hand_over(c);
    } catch (...) {
        c.session_failed(std::current_exception());
    }
}

}  // namespace wsio::detail
