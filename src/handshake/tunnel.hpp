#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "handshake/failure.hpp"
#include "handshake/response_reader.hpp"
#include "handshake/websocket_url.hpp"

namespace wsio::handshake {

/// One request for a tunnel through an HTTP proxy (CONNECT, RFC 9110 9.3.6), which a WebSocket client uses for ws as for wss
/// (RFC 6455 4.1). Does no I/O.
/// Thread safety: distinct objects safe, shared objects unsafe.
class tunnel {
public:
    tunnel(const websocket_url& to, const websocket_url& proxy, response_limits limits);

    [[nodiscard]] const std::string& request_bytes() const noexcept { return request_; }

    /// Takes all that came since the answer began. Gives how many bytes the answer has, once the tunnel is there.
    std::size_t put(std::string_view bytes);

    /// Takes it that nothing more comes.
    void end();

    /// Tells whether nothing more has to come: the tunnel is there, or `problem` says why not.
    [[nodiscard]] bool is_over() const noexcept { return state_ == state::over; }
    /// Tells whether only the body of a refusal is awaited, which need not be waited for long.
    [[nodiscard]] bool reads_body() const noexcept { return state_ == state::body; }
    [[nodiscard]] bool succeeded() const noexcept { return is_over() && problem_.message.empty(); }

    [[nodiscard]] const failure& problem() const noexcept { return problem_; }
    [[nodiscard]] const response_reader& answer() const noexcept { return reader_; }

private:
    enum class state { head, body, over };

    void refuse();
    void fail(error why, std::string message);

    std::string request_;
    bool has_credentials_;
    response_reader reader_;
    state state_ = state::head;
    failure problem_;
};

}  // namespace wsio::handshake
