#include "io/carrier.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace wsio::testing::detail {

namespace {

// As much is on its way in each direction before the sender has to wait, as if it lay in the buffers of a network.
constexpr std::size_t most_on_the_way = std::size_t{256} << 10;

bool would_block(ssize_t result) noexcept { return result < 0 && (errno == EAGAIN || errno == EWOULDBLOCK); }

}  // namespace

std::pair<descriptor, descriptor> connected_sockets() {
    int made[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, made) != 0)
        throw std::system_error(errno, std::generic_category(), "wsio: no sockets for a connection in memory");
    return {descriptor(made[0]), descriptor(made[1])};
}

void carrier::end() {
    if (cut_) return;
    for (auto& each : directions_) {
        each.pieces.clear();
        end(each);
    }
}

bool carrier::carry(time now) {
    if (cut_) return false;
    bool moved = false;
    for (auto& each : directions_) {
        if (each.over) continue;
        bool const taken = take(each, now);
        bool const given = give(each, now);
        moved = moved || taken || given;
    }
    return moved;
}

bool carrier::take(direction& d, time now) {
    if (d.ended || d.size >= most_on_the_way) return false;
    std::string bytes(piece_size, '\0');
    auto const count = ::recv(ends_[d.from].get(), bytes.data(), bytes.size(), 0);
    if (would_block(count)) return false;
    if (count <= 0) {
        d.ended = true;
        return true;
    }
    bytes.resize(static_cast<std::size_t>(count));
    d.size += bytes.size();
    d.pieces.push_back({now + latency, std::move(bytes)});
    return true;
}

bool carrier::give(direction& d, time now) {
    if (d.pieces.empty()) {
        if (d.ended) end(d);
        return d.over;
    }
    auto& first = d.pieces.front();
    if (first.due > now) return false;
    auto const count =
        ::send(ends_[d.to].get(), first.bytes.data(), std::min(first.bytes.size(), piece_size), MSG_NOSIGNAL);
    if (would_block(count)) return false;
    if (count < 0) {  // nobody is there to take it, and who sends it has to learn of that
        d.pieces.clear();
        end(d);
        ::shutdown(ends_[d.from].get(), SHUT_RD);
        return true;
    }
    d.size -= static_cast<std::size_t>(count);
    first.bytes.erase(0, static_cast<std::size_t>(count));
    if (first.bytes.empty()) d.pieces.pop_front();
    return true;
}

void carrier::end(direction& d) {
    d.ended = d.over = true;
    ::shutdown(ends_[d.to].get(), SHUT_WR);
}

}  // namespace wsio::testing::detail
