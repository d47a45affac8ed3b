#pragma once

#include "protocol/hybi_frames.hpp"

#include <wsio/wsio.hpp>

#include <boost/asio.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// A server and raw TCP clients in one thread: whenever a client waits, it lets the server's loop turn. So a test reads
// from top to bottom, decides when the loop turns, and nothing can hang, as every wait has a limit.

namespace wsio::test {

namespace asio = boost::asio;
using asio::awaitable;
using protocol::test::close_frame;
using protocol::test::frame;
using protocol::test::head;
using protocol::test::letters;
using protocol::test::masked;
using protocol::test::number;
using protocol::test::server_frame;
using namespace std::chrono_literals;

inline constexpr unsigned text_frame = 0x81;
inline constexpr unsigned binary_frame = 0x82;
inline constexpr unsigned close_opcode = 0x88;
inline constexpr unsigned ping_frame = 0x89;
inline constexpr unsigned pong_frame = 0x8A;

inline constexpr std::chrono::milliseconds limit = 10s;

/// The reason that a server gives when it stops.
inline constexpr std::string_view stopping = "the server is stopping";

/// The closing frame as a server sends it.
inline std::string server_close(int code, std::string_view reason = {}) {
    return server_frame(close_opcode, number(static_cast<std::uint64_t>(code), 2) + std::string(reason));
}

/// How a coroutine that runs in the loop has ended, if it has.
struct completion {
    bool done = false;
    std::exception_ptr error;
};

/// What a coroutine that runs in the loop has come to.
template <typename T>
struct task {
    struct state : completion {
        std::optional<T> value;
    };
    std::shared_ptr<state> shared = std::make_shared<state>();
    std::shared_ptr<asio::cancellation_signal> signal = std::make_shared<asio::cancellation_signal>();

    [[nodiscard]] bool done() const { return shared->done; }
    void cancel() const { signal->emit(asio::cancellation_type::all); }
    T get() const {
        if (shared->error) std::rethrow_exception(shared->error);
        return std::move(*shared->value);
    }
};

/// The loop that a server under test lives on. What makes Asio's operations is in fixture.cpp: it takes most of the time of
/// compiling a test.
class world {
    std::vector<std::shared_ptr<asio::cancellation_signal>> signals_;  // outlive the coroutines, and so the loop

public:
    asio::io_context context{1};

    [[nodiscard]] asio::any_io_executor executor() { return context.get_executor(); }

    /// Lets the loop wait for something to happen, at most `time`.
    void turn(std::chrono::milliseconds time = 1ms);

    /// Lets the loop turn for `time`.
    void turn_for(std::chrono::milliseconds time);

    /// Lets the loop turn until `condition` holds; tells whether it came to hold.
    template <typename Condition>
    [[nodiscard]] bool until(Condition condition, std::chrono::milliseconds time = limit) {
        auto const end = std::chrono::steady_clock::now() + time;
        while (!condition()) {
            if (std::chrono::steady_clock::now() > end) return false;
            turn();
        }
        return true;
    }

    /// Starts a coroutine.
    template <typename T>
    task<T> start(awaitable<T> coroutine) {
        task<T> started;
        spawn(keep(std::move(coroutine), started.shared), started.shared, started.signal);
        return started;
    }
    task<bool> start(awaitable<void> coroutine);

    /// Runs a coroutine to its end and gives its value.
    template <typename T>
    auto run(awaitable<T> coroutine) {
        auto started = start(std::move(coroutine));
        BOOST_REQUIRE_MESSAGE(until([&] { return started.done(); }), "a coroutine did not end");
        return started.get();
    }

    /// Makes a server that listens on a free port of 127.0.0.1.
    server listen(options options = {});

    /// Makes a server that listens on `options.host`.
    server listen_where_told(options options);

    /// Runs `handler` for each connection of `server`.
    void serve(server server, connection_handler handler);

    /// Makes a server whose connections echo.
    server echo(options options = {});

    /// Gives the next connection of `server`.
    socket accept(server server);

    /// Receives in a coroutine of its own.
    std::optional<message> receive(socket& socket);

    static awaitable<void> echo_back(socket socket);
    static awaitable<void> sleep(std::chrono::milliseconds time);

private:
    template <typename T>
    static awaitable<void> keep(awaitable<T> coroutine, std::shared_ptr<typename task<T>::state> kept) {
        kept->value.emplace(co_await std::move(coroutine));
    }

    void spawn(awaitable<void> coroutine, std::shared_ptr<completion> told,
               const std::shared_ptr<asio::cancellation_signal>& signal);
};

/// A client, of TCP if nothing else is said, that sends exact bytes and reads exact bytes.
class client {
public:
    /// Connects from this machine. `turn` is called whenever the client waits. A `receive_buffer` makes the window that
    /// the kernel offers small.
    client(std::uint16_t port, std::function<void()> turn, int receive_buffer = 0);
    client(world& world, std::uint16_t port, int receive_buffer = 0)
        : client(
              port, [&world] { world.turn(); }, receive_buffer) {}
    /// Connects to what another server socket than one of IPv4 listens on.
    client(const endpoint& to, std::function<void()> turn);
    client(world& world, const endpoint& to) : client(to, [&world] { world.turn(); }) {}
    /// Connects from another address of this machine, such as "127.0.0.2".
    static client from(std::string_view address, world& world, std::uint16_t port);
    /// Takes the other end of a connection: a server that sends exact bytes.
    client(asio::ip::tcp::socket accepted, std::function<void()> turn);
    client(client&&) = default;

    /// Sends all of `bytes`.
    client& send(std::string_view bytes);

    /// Sends until nothing was taken for `patience`; gives how many bytes were taken.
    std::size_t send_some(std::string_view bytes, std::chrono::milliseconds patience = 300ms);

    /// Sends what is taken without waiting; gives how many bytes that are.
    std::size_t offer(std::string_view bytes);

    /// Gives what is there, at most `most` bytes, without waiting; sets `ended` when nothing will follow.
    std::string take(std::size_t most, bool& ended);

    /// Reads exactly `size` bytes.
    std::string read(std::size_t size);

    /// Reads up to and with `end`.
    std::string read_to(std::string_view end);

    /// Reads until the connection ends, by FIN or by a reset, and closes it.
    std::string read_all();

    /// Gives one segment: what a single receive gives once there is something.
    std::string read_some();

    /// Reads whatever comes within `time`.
    std::string read_for(std::chrono::milliseconds time);

    /// Reads an HTTP response: its head, and its body when it has a Content-Length.
    std::string read_response();

    /// Checks that exactly `bytes` come.
    client& expect(std::string_view bytes);

    /// Checks that exactly `bytes` come, and then the end of the connection.
    void expect_last(std::string_view bytes);

    /// Checks that the connection ends without another byte.
    void expect_end() { expect_last({}); }

    /// Tells the server that nothing more will be sent (FIN).
    void finish() { socket_.shutdown(asio::socket_base::shutdown_send); }

    /// Goes away with a RST.
    void reset();

    /// Goes away with a FIN.
    void close() { socket_.close(); }

    [[nodiscard]] endpoint local();

private:
    using any_endpoint = asio::generic::stream_protocol::endpoint;
    client(const any_endpoint& to, std::function<void()> turn, int receive_buffer, const any_endpoint* from);
    std::size_t receive(char* data, std::size_t size, bool& ended);
    template <typename Enough>
    std::string read_until(Enough enough, std::string_view what);

    std::unique_ptr<asio::io_context> context_ = std::make_unique<asio::io_context>();  // only owns the descriptor
    asio::generic::stream_protocol::socket socket_{*context_};
    std::function<void()> turn_;
    std::string pending_;
};

/// A handshake as a client of `version` sends it, key and nonce included. `lines` are further header lines.
std::string handshake(protocol_version version, std::string_view target = "/", std::string_view lines = {});

/// The same for RFC 6455.
inline std::string handshake(std::string_view target = "/", std::string_view lines = {}) {
    return handshake(protocol_version::hybi_13, target, lines);
}

/// What stands at the end of a right answer to `handshake(version)`: all of the 101 up to the first frame ends with it.
std::string_view proof(protocol_version version);

/// A text message as a client of `version` sends it, and as the server does.
std::string client_text(protocol_version version, std::string_view text);
std::string server_text(protocol_version version, std::string_view text);

/// Makes a client that has done its handshake.
client connect(world& world, std::uint16_t port, protocol_version version = protocol_version::hybi_13,
               std::string_view target = "/", std::string_view lines = {}, int receive_buffer = 0);

/// A server, one client of it, and the server's end of the connection.
struct connected_pair {
    world w;
    wsio::server server;
    wsio::test::client client;
    wsio::socket socket;
    explicit connected_pair(options of_server = {}, protocol_version version = protocol_version::hybi_13,
                            int receive_buffer = 0);
};

/// Gives the request of a handshake in version 13, as an HTTP server of the program's own has read it.
request upgrade_request();

/// Reads one frame of a server: its first byte and its payload.
template <typename Client>
std::pair<unsigned, std::string> read_frame(Client& client) {
    auto const start = client.read(2);
    std::size_t size = static_cast<unsigned char>(start[1]);
    if (size > 125) {
        auto const length = client.read(size == 126 ? 2 : 8);
        size = 0;
        for (unsigned char const byte : length) size = size << 8 | byte;
    }
    return {static_cast<unsigned char>(start[0]), client.read(size)};
}

/// Makes bytes printable, so that a failed comparison can be read.
std::string readable(std::string_view bytes);

/// Gives the status of an HTTP response.
int status_of(std::string_view response);

/// Gives the body of an HTTP response.
std::string_view body_of(std::string_view response);

/// Checks how a connection ended.
void check_status(const status& status, ended_by by, close_code code, bool clean, std::string_view reason = {});

inline bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

}  // namespace wsio::test

// Lets Boost.Test print what the tests compare.
namespace wsio {
inline std::ostream& operator<<(std::ostream& out, protocol_version spoken) { return out << to_string(spoken); }
inline std::ostream& operator<<(std::ostream& out, ready_state state) { return out << to_string(state); }
inline std::ostream& operator<<(std::ostream& out, ended_by who) { return out << to_string(who); }
inline std::ostream& operator<<(std::ostream& out, close_code code) { return out << to_number(code); }
inline std::ostream& operator<<(std::ostream& out, const endpoint& endpoint) { return out << endpoint.to_string(); }
}  // namespace wsio
