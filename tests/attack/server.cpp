// The server under attack: small limits, short deadlines, and one path for each way to treat a connection; one of them with
// the limits that wsio has by default. A second port speaks TLS, with the certificate and key that the command line names; a
// third expects PROXY headers, from this machine, and lets few connections in; a fourth expects them from another.

#include <wsio/wsio.hpp>

#include "../heap_in_use.hpp"

#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/core.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <new>
#include <stdexcept>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

asio::awaitable<void> echo(wsio::socket socket) {
    while (auto message = co_await socket.receive())
        if (!co_await socket.send(*message)) break;
}

// Holds the connection and does not receive.
asio::awaitable<void> hold(wsio::socket socket) {
    auto timer = asio::steady_timer(co_await asio::this_coro::executor, 3s);
    co_await timer.async_wait(asio::use_awaitable);
    socket.end();
}

asio::awaitable<void> close_first(wsio::socket socket) { co_await socket.close(wsio::close_code{4000}, "closed"); }

asio::awaitable<void> fail_first(wsio::socket socket) {
    co_await socket.receive();
    throw std::runtime_error("this handler throws");
}

// Every message goes to everyone, with the write that does not wait.
asio::awaitable<void> broadcast(wsio::socket socket) {
    static std::unordered_set<wsio::socket> room;
    room.insert(socket);
    while (auto message = co_await socket.receive())
        for (auto other : room) other.write(*message);
    room.erase(socket);
}

asio::awaitable<void> serve(wsio::server server, wsio::connection_handler handle) {
    auto const report = [](const std::exception_ptr&) {};  // the last handle is gone, so the connection is closed
    while (auto socket = co_await server.accept())
        asio::co_spawn(server.get_executor(), handle(std::move(*socket)), report);
}

// What the heap has at most. Resident memory would not do: what one attack has given back hides what another takes.
class heap_watch {
public:
    asio::awaitable<void> run() {
        auto timer = asio::steady_timer(co_await asio::this_coro::executor);
        while (!stopped_) {
            look();
            timer.expires_after(5ms);
            co_await timer.async_wait(asio::use_awaitable);
        }
    }

    void stop() noexcept { stopped_ = true; }

    /// Gives the bytes in use now, and the most since it was asked before.
    std::string report() {
        look();
        auto const now = wsio::test::heap_in_use();
        return fmt::format("{} {}", now, std::exchange(most_, now));
    }

private:
    void look() { most_ = std::max(most_, wsio::test::heap_in_use()); }

    std::size_t most_ = 0;
    bool stopped_ = false;
};

asio::awaitable<void> stop_on_signal(std::vector<wsio::http_server> ports, heap_watch& heap) {
    auto signals = asio::signal_set(co_await asio::this_coro::executor, SIGINT, SIGTERM);
    co_await signals.async_wait(asio::use_awaitable);
    heap.stop();
    for (auto& port : ports) co_await port.drain(2s);
}

constexpr auto limits = wsio::limits{.head_size = 8 * 1024,
                                     .header_count = 50,
                                     .body_size = 1024,
                                     .message_size = 64 * 1024,
                                     .fragments = 100,
                                     .read_ahead = 32 * 1024,
                                     .outbox = 64 * 1024};
constexpr auto timeouts = wsio::timeouts{.handshake = 1s, .close = 500ms};

wsio::http_options port_options(bool expects_proxies = false) {
    auto options = wsio::http_options{
        .host = "127.0.0.1", .limits = limits, .timeouts = timeouts, .proxy_protocol = expects_proxies};
    if (expects_proxies) options.limits.connections = 60;
    if (expects_proxies) options.limits.connections_per_address = 20;
    return options;
}

class attacked_server {
public:
    attacked_server(asio::io_context& context, const char* certificate, const char* key) : context_(context) {
        auto secure = port_options();
        secure.tls = wsio::tls({.certificate = certificate, .key = key});
        auto proxied = port_options(true);
        proxied.trusted_proxies = {"127.0.0.1"};
        auto const plain = listen("listens on", port_options());
        auto const path = [](std::string name) {
            return wsio::options{
                .path = std::move(name), .subprotocols = {"chat", "superchat"}, .limits = limits, .timeouts = timeouts};
        };
        add(plain, path("/echo"), echo);
        add(plain, path("/sleep"), hold);
        add(plain, path("/close"), close_first);
        add(plain, path("/fail"), fail_first);
        add(plain, path("/broadcast"), broadcast);
        auto quick = path("/pinged");
        quick.timeouts.ping = quick.timeouts.pong = 400ms;
        add(plain, std::move(quick), echo);
        auto lazy = path("/idle");
        lazy.timeouts.idle = 1s;
        add(plain, std::move(lazy), echo);
        auto compressed = path("/shared");
        compressed.compression = {.mode = wsio::compression_mode::shared, .threshold = 1};
        add(plain, std::move(compressed), echo);
        compressed = path("/dedicated");
        compressed.compression = {.mode = wsio::compression_mode::dedicated, .threshold = 1};
        add(plain, std::move(compressed), echo);
        auto usual = wsio::options{.path = "/default", .timeouts = timeouts};
        usual.compression = {.mode = wsio::compression_mode::shared};
        add(plain, std::move(usual), echo);
        add(listen("TLS on", secure), path("/echo"), echo);
        auto behind = path("/echo");
        behind.trusted_proxies = {"127.0.0.1"};
        add(listen("PROXY headers on", proxied), std::move(behind), echo);
        proxied.trusted_proxies = {"192.0.2.77"};
        add(listen("not from us on", proxied), path("/echo"), echo);
        std::fflush(stdout);
        asio::co_spawn(context_, heap_.run(), asio::detached);
        asio::co_spawn(context_, stop_on_signal(ports_, heap_), asio::detached);
    }

private:
    wsio::http_server listen(const char* what, const wsio::http_options& options) {
        auto port =
            ports_.emplace_back(context_.get_executor(), std::bind_front(&attacked_server::answer, this), options);
        port.listen(0);
        fmt::print("{} {}\n", what, port.local_endpoint());
        return port;
    }

    void add(wsio::http_server port, wsio::options options, wsio::connection_handler handle) {
        served_.push_back(attach(port, std::move(options)));
        asio::co_spawn(context_, serve(served_.back(), std::move(handle)), asio::detached);
    }

    // /open says how many WebSockets are open, so that the attacker sees what it left behind, /heap what they cost, and /who
    // who it is taken for.
    asio::awaitable<wsio::http_response> answer(const wsio::request& request) {
        std::size_t open = 0;
        for (auto const& server : served_) open += server.clients_count();
        if (request.path() == "/open") co_return wsio::http_response{.body = std::to_string(open)};
        if (request.path() == "/heap") co_return wsio::http_response{.body = heap_.report()};
        if (request.path() == "/who")
            co_return wsio::http_response{
                .body = fmt::format("{} {}", request.client_endpoint(), request.secure() ? "secure" : "plain")};
        co_return wsio::http_response{.status = 404};
    }

    asio::io_context& context_;
    heap_watch heap_;
    std::vector<wsio::http_server> ports_;
    std::vector<wsio::server> served_;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        fmt::print(stderr, "usage: wsio_attack_server CERTIFICATE KEY\n");
        return 2;
    }
    auto context = asio::io_context(1);
    attacked_server server(context, argv[1], argv[2]);
    for (;;) {
        try {
            context.run();
            return 0;
        } catch (const std::bad_alloc&) {  // out of Asio's own operations (docs/security.md): the loop goes on
        }
    }
}
