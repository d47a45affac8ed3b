#pragma once

// For the tests of programs that use wsio: WebSockets in memory, with a clock that stands still. Not part of <wsio/wsio.hpp>.

#include <wsio/client.hpp>
#include <wsio/http_server.hpp>
#include <wsio/options.hpp>
#include <wsio/server.hpp>
#include <wsio/socket.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

namespace wsio::testing {

namespace detail {
class carrier;
}

/// What lies between the two ends of a connection in a `simulation`. At first everything passes at once.
/// A cheap, copyable handle. Thread safety: everything belongs on the thread of the simulation.
class wire {
public:
    /// Lets at most so many bytes pass at a time in each direction: everything that is sent comes in pieces. At least 1;
    /// `std::invalid_argument` for 0.
    void piece_size(std::size_t bytes);

    /// What is sent from now on arrives so much later; negative times are `std::invalid_argument`.
    void latency(std::chrono::milliseconds time);

    /// Nothing passes any more and nobody is told, as when a peer loses its network. There is no way back.
    void cut();

    /// Ends the connection in both directions, as a peer that dies does: without a closing handshake, and without what was
    /// on its way.
    void end();

private:
    friend class simulation;
    explicit wire(std::shared_ptr<detail::carrier> carrier) noexcept : carrier_(std::move(carrier)) {}

    std::shared_ptr<detail::carrier> carrier_;
};

/// A connection to a server in a `simulation`, seen from the client.
struct connection {
    wsio::socket client;
    testing::wire wire;
};

/// Both ends of a connection in a `simulation`.
struct pair {
    wsio::socket server;
    wsio::socket client;
    testing::wire wire;
};

/// A loop with servers and clients that are connected in memory, and a clock of its own that goes on only when it is told to.
/// The same calls always lead to the same events in the same order, and an hour takes no time:
///
///     wsio::testing::simulation s;
///     auto [server, client, wire] = s.connect({.timeouts = {.ping = 30s, .pong = 10s}});
///     wire.cut();
///     s.pass(41s);
///     // server.status() says that the peer did not answer a ping
///
/// Everything else is real: the handshake, TLS if the server's options say so, limits, backpressure. Real are also timers that
/// are not the library's, such as `asio::steady_timer`; use `sleep` in their place. The clock has steps of 50 ms.
///
/// What is called here runs the loop, so it must not be called from within its coroutines and callbacks, but for `sleep` and `now`.
/// Sockets may outlive the simulation, as they may outlive any `io_context`.
/// Thread safety: one thread only.
class simulation {
public:
    simulation();
    simulation(const simulation&) = delete;
    simulation& operator=(const simulation&) = delete;
    ~simulation();

    [[nodiscard]] boost::asio::io_context& context() noexcept;
    [[nodiscard]] boost::asio::any_io_executor get_executor();

    /// Makes a server that `connect` reaches, and nobody else: `host` and what belongs to it have no meaning. For pages beside
    /// it, make an `http_server` on `get_executor()` and attach to it.
    [[nodiscard]] server listen(const options& settings = {});

    /// Connects a client and runs the loop until the handshake is over. A server that `listen` of this simulation did not give is
    /// `std::invalid_argument`. When the handshake fails, throws as `wsio::connect`; of the options' `protocols` the first
    /// alone counts, and what is about ways to the server is not looked at. The client's address is 127.0.0.1, and its port another
    /// one each time.
    [[nodiscard]] connection connect(const server& to, std::string_view url = "ws://localhost/",
                                     const client_options& settings = {});
    [[nodiscard]] connection connect(const http_server& to, std::string_view url = "ws://localhost/",
                                     const client_options& settings = {});

    /// Connects a client with a server that has only this connection, and gives both ends.
    [[nodiscard]] pair connect(const options& server_settings = {}, const client_options& client_settings = {});

    /// Runs all that can run without time passing. Throws `std::runtime_error` when that does not end.
    void settle();

    /// Lets time pass, step by step, and runs what becomes due.
    void pass(std::chrono::milliseconds time);

    /// Gives how much time has passed since the simulation was made.
    [[nodiscard]] std::chrono::milliseconds now() const noexcept;

    /// Waits, in a coroutine of the simulation, until time has passed.
    [[nodiscard]] boost::asio::awaitable<void> sleep(std::chrono::milliseconds time);

    /// Runs a coroutine to its end, time passing as it has to, and gives its value or throws what it threw. Throws
    /// `std::runtime_error` when it still waits after `at_most`; it goes on then whenever the simulation does.
    template <typename T>
    T run(boost::asio::awaitable<T> coroutine, std::chrono::milliseconds at_most = std::chrono::hours(1)) {
        auto const result = std::make_shared<outcome<T>>();
        boost::asio::co_spawn(get_executor(), finish(std::move(coroutine), result),
                              [result](std::exception_ptr error) { result->done(error); });
        wait_for([&result] { return result->over; }, at_most);
        if (result->error) std::rethrow_exception(result->error);
        if constexpr (!std::is_void_v<T>) return std::move(*result->value);
    }

private:
    struct nothing {};

    template <typename T>
    struct outcome {
        bool over = false;
        std::exception_ptr error;
        std::optional<std::conditional_t<std::is_void_v<T>, nothing, T>> value;

        void done(std::exception_ptr thrown) noexcept {
            error = std::move(thrown);
            over = true;
        }
    };

    template <typename T>
    static boost::asio::awaitable<void> finish(boost::asio::awaitable<T> coroutine,
                                               std::shared_ptr<outcome<T>> result) {
        if constexpr (std::is_void_v<T>)
            co_await std::move(coroutine);
        else
            result->value.emplace(co_await std::move(coroutine));
    }

    struct state;
    [[nodiscard]] connection connect_to(wsio::detail::front& front, std::string_view url,
                                        const client_options& settings);
    void wait_for(const std::function<bool()>& condition, std::chrono::milliseconds at_most);

    std::unique_ptr<state> state_;
};

}  // namespace wsio::testing
