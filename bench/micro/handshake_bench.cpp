#include "handshake/keys.hpp"
#include "handshake/negotiation.hpp"
#include "handshake/request_parser.hpp"

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <string>
#include <string_view>
#include <variant>

// What one opening handshake costs without its I/O.
namespace {

using namespace wsio::handshake;

// What a current browser sends, cookies aside.
constexpr std::string_view browser_request =
    "GET /chat?room=1 HTTP/1.1\r\n"
    "Host: example.com:3000\r\n"
    "Connection: Upgrade\r\n"
    "Pragma: no-cache\r\n"
    "Cache-Control: no-cache\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 "
    "Safari/537.36\r\n"
    "Upgrade: websocket\r\n"
    "Origin: http://example.com:3000\r\n"
    "Sec-WebSocket-Version: 13\r\n"
    "Accept-Encoding: gzip, deflate\r\n"
    "Accept-Language: en-US,en;q=0.9\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
    "\r\n";

constexpr std::string_view hixie_76_request =
    "GET /chat HTTP/1.1\r\n"
    "Host: example.com\r\n"
    "Connection: Upgrade\r\n"
    "Sec-WebSocket-Key2: 12998 5 Y3 1  .P00\r\n"
    "Upgrade: WebSocket\r\n"
    "Sec-WebSocket-Key1: 4 @1  46546xW%0l 1 5\r\n"
    "Origin: http://example.com\r\n"
    "\r\n";

void accept_key_of_rfc_6455(benchmark::State& state) {
    for (auto _ : state) benchmark::DoNotOptimize(accept_key("dGhlIHNhbXBsZSBub25jZQ=="));
}
BENCHMARK(accept_key_of_rfc_6455);

void challenge_of_hixie_76(benchmark::State& state) {
    for (auto _ : state) {
        auto const part_1 = hixie_76_part("4 @1  46546xW%0l 1 5");
        auto const part_2 = hixie_76_part("12998 5 Y3 1  .P00");
        benchmark::DoNotOptimize(hixie_76_answer(*part_1, *part_2, "^n:ds[4U"));
    }
}
BENCHMARK(challenge_of_hixie_76);

void parsed_head(benchmark::State& state, std::string_view text) {
    for (auto _ : state) {
        request_parser parser({});
        benchmark::DoNotOptimize(parser.put(text));
        benchmark::DoNotOptimize(parser.take());
    }
}
BENCHMARK_CAPTURE(parsed_head, browser, browser_request);

void whole_handshake(benchmark::State& state, std::string_view text) {
    for (auto _ : state) {
        request_parser parser({});
        parser.put(text);
        auto const request = parser.take();
        auto const result = recognise(request, {});
        auto const* const offered = std::get_if<offer>(&result);
        if (offered == nullptr) std::abort();
        benchmark::DoNotOptimize(accept_head(offered->version, accept_fields(*offered, request, "")));
    }
}
BENCHMARK_CAPTURE(whole_handshake, browser, browser_request);
BENCHMARK_CAPTURE(whole_handshake, hixie_76, hixie_76_request);

void head_byte_by_byte(benchmark::State& state) {
    std::string const start = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
    auto const head = start + std::string(16 * 1024 - start.size() - 4, 'x') + "\r\n\r\n";
    for (auto _ : state) {
        request_parser parser({});
        for (std::size_t size = 1; size <= head.size(); ++size)
            benchmark::DoNotOptimize(parser.put({head.data(), size}));
    }
}
BENCHMARK(head_byte_by_byte);

}  // namespace

BENCHMARK_MAIN();
