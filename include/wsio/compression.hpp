#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace wsio {

/// Says whether messages are compressed (permessage-deflate, RFC 7692), and what a connection keeps in memory for it.
enum class compression_mode : std::uint8_t {
    off,        ///< Never; a client's offer is declined.
    shared,     ///< Each message for itself, with one compressor for each loop. A connection keeps nothing.
    dedicated,  ///< Messages may refer to those before them, which makes small ones much smaller. A connection keeps a
                ///< compressor while it sends and the last bytes that it received.
};

/// Configures the compression of messages. It is used on connections of protocol 13 whose client offers it, as all
/// browsers do. docs/compression.md says what it costs and when it is worth it. In the options of a client "client" means
/// the server, wherever it stands here for the other end.
struct compression {
    compression_mode mode = compression_mode::off;
    /// Messages under so many bytes are sent as they are.
    std::size_t threshold = 256;
    /// How hard the compressor tries: 1 (fast) to 9 (small).
    int level = 3;
    /// How far back the compressor looks: 2^window_bits bytes, 9 to 15. A client may ask for less.
    int window_bits = 12;
    /// `dedicated`: how far back a client may refer, as a power of two, 9 to 15, if it lets the server choose (most do;
    /// with others it is 15). So many bytes are kept for each connection.
    int client_window_bits = 12;
    /// The size of the compressor's tables, 1 to 9. A compressor takes 2^(window_bits + 2) + 2^(memory_level + 9) bytes and
    /// 6 KiB; as it stands, 38 KiB.
    int memory_level = 5;
    /// `dedicated`: a connection that has sent nothing compressed for so long gives its compressor back, and makes a new
    /// one when it needs it.
    std::chrono::milliseconds idle{10'000};

    friend bool operator==(const compression&, const compression&) = default;
};

/// Says how one message is sent; see `socket::send`.
struct send_options {
    /// Set to false for what cannot be made smaller (pictures, encrypted data) or must not be compressed together with
    /// what others say (docs/security.md).
    bool compress = true;
};

}  // namespace wsio
