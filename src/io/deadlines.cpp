#include "io/deadlines.hpp"

namespace wsio::detail {

void deadline::unlink() noexcept {
    if (next_ == nullptr) return;
    next_->previous_ = previous_;
    previous_->next_ = next_;
    next_ = previous_ = nullptr;
}

deadlines::head::head() noexcept { next_ = previous_ = this; }

void deadlines::head::link(deadline& d) noexcept {
    d.next_ = this;
    d.previous_ = previous_;
    previous_->next_ = &d;
    previous_ = &d;
}

deadlines::due::~due() {
    while (next_ != this) {
        deadline& d = *next_;
        d.unlink();
        slot.link(d);
    }
}

deadlines::deadlines() noexcept : done_(now()) {}

std::uint32_t deadlines::now() const noexcept {
    if (stopped_at_) return *stopped_at_;
    auto const since_start = std::chrono::steady_clock::now().time_since_epoch();
    return static_cast<std::uint32_t>(since_start / tick);
}

void deadlines::set(deadline& d, std::chrono::milliseconds from_now) noexcept {
    clear(d);
    if (empty()) done_ = now();  // nobody advanced the wheel while it was empty
    auto const ticks = static_cast<std::uint32_t>((bounded(from_now) + tick - std::chrono::milliseconds(1)) / tick);
    d.tick_ = now() + ticks + 1;  // the current tick has partly passed
    wheel_[d.tick_ % slots].link(d);
    ++count_;
}

void deadlines::clear(deadline& d) noexcept {
    if (d.next_ == nullptr) return;
    d.unlink();
    --count_;
}

void deadlines::advance() {
    auto const current = now();
    auto const from = current - done_ > slots ? current - slots : done_;
    for (auto at = from + 1; at != current + 1; ++at) {
        // Those that are told may set and clear others, so the due ones are collected first.
        auto& slot = wheel_[at % slots];
        due found(slot);
        for (deadline* d = slot.next_; d != &slot;) {
            auto* const next = d->next_;
            if (static_cast<std::int32_t>(d->tick_ - current) <= 0) {
                d->unlink();
                found.link(*d);
            }
            d = next;
        }
        while (found.next_ != &found) {
            deadline& d = *found.next_;
            clear(d);
            d.deadline_passed();
        }
    }
    done_ = current;
}

}  // namespace wsio::detail
