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
    /// The connections of one address; they keep the count itself alive.
    struct entry {
        std::size_t connections = 0;
        std::shared_ptr<connection_count> count;
    };
    using addresses = std::map<key, entry>;

public:
    connection_count(std::size_t limit, std::size_t limit_per_address) noexcept
        : limit_(limit), limit_per_address_(limit_per_address) {}

    /// One connection's place in the count, given back when it goes away or is assigned to.
    class place {
    public:
        place() noexcept = default;
        place(place&& other) noexcept : at_(std::exchange(other.at_, nullptr)) {}
        place& operator=(place&& other) noexcept {
            place taken(std::move(other));
            std::swap(at_, taken.at_);
            return *this;
        }
        ~place() {
            if (at_ != nullptr) leave(*at_);
        }

        [[nodiscard]] explicit operator bool() const noexcept { return at_ != nullptr; }

        /// Counts the connection for `client`, and no longer for whom it was counted before; false, and nothing changes,
        /// when that address has as many as it may. Unix sockets have no address: nothing is counted.
        [[nodiscard]] bool count_for(const endpoint& client);

    private:
        friend class connection_count;
        addresses::value_type* at_ = nullptr;
    };

    /// Gives a place, or an empty one when all are taken.
    [[nodiscard]] place enter();

private:
    [[nodiscard]] static key key_of(const boost::asio::ip::address& address) noexcept;
    static void leave(addresses::value_type& at) noexcept;
    void forget(addresses::value_type& at) noexcept;

    std::size_t const limit_;
    std::size_t const limit_per_address_;
    std::mutex mutex_;
    std::size_t total_ = 0;
    addresses addresses_;
    addresses::value_type nobody_{key{}, entry{}};  ///< Those whose address is not known, or is none.
};

}  // namespace wsio::detail
