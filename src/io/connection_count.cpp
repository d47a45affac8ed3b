#include "io/connection_count.hpp"

#include <algorithm>

namespace wsio::detail {

namespace ip = boost::asio::ip;

connection_count::key connection_count::key_of(const ip::address& address) noexcept {
    key result{};
    if (address.is_v4()) {
        auto const bytes = address.to_v4().to_bytes();
        result = {0xFF, 0xFF, 0xFF, 0xFF};  // no unicast network begins so
        std::copy(bytes.begin(), bytes.end(), result.begin() + 4);
    } else {
        auto const bytes = address.to_v6().to_bytes();
        std::copy_n(bytes.begin(), result.size(), result.begin());
    }
    return result;
}

connection_count::place connection_count::enter() {
    place given;
    std::lock_guard const lock(mutex_);
    if (total_ == limit_) return given;
    ++total_;
    given.count_ = shared_from_this();
    return given;
}

bool connection_count::place::count_for(const endpoint& client) {
    if (!count_) return true;  // the connection has ended
    auto& count = *count_;
    std::lock_guard const lock(count.mutex_);
    addresses::value_type* now = nullptr;
    if (!client.is_unix()) {
        auto const at = count.addresses_.try_emplace(key_of(client.address), 0).first;
        now = &*at;
        if (now == address_) return true;
        if (now->second == count.limit_per_address_) return false;
        ++now->second;
    }
    count.forget(address_);
    address_ = now;
    return true;
}

void connection_count::leave(addresses::value_type* address) noexcept {
    std::lock_guard const lock(mutex_);
    --total_;
    forget(address);
}

void connection_count::forget(addresses::value_type* address) noexcept {
    if (address != nullptr && --address->second == 0) addresses_.erase(addresses_.find(address->first));
}

}  // namespace wsio::detail
