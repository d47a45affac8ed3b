#include "handshake/proxy_header.hpp"

#include "fuzz.hpp"

#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <variant>

// The PROXY protocol: judged at every length that the bytes can have when they come, and what is written is read again.

namespace wsio::fuzz {
namespace {

namespace ip = boost::asio::ip;
using handshake::proxy_header;
using handshake::proxy_header_result;

bool same(const proxy_header_result& a, const proxy_header_result& b) {
    if (a.index() != b.index()) return false;
    if (auto const* words = std::get_if<std::string_view>(&a)) return *words == std::get<std::string_view>(b);
    auto const* x = std::get_if<proxy_header>(&a);
    auto const* y = std::get_if<proxy_header>(&b);
    return x == nullptr || (x->size == y->size && x->source == y->source && x->secure == y->secure);
}

proxy_header_result read_checked(std::string_view input) {
    auto const result = handshake::read_proxy_header(input);
    // A header of 4096 bytes is read often enough.
    for (std::size_t size = 0; size <= std::min<std::size_t>(input.size(), 300); ++size) {
        // A copy, so that the sanitizer sees what reads beyond its end.
        std::string const part(input.substr(0, size));
        auto const early = handshake::read_proxy_header(part);
        if (!std::holds_alternative<std::monostate>(early)) {
            expect(same(early, result), "what was judged stays so, whatever follows");
            auto const* header = std::get_if<proxy_header>(&early);
            expect(header == nullptr || header->size == size, "a header is complete with its last byte");
            break;
        }
    }
    if (auto const* header = std::get_if<proxy_header>(&result)) {
        bool const text = input.starts_with("PROXY ");
        expect(header->size <= input.size() &&
                   header->size <= (text ? handshake::proxy_v1_limit : handshake::proxy_v2_limit),
               "a header is within what came, and within its limit");
        expect(!text || input.substr(header->size - 2, 2) == "\r\n", "a line ends with CR LF");
        expect(!text || !header->secure, "a line says nothing of TLS");
    } else if (std::holds_alternative<std::monostate>(result)) {
        expect(input.size() < handshake::proxy_v2_limit, "no header may go on for ever");
    } else {
        expect(!std::get<std::string_view>(result).empty(), "a refusal says why");
    }
    return result;
}

std::string number_16(std::size_t value) { return {static_cast<char>(value >> 8), static_cast<char>(value & 0xFF)}; }

template <typename Address>
std::string raw(const Address& address) {
    auto const bytes = address.to_bytes();
    return {bytes.begin(), bytes.end()};
}

ip::address address(choices& choose) {
    if (choose.flag()) {
        ip::address_v6::bytes_type bytes{};
        for (auto& each : bytes) each = static_cast<unsigned char>(choose.byte());
        auto const v6 = ip::address_v6(bytes);
        // One that is mapped is given as IPv4, which is not what was written.
        if (!v6.is_v4_mapped()) return v6;
    }
    return ip::address_v4(static_cast<std::uint32_t>(choose.pair() << 16 | choose.pair()));
}

std::string v1(const ip::address& from, unsigned port) {
    auto const to = from.is_v6() ? "::1" : "192.0.2.1";
    return std::string("PROXY ") + (from.is_v6() ? "TCP6 " : "TCP4 ") + from.to_string() + ' ' + to + ' ' +
           std::to_string(port) + " 443\r\n";
}

std::string v2(const ip::address& from, unsigned port, std::string_view fields) {
    std::string body =
        from.is_v6() ? raw(from.to_v6()) + raw(ip::address_v6::loopback()) : raw(from.to_v4()) + std::string(4, '\1');
    body += number_16(port) + number_16(443);
    body += fields;
    return "\r\n\r\n" + std::string(1, '\0') + "\r\nQUIT\n\x21" + (from.is_v6() ? "\x21" : "\x11") +
           number_16(body.size()) + body;
}

void check_written(choices& choose) {
    auto const from = address(choose);
    auto const port = choose.pair();
    bool const secure = choose.flag();
    bool const binary = choose.flag();
    std::string fields;
    if (binary && secure) fields += std::string("\x20\0\x05\x01\0\0\0\0", 8);
    if (binary)
        for (auto count = choose.below(4); count > 0; --count) {
            auto const value = choose.text(200);
            auto const type = static_cast<char>(choose.byte());
            if (type != 0x20) fields += type + number_16(value.size()) + std::string(value);
        }
    auto const header = binary ? v2(from, port, fields) : v1(from, port);
    auto const result = read_checked(header + std::string(choose.rest()));
    auto const* read = std::get_if<proxy_header>(&result);
    expect(read != nullptr && read->size == header.size(), "a good header is read, and no byte behind it");
    expect(read->source && read->source->address == from && read->source->port == port,
           "the client is who was written");
    expect(read->secure == (binary && secure), "TLS is what was written");
}

}  // namespace

void fuzz(std::string_view input) {
    choices choose(input);
    if (choose.flag())
        check_written(choose);
    else
        read_checked(choose.rest());
}

}  // namespace wsio::fuzz
