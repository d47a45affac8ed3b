#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <string>
#include <utility>

#include "io/descriptor.hpp"

namespace wsio::testing::detail {

using wsio::detail::descriptor;

/// Gives two connected sockets of this machine.
[[nodiscard]] std::pair<descriptor, descriptor> connected_sockets();

/// Carries bytes between two sockets.
class carrier {
public:
    using time = std::chrono::milliseconds;

    carrier(descriptor to_server, descriptor to_client)
        : ends_{std::move(to_server), std::move(to_client)}, directions_{{0, 1}, {1, 0}} {}

    std::size_t piece_size = std::size_t{64} << 10;
    time latency{0};

    void cut() noexcept { cut_ = true; }
    void end();

    /// Carries one piece in each direction; tells whether there was anything to do.
    bool carry(time now);
    [[nodiscard]] bool is_over() const noexcept { return directions_[0].over && directions_[1].over; }

private:
    /// What has been sent and has not arrived.
    struct piece {
        time due;
        std::string bytes;
    };
    struct direction {
        std::size_t from;
        std::size_t to;
        std::deque<piece> pieces = {};
        std::size_t size = 0;  ///< Of all pieces.
        bool ended = false;    ///< Nothing more will be sent,
        bool over = false;     ///< and the other end knows.
    };

    bool take(direction& d, time now);
    bool give(direction& d, time now);
    void end(direction& d);

    descriptor ends_[2];
    direction directions_[2];
    bool cut_ = false;
};

}  // namespace wsio::testing::detail
