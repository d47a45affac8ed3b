#include "hybi_input.hpp"

#include <fmt/format.h>

#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

// Prints what inputs of the target "hybi" put on the wire, and what the library makes of it: one line of JSON for each file
// given, for compare-with-wsproto. Only inputs that another decoder can be set up for: protocol 13, bytes of a client, a
// window of 32 KiB.

namespace wsio::fuzz {
namespace {

std::string hex(std::string_view bytes) {
    std::string digits;
    for (char const c : bytes) digits += fmt::format("{:02x}", static_cast<unsigned char>(c));
    return digits;
}

std::string event(const seen& found) {
    constexpr const char* names[] = {"need_more", "message", "ping", "pong", "closing", "failed"};
    return fmt::format(R"({{"kind":"{}","text":{},"code":{},"data":"{}"}})", names[static_cast<int>(found.kind)],
                       found.type == opcode::text, to_number(found.code), hex(found.data));
}

void print(const char* file) {
    std::ifstream in(file, std::ios::binary);
    expect(in.is_open(), file);
    std::string const bytes{std::istreambuf_iterator<char>(in), {}};
    auto input = read_hybi_input(bytes);
    input.setup.version = protocol_version::hybi_13;
    input.setup.limits = {};
    if (!input.setup.from_client) return;
    if (input.setup.deflate) input.setup.window = 32768;
    decoder_maker make(input.setup);
    std::string events;
    for (auto const& each : feed_all_ways([&] { return make(); }, input.wire, input.seed))
        events += (events.empty() ? "" : ",") + event(each);
    std::cout << fmt::format(R"({{"file":"{}","deflate":{},"wire":"{}","events":[{}]}})", file, input.setup.deflate,
                             hex(input.wire), events)
              << '\n';
}

}  // namespace
}  // namespace wsio::fuzz

int main(int count, char** arguments) {
    for (int i = 1; i < count; ++i) wsio::fuzz::print(arguments[i]);
}
