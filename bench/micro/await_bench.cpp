#include "protocol/hybi.hpp"

#include <wsio/wsio.hpp>

#include <benchmark/benchmark.h>
#include <boost/asio.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

// What a message costs a handler through the public API: one `co_await` of receive, and one of send. The messages come in
// batches, so that the system calls and the turns of the loop are shared by many and nearly vanish.

namespace {

namespace asio = boost::asio;

constexpr std::size_t batch = 256;
constexpr std::size_t payload_size = 16;

/// A server and a client of it on one loop.
class conversation {
public:
    explicit conversation(bool answers) : client_(context_) {
        asio::co_spawn(context_, serve(*this, answers), asio::detached);
        while (port_ == 0) context_.run_one();
        client_.connect({asio::ip::address_v4::loopback(), port_});
        constexpr std::string_view request =
            "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n";
        asio::write(client_, asio::buffer(request));
        while (!open_) context_.run_one();
        std::string response;
        asio::read_until(client_, asio::dynamic_buffer(response), "\r\n\r\n");

        wsio::byte_buffer frames;
        for (std::size_t i = 0; i < batch; ++i)
            wsio::protocol::encode_masked(wsio::protocol::opcode::binary, std::string(payload_size, 'x'), 0x3D21FA37,
                                          frames);
        frames_ = frames.view();
    }

    /// Lets the server take a batch of messages; gives how long that took.
    std::chrono::duration<double> take_batch() {
        asio::write(client_, asio::buffer(frames_));
        auto const wanted = taken_ + batch;
        auto const begin = std::chrono::steady_clock::now();
        while (taken_ < wanted) context_.run_one();
        context_.poll();  // what the handler answered leaves
        return std::chrono::steady_clock::now() - begin;
    }

    void discard_answers() {
        std::array<char, batch*(2 + payload_size)> answers;
        asio::read(client_, asio::buffer(answers));
    }

private:
    static asio::awaitable<void> serve(conversation& shared, bool answers) {
        wsio::options const options{.host = "127.0.0.1"};
        auto server = co_await wsio::listen(0, options);
        shared.port_ = server.port();
        auto socket = co_await server.accept();
        shared.open_ = true;
        while (auto message = co_await socket->receive()) {
            ++shared.taken_;
            if (answers) co_await socket->send(*message);
        }
    }

    asio::io_context context_{1};
    asio::ip::tcp::socket client_;
    unsigned short port_ = 0;
    bool open_ = false;
    std::size_t taken_ = 0;
    std::string frames_;
};

void measure(benchmark::State& state, bool answers) {
    conversation talk(answers);
    for (auto _ : state) {
        state.SetIterationTime(talk.take_batch().count());
        if (answers) talk.discard_answers();
    }
    state.counters["per_message"] =
        benchmark::Counter(batch, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

void receive(benchmark::State& state) { measure(state, false); }
BENCHMARK(receive)->UseManualTime();

void receive_and_send(benchmark::State& state) { measure(state, true); }
BENCHMARK(receive_and_send)->UseManualTime();

}  // namespace

BENCHMARK_MAIN();
