#pragma once

#include <wsio/detail/awaiting.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <span>
#include <string_view>
#include <utility>

namespace wsio {

class socket;

/// Sends one message in pieces, so that it need not be in memory whole; `socket::start_text` and `start_binary` begin one.
///
///     auto stream = socket.start_binary();
///     while (auto const piece = read_some(file)) co_await stream.send(*piece);
///     co_await stream.finish();
///
/// Each piece goes out as a frame of its own, between which pings, pongs and the closing frame may go. Other messages of the
/// socket wait until this one is finished, in the order of the calls. On the hixie drafts, which have no fragments, the
/// pieces make one frame of text.
///
/// A message that cannot be finished must not look like one that is: a stream that is destroyed before `finish` closes the
/// connection with 1011, and so the peer never sees the message. If the connection ends or is closed first, the message is
/// lost, with those that wait behind it.
///
/// Keeps the connection alive like a `socket`, and may be moved meanwhile. Thread safety: distinct objects safe, shared
/// objects unsafe; as a socket it belongs on the connection's executor, its destruction included.
class message_stream {
public:
    /// Makes a stream to nothing: `send` and `finish` give false.
    message_stream() noexcept = default;
    message_stream(message_stream&& other) noexcept
        : connection_(std::exchange(other.connection_, nullptr)), finished_(other.finished_) {}
    message_stream& operator=(message_stream&& other) noexcept {
        message_stream taken(std::move(other));
        std::swap(connection_, taken.connection_);
        std::swap(finished_, taken.finished_);
        return *this;
    }
    ~message_stream();

    /// Sends the next piece of the message; an empty one sends nothing. Text may be cut anywhere, also inside a character. It
    /// must be UTF-8: checked on the hixie drafts (`std::invalid_argument`; the piece is not sent), and not on the others.
    ///
    /// The piece is queued at the call; awaiting the result waits for room while more than `limits::outbox` bytes wait for the
    /// network. Pieces of 16 to 256 KiB are good: they are large enough to be sent from the caller's memory, which must stay
    /// valid until the operation ends, and small enough that a ping does not wait for long.
    ///
    /// Gives true when the piece was accepted, false when the connection is closing or closed. Cancellation ends only the
    /// wait; the piece goes out whole. Throws `std::logic_error` after `finish`.
    [[nodiscard]] boost::asio::awaitable<send_result> send(std::string_view piece);
    [[nodiscard]] boost::asio::awaitable<send_result> send(std::span<const std::byte> piece);

    /// Ends the message, with a last piece if there is one; otherwise as `send`. A message that begins with its last piece goes
    /// out as `socket::send` sends it.
    [[nodiscard]] boost::asio::awaitable<send_result> finish(std::string_view last_piece = {});
    [[nodiscard]] boost::asio::awaitable<send_result> finish(std::span<const std::byte> last_piece);

    /// Tells whether `finish` was called.
    [[nodiscard]] bool is_finished() const noexcept { return finished_; }

private:
    friend class socket;
    explicit message_stream(detail::connection& c) noexcept;
    boost::asio::awaitable<send_result> send_piece(std::string_view piece, bool last);

    detail::connection* connection_ = nullptr;
    bool finished_ = false;
};

}  // namespace wsio
