#include "io/session.hpp"

#include <utility>

#include "io/server_state.hpp"

namespace wsio::detail {

namespace {

connection& of(const operation& held) noexcept { return static_cast<connection&>(*held.get()); }

// Functions of their own, because the compiler would keep their temporaries in the coroutine's frame.
void returned(const operation& held) {
    of(held).end(close_code::normal, {}, ended_by::application, "the handler returned");
}
void threw(const operation& held) { of(held).session_failed(std::current_exception()); }

// This frame lives as long as the connection, so it holds no more than it must.
lowest_frame run(operation held, boost::asio::awaitable<void> handler) {
    try {
        co_await std::move(handler);
        returned(held);
    } catch (...) {
        threw(held);
    }
}

void hand_over(connection& c) {
    auto& server = *c.server();
    if (!server.handler) {
        server.hand_out(c.handle());
        return;
    }
    drop_kept_frames();
    launch(run(operation(&c), server.handler(c.handle())), server.executor());
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
