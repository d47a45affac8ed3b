#include "protocol/hybi.hpp"
#include "protocol/mask.hpp"
#include "protocol/utf8.hpp"

#include <wsio/protocols.hpp>

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstring>
#include <span>
#include <string>

// What the sans-I/O core costs per message. Decoders unmask in place, so each round of a parse benchmark first puts the
// masked bytes back; `copy` measures that part alone.

namespace {

using namespace wsio;

constexpr std::uint32_t key = 0x3D21FA37;
constexpr std::size_t batch = 64;  // frames in one input, as a pipelining client sends them

std::string ascii(std::size_t size) { return std::string(size, 'a'); }

std::string chinese(std::size_t size) {
    std::string text;
    while (text.size() + 3 <= size) text += "\xE4\xBD\xA0";
    return text;
}

/// Mostly ASCII: of 18 bytes 2 are not.
std::string german(std::size_t size) {
    std::string text;
    while (text.size() + 18 <= size)
        text +=
            "Stra\xC3\x9F"
            "enbahnlinie ";
    return text.append(size - text.size(), ' ');
}

void unmask(benchmark::State& state) {
    std::string bytes(static_cast<std::size_t>(state.range(0)), 'x');
    for (auto _ : state) {
        protocol::unmask(bytes.data(), bytes.data(), bytes.size(), key, 0);
        benchmark::DoNotOptimize(bytes.data());
        benchmark::ClobberMemory();
    }
    state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(unmask)->Arg(5)->Arg(16)->Arg(125)->Arg(1024)->Arg(16384)->Arg(65536)->Arg(1 << 20);

void validate(benchmark::State& state, std::string (*make)(std::size_t)) {
    auto const text = make(static_cast<std::size_t>(state.range(0)));
    for (auto _ : state) benchmark::DoNotOptimize(protocol::valid_utf8(text));
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}
BENCHMARK_CAPTURE(validate, ascii, ascii)->Arg(16)->Arg(64)->Arg(256)->Arg(1024)->Arg(65536);
BENCHMARK_CAPTURE(validate, chinese, chinese)->Arg(16)->Arg(64)->Arg(256)->Arg(1024)->Arg(65536);
BENCHMARK_CAPTURE(validate, german, german)->Arg(16)->Arg(64)->Arg(256)->Arg(1024)->Arg(65536);

std::string frames(protocol_version version, protocol::opcode type, std::size_t size) {
    byte_buffer out;
    for (std::size_t i = 0; i < batch; ++i) {
        if (is_hybi(version))
            protocol::encode_masked(type, ascii(size), key, out);
        else
            protocols[version].encode(type, ascii(size), out);
    }
    return std::string(out.view());
}

void count_frames(benchmark::State& state) {
    state.counters["per_frame"] =
        benchmark::Counter(batch, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

void parse(benchmark::State& state, protocol_version version, protocol::opcode type) {
    auto const source = frames(version, type, static_cast<std::size_t>(state.range(0)));
    auto bytes = source;
    auto const decoder = protocols[version].make_decoder(protocol::role::server);
    for (auto _ : state) {
        std::memcpy(bytes.data(), source.data(), source.size());
        std::span<char> input(bytes);
        while (!input.empty()) benchmark::DoNotOptimize(decoder->next(input));
    }
    count_frames(state);
}
BENCHMARK_CAPTURE(parse, hybi_13_text, protocol_version::hybi_13, protocol::opcode::text)->Arg(16)->Arg(1024);
BENCHMARK_CAPTURE(parse, hybi_13_binary, protocol_version::hybi_13, protocol::opcode::binary)->Arg(16)->Arg(1024);
BENCHMARK_CAPTURE(parse, hybi_13_ping, protocol_version::hybi_13, protocol::opcode::ping)->Arg(16);
BENCHMARK_CAPTURE(parse, hixie_76, protocol_version::hixie_76, protocol::opcode::text)->Arg(16)->Arg(1024);

void copy(benchmark::State& state) {
    auto const source =
        frames(protocol_version::hybi_13, protocol::opcode::text, static_cast<std::size_t>(state.range(0)));
    auto bytes = source;
    for (auto _ : state) {
        std::memcpy(bytes.data(), source.data(), source.size());
        benchmark::ClobberMemory();
    }
    count_frames(state);
}
BENCHMARK(copy)->Arg(16)->Arg(1024);

/// A message of this size that comes in reads of 64 KiB, through the decoder's window.
void assemble(benchmark::State& state, protocol::opcode type, std::string (*make)(std::size_t)) {
    auto const payload = make(static_cast<std::size_t>(state.range(0)));
    byte_buffer source;
    protocol::encode_masked(type, payload, key, source);
    auto const decoder = protocols[protocol_version::hybi_13].make_decoder(protocol::role::server);
    std::string block(65536, '\0');
    for (auto _ : state) {
        auto left = source.view();
        while (!left.empty()) {
            auto const window = decoder->window();
            auto const count =
                std::min(left.size(), window.empty() ? block.size() : std::min(window.size(), block.size()));
            std::memcpy(window.empty() ? block.data() : window.data(), left.data(), count);
            left.remove_prefix(count);
            std::span<char> input(block.data(), count);
            benchmark::DoNotOptimize(window.empty() ? decoder->next(input) : decoder->commit(count));
        }
        benchmark::DoNotOptimize(decoder->take_payload());
    }
    state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK_CAPTURE(assemble, binary, protocol::opcode::binary, ascii)->Arg(100000)->Arg(1 << 20)->Arg(8 << 20);
BENCHMARK_CAPTURE(assemble, ascii, protocol::opcode::text, ascii)->Arg(100000)->Arg(1 << 20)->Arg(8 << 20);
BENCHMARK_CAPTURE(assemble, chinese, protocol::opcode::text, chinese)->Arg(100000)->Arg(1 << 20)->Arg(8 << 20);

void encode(benchmark::State& state, protocol_version version) {
    auto const payload = ascii(static_cast<std::size_t>(state.range(0)));
    auto const& strategy = protocols[version];
    byte_buffer out;
    for (auto _ : state) {
        out.clear();
        strategy.encode(protocol::opcode::text, payload, out);
        benchmark::DoNotOptimize(out.data());
    }
}
BENCHMARK_CAPTURE(encode, hybi_13, protocol_version::hybi_13)->Arg(16)->Arg(1024);
BENCHMARK_CAPTURE(encode, hixie_76, protocol_version::hixie_76)->Arg(16)->Arg(1024);

void encode_masked(benchmark::State& state) {
    auto const payload = ascii(static_cast<std::size_t>(state.range(0)));
    byte_buffer out;
    for (auto _ : state) {
        out.clear();
        protocol::encode_masked(protocol::opcode::text, payload, key, out);
        benchmark::DoNotOptimize(out.data());
    }
}
BENCHMARK(encode_masked)->Arg(16)->Arg(1024);

}  // namespace

BENCHMARK_MAIN();
