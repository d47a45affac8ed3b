#pragma once

#include <wsio/close_code.hpp>
#include <wsio/compression.hpp>
#include <wsio/detail/awaiting.hpp>
#include <wsio/endpoint.hpp>
#include <wsio/message.hpp>
#include <wsio/message_part.hpp>
#include <wsio/message_stream.hpp>
#include <wsio/protocol_version.hpp>
#include <wsio/request.hpp>
#include <wsio/status.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <any>
#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string_view>

namespace wsio {

/// Refers to one WebSocket connection. A cheap, copyable handle; all copies mean the same connection, and using one after
/// the connection ended is defined everywhere: `receive` gives nothing, `send` gives false.
///
/// A connection lives on one executor, `get_executor()`. When the last handle goes away and no callback listens, the
/// connection is closed properly (1000).
///
/// Thread safety: copying, destroying and `get_executor` are safe anywhere. Everything else belongs on the socket's
/// executor; from another thread post there: `boost::asio::post(socket.get_executor(), [socket]() mutable { … })`.
class socket {
public:
    /// Makes a handle to nothing: `receive` gives nothing, `send` gives false, `ready_state` is closed.
    socket() noexcept = default;
    socket(const socket& other) noexcept;
    socket(socket&& other) noexcept
        : connection_(std::exchange(other.connection_, nullptr)), context_(other.context_) {}
    socket& operator=(socket other) noexcept {
        std::swap(connection_, other.connection_);
        std::swap(context_, other.context_);
        return *this;
    }
    ~socket();

    /// Receives the next message; nothing when the connection is over (`status()` says why). Messages that arrived
    /// before the end are still given.
    ///
    /// Gives `std::optional<message>` to `co_await`. Does not suspend when a message is there. Cancellation ends the wait
    /// with `boost::system::system_error` (operation_aborted); no byte is lost and the next call goes on. One receive may
    /// wait at a time; a second one throws `std::logic_error`.
    [[nodiscard]] boost::asio::awaitable<receive_result> receive();

    /// Receives the next message, or gives nothing when `timeout` is over: the connection goes on, `is_open()` is true and no
    /// byte is lost. When the connection is over it gives nothing as well, and `is_open()` is false. A time of zero or less
    /// gives what is there.
    ///
    /// The time is coarse: up to 100 ms more, never less. It costs no timer. Otherwise as `receive`.
    [[nodiscard]] boost::asio::awaitable<std::optional<message>> receive(std::chrono::milliseconds timeout);

    /// Receives the next part of a message: for messages that are not to be in memory whole. `limits::streamed_message_size`
    /// bounds their size, in place of `limits::message_size`.
    ///
    ///     while (auto part = co_await socket.receive_part()) {
    ///         file.write(part->data(), part->size());
    ///         if (part->is_last()) break;
    ///     }
    ///
    /// A part has at most `message_part::max_size` bytes. It is given as soon as there is something; what comes while nobody
    /// waits is put together to larger ones, until `limits::read_ahead` stops the reading. How the peer fragments its messages
    /// does not show. Text is validated part by part, and what is invalid ends the connection (1007).
    ///
    /// Nothing has to be set beforehand, and messages may be received whole and in parts in turn. The first call of `receive_part`
    /// on a connection counts: up to then `limits::message_size` of a message are kept, and one that is larger is not read
    /// further until somebody asks for it: `receive` refuses it with 1009, `receive_part` gives it. From then on messages are
    /// kept in parts, and `receive` puts them together again. Within a message, from its first part to its last, `receive`
    /// throws `std::logic_error`.
    ///
    /// Gives nothing when the connection is over, also within a message: one whose last part has not come is incomplete.
    /// Otherwise as `receive`.
    [[nodiscard]] boost::asio::awaitable<std::optional<message_part>> receive_part();

    /// Receives the next part of a message, or gives nothing when `timeout` is over; as `receive` with a timeout.
    [[nodiscard]] boost::asio::awaitable<std::optional<message_part>> receive_part(std::chrono::milliseconds timeout);

    /// Sends a text message, which must be UTF-8: checked on the hixie drafts (`std::invalid_argument`), where other bytes
    /// could be taken for frames, and not on the others. The message is queued at the call, in the order of the
    /// calls; awaiting the result waits for room while more than `limits::outbox` bytes wait for the network.
    ///
    /// Where compression was agreed on, `send(picture, {.compress = false})` sends a message as it is.
    ///
    /// Gives true when the message was accepted, false when the connection is closing or closed. Messages from 16 KiB on may
    /// be sent from the caller's memory: `text` must stay valid until the operation ends. Cancellation ends only the
    /// wait; the message goes out whole.
    [[nodiscard]] boost::asio::awaitable<send_result> send(std::string_view text, send_options how = {});

    /// Sends a binary message; otherwise as `send` for text. Throws `std::logic_error` on the hixie drafts, which cannot
    /// carry binary (`can_send_binary` tells).
    [[nodiscard]] boost::asio::awaitable<send_result> send(std::span<const std::byte> binary, send_options how = {});

    /// Sends a message as the kind it is.
    [[nodiscard]] boost::asio::awaitable<send_result> send(const message& message, send_options how = {});

    /// Queues a text message without waiting and gives the socket for the next call:
    /// `socket.write("a").write("b").end()`. Does nothing when the connection is closing or closed. What happens to a
    /// message that would let more than four times `limits::outbox` wait is for `options::when_full` to say; by default the
    /// connection is closed with 1013.
    socket& write(std::string_view text, send_options how = {});
    /// Queues a binary message; throws as `send` does on the hixie drafts.
    socket& write(std::span<const std::byte> binary, send_options how = {});
    /// Queues a message as the kind it is.
    socket& write(const message& message, send_options how = {});

    /// Begins a text message that is sent in pieces; see `message_stream`. Until it is finished, other messages wait in the order
    /// of the calls: `send` and `write` take them as if they waited for the network, up to the same bounds. Throws
    /// `std::logic_error` while another message is being sent in pieces. When the connection is closing or closed, the stream
    /// sends nothing.
    [[nodiscard]] message_stream start_text(send_options how = {});

    /// Begins a binary message that is sent in pieces; throws as `send` does on the hixie drafts.
    [[nodiscard]] message_stream start_binary(send_options how = {});

    /// Waits until the network has taken all that was sent, and what is sent meanwhile: `buffered_amount()` is then 0. That
    /// the peer has read it is not said.
    ///
    /// Gives true, or false when the connection is over. Any number of coroutines may wait. Cancellation ends only the
    /// wait.
    [[nodiscard]] boost::asio::awaitable<bool> drained();

    /// Sends a ping with at most 125 bytes (`std::length_error` beyond). Does nothing on the hixie drafts, which have
    /// none.
    socket& ping(std::string_view payload = {});

    /// Runs the closing handshake: sends what is queued, then the closing frame, waits for the peer's answer and the end
    /// of the TCP connection, at most `timeouts::close`. `reason` is cut to 123 bytes. Returns at once when the
    /// connection is over. Cancellation ends only the wait.
    [[nodiscard]] boost::asio::awaitable<void> close(close_code code = close_code::normal,
                                                     std::string_view reason = {});

    /// Starts the closing handshake without waiting.
    socket& end(close_code code = close_code::normal, std::string_view reason = {});

    /// Drops the connection at once, with everything that is queued.
    void destroy();

    /// Tells where the connection is in its life.
    [[nodiscard]] wsio::ready_state ready_state() const noexcept;
    [[nodiscard]] bool is_open() const noexcept { return ready_state() == wsio::ready_state::open; }

    /// Gives "websocket-hixie" or "websocket".
    [[nodiscard]] std::string_view name() const noexcept;

    /// Gives the protocol that the connection speaks.
    [[nodiscard]] wsio::protocol_version protocol_version() const noexcept;

    /// Tells whether the protocol can carry binary messages.
    [[nodiscard]] bool can_send_binary() const noexcept { return is_hybi(protocol_version()); }

    /// Gives the request that began the connection.
    [[nodiscard]] const wsio::request& request() const;

    /// Gives the subprotocol that was agreed on; empty when there is none.
    [[nodiscard]] std::string_view subprotocol() const noexcept;

    /// Tells whether compression was agreed on (`options::compression`); false again when the connection is over.
    [[nodiscard]] bool is_compressed() const noexcept;

    /// Says how and why the connection ended.
    [[nodiscard]] wsio::status status() const;

    /// Gives the other end of the connection; a proxy, if there is one.
    [[nodiscard]] const endpoint& remote_endpoint() const noexcept { return request().remote_endpoint(); }

    /// Gives the client: the other end of the connection, or whom trusted proxies name (`options::trusted_proxies`).
    [[nodiscard]] const endpoint& client_endpoint() const noexcept { return request().client_endpoint(); }

    /// Gives this end of the connection; a default endpoint once it is closed.
    [[nodiscard]] endpoint local_endpoint() const;

    /// Counts the bytes that wait for the network.
    [[nodiscard]] std::size_t buffered_amount() const noexcept;

    /// Gives the value that `options::authorize` accepted the connection with; empty when there is none.
    [[nodiscard]] const std::any& user_value() const noexcept;

    /// Gives the executor that the connection lives on. A handle that was moved from still knows it, because the arguments
    /// of `co_spawn(socket->get_executor(), handler(std::move(*socket)), …)` are evaluated in any order.
    [[nodiscard]] boost::asio::any_io_executor get_executor() const;

    /// Calls back for each message, instead of `receive`. Callbacks run on the socket's executor; an exception closes the
    /// connection with 1011. All callbacks are let go when the connection has ended, so they may hold the socket itself.
    socket& on_message(std::function<void(const message&)> callback);

    /// Calls back once, when the connection has ended.
    socket& on_close(std::function<void(const wsio::status&)> callback);

    /// Calls back before `on_close` when the connection ended by an error: the peer broke the protocol or the network
    /// failed.
    socket& on_error(std::function<void(const wsio::status&)> callback);

    /// Calls back when the peer has sent a pong, with its payload: that of the ping that it answers (RFC 6455 5.5.3); that of a
    /// ping of `timeouts::ping` is empty. Of pongs that come together only the last may be told. There are none on the hixie
    /// drafts.
    socket& on_pong(std::function<void(std::string_view payload)> callback);

    /// Tells whether this is a handle to a connection, ended or not.
    [[nodiscard]] explicit operator bool() const noexcept { return connection_ != nullptr; }

    /// Tells whether two handles mean the same connection.
    friend bool operator==(const socket& a, const socket& b) noexcept { return a.connection_ == b.connection_; }

    /// For containers: orders and hashes handles by the connection they mean.
    [[nodiscard]] const void* identity() const noexcept { return connection_; }

private:
    friend class detail::connection;
    explicit socket(detail::connection* c) noexcept;

    detail::connection* connection_ = nullptr;
    boost::asio::io_context* context_ = nullptr;
};

}  // namespace wsio

template <>
struct std::hash<wsio::socket> {
    std::size_t operator()(const wsio::socket& socket) const noexcept {
        return std::hash<const void*>()(socket.identity());
    }
};
