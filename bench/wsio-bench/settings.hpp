#pragma once

#include "clock.hpp"
#include "payload.hpp"
#include "url.hpp"

#include <wsio/protocol_version.hpp>

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace wsio::bench {

/// What is measured.
enum class measurement : std::uint8_t {
    echo,     ///< Messages that come back.
    connect,  ///< Opening and closing connections.
    idle,     ///< Connections that are open and do nothing.
};

[[nodiscard]] constexpr std::string_view to_string(measurement mode) noexcept {
    switch (mode) {
        case measurement::echo: return "echo";
        case measurement::connect: return "connect";
        case measurement::idle: return "idle";
    }
    return "unknown";
}

/// What the command line asks for.
struct settings {
    url target;
    measurement mode = measurement::echo;
    protocol_version version = protocol_version::hybi_13;
    std::size_t connections = 100;
    std::size_t size = 16;  ///< Payload of a message, in bytes.
    std::size_t depth = 1;  ///< Messages in flight on each connection.
    bool binary = false;
    payload_kind payload = payload_kind::ascii;
    bool compress = false;  ///< Messages are compressed both ways, each for itself.
    double rate = 0;        ///< Messages a second over all connections; 0 for as many as the server answers.
    nanoseconds duration = 10 * second;
    nanoseconds warmup = second;
    unsigned threads = 1;
    std::string headers;   ///< Fields to add to the handshake, each with its line end.
    pid_t server_pid = 0;  ///< The server, if it runs on this machine and its use of CPU and memory is wanted; else 0.
    bool json = false;
    bool help = false;
};

}  // namespace wsio::bench
