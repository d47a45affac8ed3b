#include "io/fixture.hpp"

#include "io/addresses.hpp"

#include <array>
#include <cctype>
#include <charconv>
#include <stdexcept>

namespace wsio::test {

using asio::ip::tcp;
using clock = std::chrono::steady_clock;

namespace {

// Boost.Test's own assertions belong on one thread; clients are also used on others.
void require(bool holds, const auto& describe) {
    if (!holds) throw std::runtime_error(describe());
}

// Gives the path as Asio takes it: that of an abstract name begins with a NUL.
std::string unix_path(const endpoint& to) {
    auto path = to.unix_name.substr(5);
    if (path.starts_with('@')) path.front() = '\0';
    return path;
}

awaitable<std::optional<server>> make(options options) { co_return co_await wsio::listen(0, options); }

awaitable<bool> finish(awaitable<void> coroutine) {
    co_await std::move(coroutine);
    co_return true;
}

// Keeps the handler, and what it captured, until the coroutine that it made has ended.
awaitable<void> handle(connection_handler handler, socket socket) { co_await handler(std::move(socket)); }

awaitable<void> accept_all(asio::io_context& context, server server, connection_handler handler) {
    while (auto next = co_await server.accept())
        asio::co_spawn(context, handle(handler, std::move(*next)), asio::detached);
}

}  // namespace

void world::turn(std::chrono::milliseconds time) {
    context.restart();
    auto ran = context.run_one_for(time);
    for (int i = 0; i < 100 && ran != 0; ++i) ran = context.poll_one();  // a loop that is never idle ends, too
}

void world::turn_for(std::chrono::milliseconds time) {
    auto const end = clock::now() + time;
    while (clock::now() < end) turn();
}

task<bool> world::start(awaitable<void> coroutine) { return start(finish(std::move(coroutine))); }

void world::spawn(awaitable<void> coroutine, std::shared_ptr<completion> told,
                  const std::shared_ptr<asio::cancellation_signal>& signal) {
    signals_.push_back(signal);
    asio::co_spawn(context, std::move(coroutine),
                   asio::bind_cancellation_slot(signal->slot(), [told = std::move(told)](std::exception_ptr error) {
                       told->done = true;
                       told->error = std::move(error);
                   }));
}

server world::listen(options options) {
    options.host = "127.0.0.1";
    return listen_where_told(std::move(options));
}

server world::listen_where_told(options options) { return *run(make(std::move(options))); }

void world::serve(server server, connection_handler handler) {
    start(accept_all(context, std::move(server), std::move(handler)));
}

server world::echo(options options) {
    auto server = listen(std::move(options));
    serve(server, echo_back);
    return server;
}

socket world::accept(server server) {
    auto next = run(server.accept());
    BOOST_REQUIRE(next.has_value());
    return std::move(*next);
}

std::optional<message> world::receive(socket& socket) { return run(socket.receive()); }

awaitable<void> world::echo_back(socket socket) {
    while (auto message = co_await socket.receive()) co_await socket.send(*message);
}

awaitable<void> world::sleep(std::chrono::milliseconds time) {
    auto timer = asio::steady_timer(co_await asio::this_coro::executor, time);
    co_await timer.async_wait(asio::use_awaitable);
}

connected_pair::connected_pair(options of_server, protocol_version version, int receive_buffer)
    : server(w.listen(std::move(of_server))),
      client(connect(w, server.port(), version, "/", {}, receive_buffer)),
      socket(w.accept(server)) {}

client::client(const any_endpoint& to, std::function<void()> turn, int receive_buffer, const any_endpoint* from)
    : turn_(std::move(turn)) {
    socket_.open(to.protocol());
    if (receive_buffer != 0) socket_.set_option(asio::socket_base::receive_buffer_size(receive_buffer));
    if (from != nullptr) socket_.bind(*from);
    socket_.connect(to);
    if (to.protocol().family() != AF_UNIX) socket_.set_option(tcp::no_delay(true));
    socket_.non_blocking(true);
}

client::client(std::uint16_t port, std::function<void()> turn, int receive_buffer)
    : client(tcp::endpoint(asio::ip::address_v4::loopback(), port), std::move(turn), receive_buffer, nullptr) {}

client::client(const endpoint& to, std::function<void()> turn)
    : client(to.is_unix() ? any_endpoint(asio::local::stream_protocol::endpoint(unix_path(to)))
                          : any_endpoint(tcp::endpoint(to.address, to.port)),
             std::move(turn), 0, nullptr) {}

client client::from(std::string_view address, world& world, std::uint16_t port) {
    any_endpoint const from = tcp::endpoint(asio::ip::make_address(address), 0);
    return {tcp::endpoint(asio::ip::address_v4::loopback(), port), [&world] { world.turn(); }, 0, &from};
}

client::client(tcp::socket accepted, std::function<void()> turn) : turn_(std::move(turn)) {
    auto const protocol = accepted.local_endpoint().protocol();
    socket_.assign(protocol, accepted.release());
    socket_.non_blocking(true);
}

endpoint client::local() { return detail::local_endpoint_of(socket_.native_handle()); }

client& client::send(std::string_view bytes) {
    auto const sent = send_some(bytes, limit);
    require(sent == bytes.size(), [&] {
        return "only " + std::to_string(sent) + " of " + std::to_string(bytes.size()) + " bytes were taken";
    });
    return *this;
}

std::size_t client::send_some(std::string_view bytes, std::chrono::milliseconds patience) {
    std::size_t total = 0;
    auto last = clock::now();
    while (total < bytes.size() && clock::now() < last + patience) {
        boost::system::error_code ec;
        auto const count = socket_.send(asio::buffer(bytes.substr(total)), 0, ec);
        total += count;
        if (count != 0) last = clock::now();
        if (ec == asio::error::would_block)
            turn_();
        else if (ec)
            break;
    }
    return total;
}

std::size_t client::receive(char* data, std::size_t size, bool& ended) {
    boost::system::error_code ec;
    auto const count = socket_.receive(asio::buffer(data, size), 0, ec);
    ended = ec && ec != asio::error::would_block;
    return count;
}

std::size_t client::offer(std::string_view bytes) {
    boost::system::error_code ignored;
    return socket_.send(asio::buffer(bytes), 0, ignored);
}

std::string client::take(std::size_t most, bool& ended) {
    std::string got(most, '\0');
    got.resize(receive(got.data(), got.size(), ended));
    return got;
}

template <typename Enough>
std::string client::read_until(Enough enough, std::string_view what) {
    std::array<char, 65536> block;
    auto const end = clock::now() + limit;
    for (bool ended = false;;) {
        if (auto const size = enough(ended); size != std::string::npos) {
            auto rest = pending_.substr(size);
            pending_.resize(size);
            return std::exchange(pending_, std::move(rest));
        }
        auto const describe = [&](std::string_view why) {
            return [=, this] {
                return std::string(why) + ", not " + std::string(what) + ", behind " + readable(pending_);
            };
        };
        require(!ended, describe("the connection ended"));
        require(clock::now() < end, describe("nothing came"));
        auto const count = receive(block.data(), block.size(), ended);
        pending_.append(block.data(), count);
        if (count == 0 && !ended) turn_();
    }
}

std::string client::read(std::size_t size) {
    return read_until([&](bool) { return pending_.size() >= size ? size : std::string::npos; },
                      std::to_string(size) + " bytes");
}

std::string client::read_to(std::string_view mark) {
    return read_until(
        [&](bool) {
            auto const at = pending_.find(mark);
            return at == std::string::npos ? at : at + mark.size();
        },
        readable(mark));
}

std::string client::read_all() {
    auto got = read_until([&](bool ended) { return ended ? pending_.size() : std::string::npos; }, "the end");
    socket_.close();  // as any client does: a server waits for it
    return got;
}

std::string client::read_some() {
    return read_until([&](bool) { return pending_.empty() ? std::string::npos : pending_.size(); }, "anything");
}

std::string client::read_for(std::chrono::milliseconds time) {
    auto const end = clock::now() + time;
    return read_until([&](bool ended) { return ended || clock::now() >= end ? pending_.size() : std::string::npos; },
                      "anything");
}

std::string client::read_response() {
    auto response = read_to("\r\n\r\n");
    constexpr std::string_view field = "Content-Length: ";
    if (auto const at = response.find(field); at != std::string::npos) {
        std::size_t length = 0;
        std::from_chars(response.data() + at + field.size(), response.data() + response.size(), length);
        response += read(length);
    }
    return response;
}

client& client::expect(std::string_view bytes) {
    auto const got = read(bytes.size());
    require(got == bytes, [&] { return "got " + readable(got) + ", not " + readable(bytes); });
    return *this;
}

void client::expect_last(std::string_view bytes) {
    auto const got = read_all();
    require(got == bytes, [&] { return "got " + readable(got) + " before the end, not " + readable(bytes); });
}

void client::reset() {
    socket_.set_option(asio::socket_base::linger(true, 0));
    socket_.close();
}

std::string handshake(protocol_version version, std::string_view target, std::string_view lines) {
    auto request = "GET " + std::string(target) + " HTTP/1.1\r\n";
    if (is_hybi(version)) {
        request += "Host: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n";
        request += "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: ";
        request += to_string(version).substr(5);
        return request + "\r\n" + std::string(lines) + "\r\n";
    }
    request += "Upgrade: WebSocket\r\nConnection: Upgrade\r\nHost: 127.0.0.1\r\nOrigin: http://127.0.0.1\r\n";
    request += lines;
    if (version == protocol_version::hixie_75) return request + "\r\n";
    return request +
           "Sec-WebSocket-Key1: 4 @1  46546xW%0l 1 5\r\nSec-WebSocket-Key2: 12998 5 Y3 1  .P00\r\n\r\n^n:ds[4U";
}

std::string_view proof(protocol_version version) {
    if (is_hybi(version)) return "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
    if (version == protocol_version::hixie_76) return "\r\n\r\n8jKS'y:G*Co,Wxa-";
    return "WebSocket-Location: ws://127.0.0.1";
}

std::string client_text(protocol_version version, std::string_view text) {
    return is_hybi(version) ? frame(text_frame, text) : server_text(version, text);
}

std::string server_text(protocol_version version, std::string_view text) {
    if (is_hybi(version)) return server_frame(text_frame, text);
    return std::string(1, '\0') + std::string(text) + '\xFF';
}

request upgrade_request() {
    request result("GET", "/");
    result.headers().add("Host", "127.0.0.1");
    result.headers().add("Upgrade", "websocket");
    result.headers().add("Connection", "Upgrade");
    result.headers().add("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
    result.headers().add("Sec-WebSocket-Version", "13");
    return result;
}

client connect(world& world, std::uint16_t port, protocol_version version, std::string_view target,
               std::string_view lines, int receive_buffer) {
    client made(world, port, receive_buffer);
    made.send(handshake(version, target, lines));
    auto answer = made.read_to("\r\n\r\n");
    if (version == protocol_version::hixie_76) answer += made.read(16);
    BOOST_REQUIRE_MESSAGE(status_of(answer) == 101, answer);
    BOOST_REQUIRE_MESSAGE(contains(answer, proof(version)), answer);
    return made;
}

std::string readable(std::string_view bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (char const c : bytes.substr(0, 400)) {
        auto const byte = static_cast<unsigned char>(c);
        if (std::isprint(byte) != 0)
            text += c;
        else
            (text += "\\x") += {digits[byte >> 4], digits[byte & 15]};
    }
    return bytes.size() > 400 ? text + "… (" + std::to_string(bytes.size()) + " bytes)" : '"' + text + '"';
}

int status_of(std::string_view response) {
    int status = 0;
    if (response.starts_with("HTTP/1.1 ") && response.size() > 12)
        std::from_chars(response.data() + 9, response.data() + 12, status);
    return status;
}

std::string_view body_of(std::string_view response) {
    auto const at = response.find("\r\n\r\n");
    return at == std::string_view::npos ? std::string_view() : response.substr(at + 4);
}

void check_status(const status& status, ended_by by, close_code code, bool clean, std::string_view reason) {
    BOOST_TEST_CONTEXT(status.to_string() << "; cause: " << status.cause) {
        BOOST_TEST(status.by == by);
        BOOST_TEST(status.code == code);
        BOOST_TEST(status.clean == clean);
        BOOST_TEST(status.reason == reason);
        BOOST_TEST(!status.cause.empty());
    }
}

}  // namespace wsio::test
