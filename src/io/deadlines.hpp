#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace wsio::detail {

/// Bounds a time, which may be as long as its type lets it be, so that it can be added to others. A year is as good as for ever.
[[nodiscard]] constexpr std::chrono::milliseconds bounded(std::chrono::milliseconds time) noexcept {
    return std::min<std::chrono::milliseconds>(time, std::chrono::hours(24 * 365));
}

/// Something that wants to be told when a time has come. Setting, moving and clearing a deadline are a few pointer
/// writes; no timer operation belongs to it.
class deadline {
public:
    deadline(const deadline&) = delete;
    deadline& operator=(const deadline&) = delete;

protected:
    deadline() noexcept = default;
    virtual ~deadline() { unlink(); }

private:
    friend class deadlines;
    virtual void deadline_passed() = 0;
    void unlink() noexcept;

    deadline* next_ = nullptr;
    deadline* previous_ = nullptr;
    std::uint32_t tick_ = 0;  ///< Counts go round after 6 years, so they are compared by their difference.
};

/// A hashed timing wheel: all deadlines of a loop on one coarse clock. A deadline passes at its time or up to two ticks
/// later, never before.
class deadlines {
public:
    static constexpr std::chrono::milliseconds tick{50};

    deadlines() noexcept;
    deadlines(const deadlines&) = delete;
    deadlines& operator=(const deadlines&) = delete;

    /// Sets or moves a deadline to `from_now` after now.
    void set(deadline& d, std::chrono::milliseconds from_now) noexcept;

    /// Clears a deadline; does nothing when it is not set.
    void clear(deadline& d) noexcept;

    /// Gives how long ago a deadline passed that is being told.
    [[nodiscard]] std::chrono::milliseconds late_by(const deadline& d) const noexcept {
        return (now() - d.tick_) * tick;
    }

    [[nodiscard]] bool empty() const noexcept { return count_ == 0; }

    /// Stops the clock: from here on it goes on by `pass_tick` alone.
    void stop_clock() noexcept { stopped_at_ = now(); }
    void pass_tick() noexcept { ++*stopped_at_; }

    /// Tells those whose time has come. When one of them throws, the rest are told at the next call.
    void advance();

private:
    struct head : deadline {
        head() noexcept;
        void link(deadline& d) noexcept;
        void deadline_passed() override {}
    };

    // Those of one slot that are to be told. When telling one fails, the others go back: the next tick tells them.
    struct due : head {
        explicit due(head& from) noexcept : slot(from) {}
        ~due() override;
        head& slot;
    };

    [[nodiscard]] std::uint32_t now() const noexcept;

    static constexpr std::size_t slots = 256;
    std::array<head, slots> wheel_;
    std::optional<std::uint32_t> stopped_at_;
    std::uint32_t done_;  ///< The last tick that was looked at.
    std::size_t count_ = 0;
};

}  // namespace wsio::detail
