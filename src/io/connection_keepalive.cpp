#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "io/connection.hpp"
#include "io/delivery.hpp"

// Whether the peer is still there, and takes what is sent.

namespace wsio::detail {

// Asks a silent peer for a sign of life, and ends the connection when there is none, or when nobody has used it for long. Looks
// again at the earliest moment when there may be something to do; what happens meanwhile only leaves a note of the time.
void connection::look_after() {
    auto const& after = side_->settings().timeouts;
    auto const now = loop_.beat();
    std::uint32_t wait = 0;  // 0 for ever
    auto const over = [&](std::uint32_t since, std::chrono::milliseconds time) {
        if (time.count() == 0) return false;
        auto const all = loop::beats_in(time);
        auto const passed = now - since;
        if (passed >= all) return true;
        wait = wait == 0 ? all - passed : std::min(wait, all - passed);
        return false;
    };

    if (over(active_at_, after.idle)) {
        end(close_code::going_away, "idle", ended_by::library, "no message came or went for timeouts.idle");
        return;
    }
    if (after.ping.count() != 0 && strategy_->has_binary()) {
        if (!can_read() && !blocked_ && !write_first_) heard_at_ = now;  // it may be saying a lot
        // Counts go round, so they are compared by their difference.
        bool asked = static_cast<std::int32_t>(pinged_at_ - heard_at_) > 0;
        if (asked && over(pinged_at_, after.pong)) {
            bool const stuck = takes_nothing();
            if (stuck || !was_behind_) {
                if (stuck) leave_nothing_behind();
                network_failed("the peer did not answer a ping within timeouts.pong");
                return;
            }
            heard_at_ = now;  // it takes what came before the ping, slowly
            asked = false;
        }
        if ((!asked || after.pong.count() == 0) && over(asked ? pinged_at_ : heard_at_, after.ping)) {
            note_delivery();
            append_frame(protocol::opcode::ping, {});
            pinged_at_ = now;
            over(now, after.pong.count() == 0 ? after.ping : after.pong);
        }
    }
    if (wait != 0) loop_.set_deadline(*this, wait * deadlines::tick);
}

delivery connection::delivered() const noexcept {
    return delivery_of(fd(), static_cast<std::uint32_t>(buffered_amount()));
}

void connection::note_delivery() noexcept {
    auto const now = delivered();
    was_behind_ = now.waiting != 0;
    taken_ = now.taken;
}

bool connection::takes_nothing() const noexcept {
    auto const now = delivered();
    return now.waiting != 0 && !now.goes_on_since(taken_);
}

// In two halves: a peer that has taken nothing in the second is not taking anything. Before, the system may have taken for it
// what there was room for.
void connection::limit_ending(const char* cause) {
    second_half_ = false;
    set_deadline(close_timeout() / 2, cause);
}

// The system would keep what waits in the socket, and the socket, for minutes: for a peer that has taken nothing for so long.
void connection::leave_nothing_behind() const noexcept {
    linger const at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(fd(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

}  // namespace wsio::detail
