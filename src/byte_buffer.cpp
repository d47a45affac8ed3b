#include <wsio/byte_buffer.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

namespace wsio::detail {
namespace {

// Smaller blocks are quickly had from malloc. Larger ones it often takes from the system and gives back at once, which
// costs a page fault for every 4 KiB: more than receiving into them.
constexpr std::size_t least_kept = std::size_t{64} << 10;
constexpr std::size_t most_kept = std::size_t{8} << 20;

/// The large blocks that a thread keeps for the next message.
class kept_blocks {
public:
    /// Gives a block that fits, the least; null when there is none.
    block* take(std::size_t capacity) noexcept {
        block** best = nullptr;
        for (block*& each : blocks_)
            if (each != nullptr && each->capacity >= capacity && each->capacity / 2 <= capacity &&
                (best == nullptr || each->capacity < (*best)->capacity))
                best = &each;
        if (best == nullptr) return nullptr;
        total_ -= (*best)->capacity;
        return std::exchange(*best, nullptr);
    }

    /// Keeps a block; false when there is no place for it.
    bool put(block* b) noexcept {
        auto const place = std::find(blocks_.begin(), blocks_.end(), nullptr);
        if (closed_ || place == blocks_.end() || b->capacity > most_kept - total_) return false;
        total_ += b->capacity;
        *place = b;
        return true;
    }

    /// Frees all, and keeps none from now on.
    void close() noexcept {
        for (block*& each : blocks_) std::free(std::exchange(each, nullptr));
        closed_ = true;
    }

private:
    std::array<block*, 16> blocks_{};
    std::size_t total_ = 0;
    bool closed_ = false;
};

// Has no destructor of its own, as objects that die later than it may still give blocks back.
constinit thread_local kept_blocks kept;

struct thread_end {
    ~thread_end() { kept.close(); }
};

bool keep(block* b) noexcept {
    static thread_local thread_end const end;
    static_cast<void>(&end);
    return kept.put(b);
}

}  // namespace

block* block::resized(block* old, std::size_t capacity) {
    if (capacity >= least_kept) {
        if (block* const found = kept.take(capacity)) {
            found->size = 0;
            if (old != nullptr) {
                std::memcpy(found->bytes(), old->bytes(), old->size);
                found->size = old->size;
                free(old);
            }
            return found;
        }
    }
    auto const size = old == nullptr ? 0 : old->size;
    if (capacity > SIZE_MAX - sizeof(block)) throw std::bad_alloc();
    void* const memory = std::realloc(old, sizeof(block) + capacity);
    if (memory == nullptr) throw std::bad_alloc();
    return new (memory) block{size, capacity};
}

void block::free(block* b) noexcept {
    if (b->capacity < least_kept || !keep(b)) std::free(b);
}

}  // namespace wsio::detail
