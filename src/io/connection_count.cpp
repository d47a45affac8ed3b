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
    if (nobody_.second.connections++ == 0) nobody_.second.count = shared_from_this();
    given.at_ = &nobody_;
    return given;
}

bool connection_count::place::count_for(const endpoint& client) {
    if (at_ == nullptr) return true;  // the connection has ended
    auto const count = at_->second.count;
    std::lock_guard const lock(count->mutex_);
    auto& now = client.is_unix() ? count->nobody_ : *count->addresses_.try_emplace(key_of(client.address)).first;
    if (&now == at_) return true;
    auto& [connections, keeper] = now.second;
    if (&now != &count->nobody_ && connections == count->limit_per_address_) return false;
    if (connections++ == 0) keeper = count;
    count->forget(*at_);
    at_ = &now;
    return true;
}

void connection_count::leave(addresses::value_type& at) noexcept {
    auto const count = at.second.count;  // it may be the last to know it
    std::lock_guard const lock(count->mutex_);
    --count->total_;
    count->forget(at);
}

void connection_count::forget(addresses::value_type& at) noexcept {
    if (--at.second.connections != 0) return;
    if (&at == &nobody_)
        at.second.count.reset();
    else
        addresses_.erase(addresses_.find(at.first));
}

}  // namespace wsio::detail
