#include <wsio/detail/awaiting.hpp>

#include "io/connection.hpp"

namespace wsio::detail {

namespace {

connection& whole(awaited* c) noexcept { return *static_cast<connection*>(c); }

}  // namespace

void operations_over(awaited* c) noexcept { whole(c).operations_over(); }

bool message_ready(awaited* c) { return c == nullptr || whole(c).message_ready(); }

std::optional<message> take_message(awaited* c) { return c == nullptr ? std::nullopt : whole(c).take_message(); }

bool message_waits(awaited* c) noexcept { return c != nullptr && whole(c).message_waits(); }

void hand_over_later(awaited* c) { whole(c).hand_over_later(); }

waiter& message_waiter(awaited* c) noexcept { return whole(c).message_waiter(); }

boost::asio::awaitable<void> wait_for_room(awaited* c, sent outcome) {
    return connection::wait_for_room(whole(c), outcome == sent::piece_waiting);
}

bool was_sent(awaited* c) noexcept { return whole(c).current_phase() != connection::phase::ended; }

void abandon_send(awaited* c) { whole(c).abandon_send(); }

}  // namespace wsio::detail
