#include <wsio/socket.hpp>

#include <stdexcept>

#include "io/connection.hpp"
#include "protocol/utf8.hpp"

namespace wsio {

namespace asio = boost::asio;
using detail::connection;
using protocol::opcode;

namespace {

// The hixie drafts mark the end of a message with 0xFF. UTF-8 never holds that byte; anything else could inject frames.
void check_for_hixie(const connection& c, std::string_view payload, bool binary) {
    auto const version = std::string(to_string(c.strategy()->version()));
    if (binary)
        throw std::logic_error("wsio: the " + version +
                               " protocol cannot carry binary messages; see socket::can_send_binary");
    if (!protocol::valid_utf8(payload))
        throw std::invalid_argument("wsio: the " + version + " protocol cannot carry text that is not UTF-8");
}

opcode checked(const connection& c, std::string_view payload, bool binary) {
    if (!c.strategy()->has_binary()) check_for_hixie(c, payload, binary);
    return binary ? opcode::binary : opcode::text;
}

asio::awaitable<send_result> send_as(connection* c, std::string_view payload, bool binary, send_options how) {
    auto const outcome = c == nullptr ? detail::sent::refused : c->send(checked(*c, payload, binary), payload, how);
    return asio::awaitable<send_result>(c, outcome);
}

void write_as(connection* c, std::string_view payload, bool binary, send_options how) {
    if (c != nullptr) c->write(checked(*c, payload, binary), payload, how);
}

asio::awaitable<void> nothing() { co_return; }

asio::awaitable<std::optional<message>> no_message() { co_return std::nullopt; }

asio::awaitable<std::optional<message_part>> no_part() { co_return std::nullopt; }

asio::awaitable<bool> never_drained() { co_return false; }

// A static coroutine that holds the connection, so that the handle may be moved or dropped meanwhile.
asio::awaitable<void> until_ended(connection& c, detail::operation) { co_await connection::wait_until_ended(c); }

}  // namespace

socket::socket(connection* c) noexcept : connection_(c), context_(&c->home().context()) { connection_->retain(); }

socket::socket(const socket& other) noexcept : connection_(other.connection_), context_(other.context_) {
    if (connection_ != nullptr) connection_->retain();
}

socket::~socket() {
    if (connection_ != nullptr) connection_->release();
}

asio::awaitable<receive_result> socket::receive() { return asio::awaitable<receive_result>(connection_); }

asio::awaitable<std::optional<message>> socket::receive(std::chrono::milliseconds timeout) {
    if (connection_ == nullptr) return no_message();
    return connection::receive_within(*connection_, timeout, detail::operation(connection_));
}

asio::awaitable<std::optional<message_part>> socket::receive_part() {
    if (connection_ == nullptr) return no_part();
    return connection::receive_part(*connection_, std::nullopt, detail::operation(connection_));
}

asio::awaitable<std::optional<message_part>> socket::receive_part(std::chrono::milliseconds timeout) {
    if (connection_ == nullptr) return no_part();
    return connection::receive_part(*connection_, timeout, detail::operation(connection_));
}

message_stream socket::start_text(send_options how) {
    if (connection_ == nullptr || !connection_->start_stream(opcode::text, how)) return {};
    return message_stream(*connection_);
}

message_stream socket::start_binary(send_options how) {
    if (connection_ == nullptr) return {};
    if (!connection_->start_stream(checked(*connection_, {}, true), how)) return {};
    return message_stream(*connection_);
}

asio::awaitable<send_result> socket::send(std::string_view text, send_options how) {
    return send_as(connection_, text, false, how);
}

asio::awaitable<send_result> socket::send(std::span<const std::byte> binary, send_options how) {
    return send_as(connection_, characters(binary), true, how);
}

asio::awaitable<send_result> socket::send(const message& message, send_options how) {
    return send_as(connection_, message.text(), message.is_binary(), how);
}

socket& socket::write(std::string_view text, send_options how) {
    write_as(connection_, text, false, how);
    return *this;
}

socket& socket::write(std::span<const std::byte> binary, send_options how) {
    write_as(connection_, characters(binary), true, how);
    return *this;
}

socket& socket::write(const message& message, send_options how) {
    write_as(connection_, message.text(), message.is_binary(), how);
    return *this;
}

asio::awaitable<bool> socket::drained() {
    if (connection_ == nullptr) return never_drained();
    return connection::drained(*connection_, detail::operation(connection_));
}

socket& socket::ping(std::string_view payload) {
    if (connection_ != nullptr) connection_->ping(payload);
    return *this;
}

asio::awaitable<void> socket::close(close_code code, std::string_view reason) {
    if (connection_ == nullptr) return nothing();
    connection_->end(code, reason);
    return until_ended(*connection_, detail::operation(connection_));
}

socket& socket::end(close_code code, std::string_view reason) {
    if (connection_ != nullptr) connection_->end(code, reason);
    return *this;
}

void socket::destroy() {
    if (connection_ != nullptr) connection_->destroy();
}

wsio::ready_state socket::ready_state() const noexcept {
    return connection_ == nullptr ? wsio::ready_state::closed : connection_->ready_state();
}

std::string_view socket::name() const noexcept {
    return connection_ == nullptr ? std::string_view() : connection_->strategy()->name();
}

wsio::protocol_version socket::protocol_version() const noexcept {
    return connection_ == nullptr ? wsio::protocol_version::hybi_13 : connection_->strategy()->version();
}

const wsio::request& socket::request() const {
    static wsio::request const none;
    return connection_ == nullptr ? none : connection_->agreed().request();
}

std::string_view socket::subprotocol() const noexcept {
    return connection_ == nullptr ? std::string_view() : connection_->agreed().subprotocol();
}

bool socket::is_compressed() const noexcept { return connection_ != nullptr && connection_->is_compressed(); }

wsio::status socket::status() const { return connection_ == nullptr ? wsio::status{} : connection_->status(); }

endpoint socket::local_endpoint() const { return connection_ == nullptr ? endpoint{} : connection_->local_endpoint(); }

std::size_t socket::buffered_amount() const noexcept {
    return connection_ == nullptr ? 0 : connection_->buffered_amount();
}

const std::any& socket::user_value() const noexcept {
    static std::any const none;
    return connection_ == nullptr ? none : connection_->agreed().user_value();
}

asio::any_io_executor socket::get_executor() const {
    if (context_ == nullptr || (connection_ != nullptr && connection_->outlived_loop())) return {};
    return context_->get_executor();  // looks at nothing that might go away meanwhile
}

socket& socket::on_message(std::function<void(const message&)> callback) {
    if (connection_ == nullptr) return *this;
    auto& callbacks = connection_->listen();
    callbacks.message = std::move(callback);
    callbacks.message_was_set = true;
    return *this;
}

socket& socket::on_close(std::function<void(const wsio::status&)> callback) {
    if (connection_ != nullptr) connection_->listen().close = std::move(callback);
    return *this;
}

socket& socket::on_pong(std::function<void(std::string_view)> callback) {
    if (connection_ != nullptr) connection_->listen().pong = std::move(callback);
    return *this;
}

socket& socket::on_error(std::function<void(const wsio::status&)> callback) {
    if (connection_ != nullptr) connection_->listen().error = std::move(callback);
    return *this;
}

}  // namespace wsio
