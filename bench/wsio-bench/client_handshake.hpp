#pragma once

#include "random_source.hpp"
#include "settings.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace wsio::bench {

/// One handshake from the client's side, in any protocol version. Does no I/O.
/// Thread safety: distinct objects safe, shared objects unsafe.
class client_handshake {
public:
    client_handshake(const settings& wanted, random_source& random);

    /// Gives what is to be sent.
    [[nodiscard]] std::string_view request() const noexcept { return request_; }

    /// Takes bytes that were received. Gives how many of them belong to the response once that is complete and right;
    /// the rest are frames. Throws `failure` (no_handshake) that says what is wrong with it.
    [[nodiscard]] std::optional<std::size_t> receive(std::string_view bytes);

    /// Says why the handshake failed when the server has closed the connection.
    [[noreturn]] void fail_at_end() const;

private:
    void make_hixie_keys(random_source& random);
    void make_hybi_key(random_source& random);
    void check_head(std::string_view head) const;
    [[nodiscard]] std::optional<std::size_t> finish(std::size_t head_end) const;

    std::string request_;
    std::string expected_;  ///< The value of Sec-WebSocket-Accept, or the 16 bytes behind the head of hixie-76.
    std::string received_;
    protocol_version version_;
    bool compress_;
};

}  // namespace wsio::bench
