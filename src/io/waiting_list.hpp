#pragma once

#include "io/waiter.hpp"

namespace wsio::detail {

/// The coroutines that wait for the same thing. Each lies in the frame of its own coroutine, so waiting allocates
/// nothing; a coroutine that is destroyed or cancelled leaves the list by itself.
class waiting_list {
public:
    class place : public waiter {
    public:
        explicit place(waiting_list& list) noexcept : list_(list), next_(list.first_) { list.first_ = this; }
        place(const place&) = delete;
        place& operator=(const place&) = delete;
        ~place() {
            for (place** at = &list_.first_; *at != nullptr; at = &(*at)->next_) {
                if (*at != this) continue;
                *at = next_;
                break;
            }
        }

    private:
        friend class waiting_list;
        waiting_list& list_;
        place* next_;
    };

    [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }

    /// Wakes all, each in a turn of its own.
    void wake_all_later() {
        for (place* at = first_; at != nullptr; at = at->next_) at->wake_later();
    }

    /// Wakes all before this returns. None of them may wait here again.
    void wake_all() {
        for (place* at = first_; at != nullptr;) {
            bool const waits = at->waiting();
            if (waits) at->wake();
            at = waits ? first_ : at->next_;  // others may have left the list
        }
    }

    /// Destroys all.
    void drop_all() {
        while (place* at = first_) {
            first_ = at->next_;
            at->drop();
        }
    }

private:
    place* first_ = nullptr;
};

}  // namespace wsio::detail
