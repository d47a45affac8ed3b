#include <wsio/message_stream.hpp>

#include <stdexcept>

#include "io/connection.hpp"

namespace wsio {

namespace asio = boost::asio;

message_stream::message_stream(detail::connection& c) noexcept : connection_(&c) { c.retain(); }

message_stream::~message_stream() {
    if (connection_ == nullptr) return;
    if (!finished_) connection_->abandon_stream();
    connection_->release();
}

asio::awaitable<send_result> message_stream::send(std::string_view piece) { return send_piece(piece, false); }

asio::awaitable<send_result> message_stream::send(std::span<const std::byte> piece) {
    return send_piece(characters(piece), false);
}

asio::awaitable<send_result> message_stream::finish(std::string_view last_piece) {
    return send_piece(last_piece, true);
}

asio::awaitable<send_result> message_stream::finish(std::span<const std::byte> last_piece) {
    return send_piece(characters(last_piece), true);
}

asio::awaitable<send_result> message_stream::send_piece(std::string_view piece, bool last) {
    if (finished_) throw std::logic_error("wsio: the message of this stream is finished");
    auto const outcome = connection_ == nullptr ? detail::sent::refused : connection_->send_piece(piece, last);
    finished_ = last;
    return asio::awaitable<send_result>(connection_, outcome);
}

}  // namespace wsio
