#pragma once

#include <chrono>

#include "io/connection.hpp"
#include "io/deadlines.hpp"

namespace wsio::detail {

/// The end of one receive's patience. It lies in the frame of the coroutine that waits.
class patience final : public deadline {
public:
    patience(connection& c, std::chrono::milliseconds time) : connection_(c), over_(time.count() <= 0) {
        if (!over_) c.home().set_deadline(*this, time);
    }
    ~patience() override { connection_.home().clear_deadline(*this); }
    [[nodiscard]] bool over() const noexcept { return over_; }

private:
    void deadline_passed() override {
        over_ = true;
        connection_.message_waiter().wake_later();
    }

    connection& connection_;
    bool over_;
};

}  // namespace wsio::detail
