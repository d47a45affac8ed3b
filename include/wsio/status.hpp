#pragma once

#include <wsio/close_code.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace wsio {

/// Says where a connection is in its life, in the words of WebSocket.IO.
enum class ready_state : std::uint8_t { opening, open, closing, closed };

/// Gives "opening", "open", "closing" or "closed".
[[nodiscard]] constexpr std::string_view to_string(ready_state state) noexcept {
    switch (state) {
        case ready_state::opening: return "opening";
        case ready_state::open: return "open";
        case ready_state::closing: return "closing";
        case ready_state::closed: return "closed";
    }
    return "unknown";
}

/// Says who ended a connection.
enum class ended_by : std::uint8_t {
    nobody,       ///< It has not ended.
    peer,         ///< The peer closed it, properly or by just going away.
    application,  ///< This program called close, end or destroy, or let go of the last handle, or of the `io_context`.
    library,      ///< wsio failed it: the peer broke the protocol or a limit.
    server,       ///< The server is shutting down.
    network,      ///< The network failed.
};

/// Gives "nobody", "peer", "application", "library", "server" or "network".
[[nodiscard]] constexpr std::string_view to_string(ended_by who) noexcept {
    switch (who) {
        case ended_by::nobody: return "nobody";
        case ended_by::peer: return "peer";
        case ended_by::application: return "application";
        case ended_by::library: return "library";
        case ended_by::server: return "server";
        case ended_by::network: return "network";
    }
    return "unknown";
}

/// Says how and why a connection ended. While it lives, `by` is `nobody`; from then on no ending is without a cause.
struct status {
    ended_by by = ended_by::nobody;
    /// The close code: the peer's when the peer closed first, else the one that was asked for (one that the version does not
    /// have, or that may not be sent, goes out as another); `no_status` when the close frame had none or the version has no
    /// codes, `abnormal` when there was no closing handshake.
    close_code code = close_code::abnormal;
    std::string reason;  ///< The reason that came or went with the code, cut at 123 bytes.
    std::string cause;   ///< What happened, for a person, such as "frame is not masked (RFC 6455 5.1)".
    bool clean = false;  ///< Whether the closing handshake was completed.

    /// Gives one line, such as "1001 going away, ended by the server: the server is stopping".
    [[nodiscard]] std::string to_string() const;
};

}  // namespace wsio
