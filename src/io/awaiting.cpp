#include <wsio/detail/awaiting.hpp>

#include "io/connection.hpp"

namespace wsio::detail {

operation::operation(connection* c) noexcept : connection_(c) {
    if (connection_ != nullptr) connection_->begin_operation();
}

operation::~operation() {
    if (connection_ != nullptr) connection_->end_operation();
}

bool message_ready(connection* c) { return c == nullptr || c->message_ready(); }

std::optional<message> take_message(connection* c) {
    return c == nullptr ? std::nullopt : c->take_message();
}

boost::asio::awaitable<void> wait_for_message(connection* c) { return c->wait_for_message(); }

boost::asio::awaitable<void> wait_for_room(connection* c) { return connection::wait_for_room(*c); }

bool was_sent(connection* c) noexcept { return c->current_phase() != connection::phase::ended; }

void abandon_send(connection* c) { c->abandon_send(); }

}  // namespace wsio::detail
