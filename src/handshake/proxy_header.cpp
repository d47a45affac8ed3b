#include "handshake/proxy_header.hpp"

#include "handshake/http_grammar.hpp"
#include "handshake/ip_grammar.hpp"

#include <algorithm>
#include <cstdint>
#include <string>

// The PROXY protocol, https://www.haproxy.org/download/2.6/doc/proxy-protocol.txt, sections 2.1 (version 1: a line of
// text) and 2.2 (version 2: binary).

namespace wsio::handshake {
namespace {

namespace ip = boost::asio::ip;
using namespace std::string_view_literals;

constexpr auto v1_begin = "PROXY "sv;
constexpr auto v2_begin = "\r\n\r\n\0\r\nQUIT\n"sv;
constexpr std::size_t v2_fixed = 16;  // signature, version and command, family, length

std::string_view problem(const char* text) { return text; }

bool begins_like(std::string_view input, std::string_view signature) {
    auto const size = std::min(input.size(), signature.size());
    return input.substr(0, size) == signature.substr(0, size);
}

// "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n"
proxy_header_result read_v1(std::string_view input) {
    auto const end = input.substr(0, proxy_v1_limit).find('\n');
    if (end == std::string_view::npos) {
        if (input.size() >= proxy_v1_limit) return problem("the line has no end within 107 bytes");
        return std::monostate();
    }
    if (input[end - 1] != '\r') return problem("the line does not end with CR LF");
    proxy_header header{end + 1};
    auto line = input.substr(v1_begin.size(), end - 1 - v1_begin.size());
    auto const family = take_element(line, ' ');
    if (family == "UNKNOWN") return header;  // whatever follows is to be ignored
    bool const v6 = family == "TCP6";
    if (!v6 && family != "TCP4") return problem("the family is none of TCP4, TCP6 and UNKNOWN");
    if (std::count(line.begin(), line.end(), ' ') != 3) return problem("there are not two addresses and two ports");
    auto const source = parse_address(take_element(line, ' '));
    auto const destination = parse_address(take_element(line, ' '));
    if (!source || !destination || source->is_v6() != v6 || destination->is_v6() != v6)
        return problem("an address is malformed");
    auto const source_port = parse_port(take_element(line, ' '));
    auto const destination_port = parse_port(line);
    if (!source_port || !destination_port) return problem("a port is malformed");
    header.source = endpoint{unmapped(*source), *source_port};
    return header;
}

std::uint16_t big_endian_16(std::string_view bytes) {
    return static_cast<std::uint16_t>(static_cast<unsigned char>(bytes[0]) << 8 | static_cast<unsigned char>(bytes[1]));
}

template <typename Address>
endpoint ip_endpoint(std::string_view addresses) {
    typename Address::bytes_type bytes;
    std::copy_n(addresses.begin(), bytes.size(), bytes.begin());
    return {unmapped(Address(bytes)), big_endian_16(addresses.substr(2 * bytes.size()))};
}

// A path is shown in logs: one that would spoil them is left out.
endpoint unix_endpoint(std::string_view path) {
    path = path.substr(0, std::min(path.find('\0'), path.size()));
    return {{}, 0, is_all_visible(path) ? "unix:" + std::string(path) : "unix:"};
}

// Looks through the fields behind the addresses (2.2.1 to 2.2.6). Only what the client spoke matters here: a checksum
// guards against nothing that TCP does not, and names of hosts are the TLS endpoint's business.
bool read_fields(std::string_view fields, proxy_header& header) {
    constexpr char ssl = 0x20;
    constexpr char client_used_ssl = 0x01;
    while (!fields.empty()) {
        if (fields.size() < 3) return false;
        auto const type = fields[0];
        std::size_t const size = big_endian_16(fields.substr(1));
        if (fields.size() - 3 < size) return false;
        auto const value = fields.substr(3, size);
        if (type == ssl) {
            if (value.size() < 5) return false;
            header.secure = (value[0] & client_used_ssl) != 0;
        }
        fields.remove_prefix(3 + size);
    }
    return true;
}

proxy_header_result read_v2(std::string_view input) {
    constexpr std::size_t command_at = 12;
    constexpr std::size_t family_at = 13;
    constexpr std::size_t length_at = 14;
    if (input.size() <= command_at) return std::monostate();
    auto const command = static_cast<unsigned char>(input[command_at]);
    if (command != 0x20 && command != 0x21) return problem("it is neither LOCAL nor PROXY of version 2");
    if (input.size() <= family_at) return std::monostate();
    auto const family = static_cast<unsigned char>(input[family_at]);
    bool const local = command == 0x20;  // 2.2: its addresses are discarded, and so is what family they have
    if (!local && (family >> 4 > 3 || (family & 15) > 2)) return problem("the address family or protocol is unknown");
    if (input.size() < v2_fixed) return std::monostate();
    proxy_header header{v2_fixed + big_endian_16(input.substr(length_at))};
    if (header.size > proxy_v2_limit) return problem("it is longer than 4096 bytes");
    constexpr std::size_t sizes[] = {0, 12, 36, 216};
    auto const size = local ? 0 : sizes[family >> 4];
    if (header.size - v2_fixed < size) return problem("it is too short for its addresses");
    if (input.size() < header.size) return std::monostate();

    // 2.2: AF_UNSPEC or an unspecified protocol is to be treated as LOCAL.
    if (size == 0 || (family & 15) == 0) return header;
    auto const body = input.substr(v2_fixed, header.size - v2_fixed);
    if (!read_fields(body.substr(size), header)) return problem("its additional fields are malformed");
    switch (family >> 4) {
        case 1: header.source = ip_endpoint<ip::address_v4>(body); break;
        case 2: header.source = ip_endpoint<ip::address_v6>(body); break;
        default: header.source = unix_endpoint(body.substr(0, size / 2)); break;
    }
    return header;
}

}  // namespace

proxy_header_result read_proxy_header(std::string_view input) {
    if (begins_like(input, v1_begin)) return input.size() < v1_begin.size() ? proxy_header_result() : read_v1(input);
    if (begins_like(input, v2_begin)) return input.size() < v2_begin.size() ? proxy_header_result() : read_v2(input);
    return problem("the connection does not begin with one");
}

}  // namespace wsio::handshake
