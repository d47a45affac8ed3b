#pragma once

#include "io/fixture.hpp"

#include "protocol/permessage_deflate.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

namespace wsio::test {

inline constexpr unsigned compressed_text = 0xC1;
inline constexpr unsigned compressed_binary = 0xC2;

inline options compressing(compression_mode mode, std::size_t threshold = 0) {
    return {.compression = {.mode = mode, .threshold = threshold}};
}

inline std::string offer(std::string_view value) { return "Sec-WebSocket-Extensions: " + std::string(value) + "\r\n"; }

/// A client that has agreed on compression, over TCP or TLS.
template <typename Raw>
class basic_compressing_client {
public:
    explicit basic_compressing_client(Raw connected, std::string_view offered = "permessage-deflate")
        : raw(std::move(connected)) {
        raw.send(handshake("/", offer(offered)));
        answer = raw.read_to("\r\n\r\n");
        BOOST_REQUIRE_MESSAGE(contains(answer, "Sec-WebSocket-Extensions: permessage-deflate"), answer);
        protocol::deflate_parameters const agreed{
            .server_no_context_takeover = contains(answer, "server_no_context_takeover"),
            .client_no_context_takeover = contains(answer, "client_no_context_takeover"),
            .server_max_window_bits = protocol::max_window_bits,
            .client_max_window_bits = 9};
        codec.emplace(engines, protocol::role::client, agreed, protocol::deflate_settings{}, 0);
    }

    std::string compress(std::string_view message) { return std::string(codec.value().compress(message).value()); }

    /// Sends a message compressed, or as it is where that makes it no shorter.
    basic_compressing_client& send(std::string_view message) {
        auto const compressed = codec->compress(message);
        raw.send(compressed ? frame(compressed_text, *compressed) : frame(text_frame, message));
        return *this;
    }

    /// Reads one message; `wire_size` becomes the size of its payload.
    std::string read() {
        read_frame();
        return (first & 0x40U) == 0 ? payload : inflate(payload);
    }

    /// Reads a message that may come in fragments; `first` becomes that of the same message in one frame.
    std::string read_fragments() {
        read_frame();
        auto const opening = first;
        auto all = payload;
        while ((first & 0x80U) == 0) {
            read_frame();
            BOOST_REQUIRE((first & 0x7FU) == 0);
            all += payload;
        }
        first = opening | 0x80U;
        return (opening & 0x40U) == 0 ? all : inflate(all);
    }

    Raw raw;
    std::string answer;
    unsigned first = 0;
    std::string payload;
    std::size_t wire_size = 0;

private:
    void read_frame() {
        std::tie(first, payload) = test::read_frame(raw);
        wire_size = payload.size();
    }
    std::string inflate(std::string_view compressed) {
        byte_buffer message;
        BOOST_REQUIRE((codec->inflate(compressed, 1U << 30, message) == protocol::inflater::outcome::done));
        return std::string(message.view());
    }

    protocol::deflate_engines engines;
    std::optional<protocol::permessage_deflate> codec;
};

struct compressing_client : basic_compressing_client<client> {
    compressing_client(world& w, const wsio::server& server, std::string_view offered = "permessage-deflate",
                       int receive_buffer = 0)
        : basic_compressing_client(client(w, server.port(), receive_buffer), offered) {}
};

}  // namespace wsio::test
