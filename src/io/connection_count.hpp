#pragma once

#include <wsio/endpoint.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

namespace wsio::detail {

/// Counts connections against two limits: how many there are, and how many each client address has. The loops of `serve`
/// share one.
/// Thread safety: safe on every thread.
class connection_count : public std::enable_shared_from_this<connection_count> {
    /// What counts as one address: an IPv4 address, or the /64 network of an IPv6 address, which one subscriber has whole.
    using key = std::array<std::uint8_t, 8>;
    using addresses = std::map<key, std::size_t>;

public:
    connection_count(std::size_t limit, std::size_t limit_per_address) noexcept
        : limit_(limit), limit_per_address_(limit_per_address) {}

    /// One connection's place in the count, given back when it goes away or is assigned to.
    class place {
    public:
        place() noexcept = default;
        place(place&& other) noexcept
            : count_(std::move(other.count_)), address_(std::exchange(other.address_, nullptr)) {}
        place& operator=(place&& other) noexcept {
            place taken(std::move(other));
            std::swap(count_, taken.count_);
            std::swap(address_, taken.address_);
            return *this;
        }
        ~place() {
            if (count_) count_->leave(address_);
        }

        [[nodiscard]] explicit operator bool() const noexcept { return count_ != nullptr; }

        /// Counts the connection for `client`, and no longer for whom it was counted before; false, and nothing changes,
        /// when that address has as many as it may. Unix sockets have no address: nothing is counted.
        [[nodiscard]] bool count_for(const endpoint& client);

    private:
        friend class connection_count;
        std::shared_ptr<connection_count> count_;
        addresses::value_type* address_ = nullptr;
    };

    /// Gives a place, or an empty one when all are taken.
    [[nodiscard]] place enter();

private:
    [[nodiscard]] static key key_of(const boost::asio::ip::address& address) noexcept;
    void leave(addresses::value_type* address) noexcept;
    void forget(addresses::value_type* address) noexcept;

    std::size_t const limit_;
    std::size_t const limit_per_address_;
    std::mutex mutex_;
    std::size_t total_ = 0;
    addresses addresses_;
};

}  // namespace wsio::detail
