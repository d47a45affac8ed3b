#pragma once

#include "random_source.hpp"
#include "settings.hpp"
#include "traffic.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

/// What the tests of the generator's parts share.
namespace wsio::bench {

inline settings settings_for(protocol_version version, std::size_t size, bool binary = false) {
    settings wanted;
    wanted.target = parse_url("ws://localhost:3000/echo");
    wanted.version = version;
    wanted.size = size;
    wanted.binary = binary;
    return wanted;
}

/// Gives the frame of a message as a connection sends it.
inline std::string sent(const traffic& messages, std::size_t index, std::uint64_t number) {
    std::string frame(messages.sent_size(), '\0');
    messages.write(index, number, frame.data());
    return frame;
}

}  // namespace wsio::bench
