#include "io/delivery.hpp"

// The C library's own description of tcp_info (netinet/tcp.h, which Asio includes) ends before the counts of bytes.
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cstddef>

namespace wsio::detail {

delivery delivery_of(int fd, std::uint32_t unwritten) noexcept {
    int unconfirmed = 0;
    if (::ioctl(fd, SIOCOUTQ, &unconfirmed) != 0) unconfirmed = 0;
    delivery found{.waiting = unwritten + static_cast<std::uint32_t>(unconfirmed)};

    tcp_info info{};
    socklen_t size = sizeof info;
    constexpr auto needed = offsetof(tcp_info, tcpi_bytes_acked) + sizeof info.tcpi_bytes_acked;
    if (::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 && size >= needed)
        found.taken = static_cast<std::uint32_t>(info.tcpi_bytes_acked);
    else
        found.taken = 0 - found.waiting;  // Unix sockets count nothing: what is left has to do, unless more is sent
    return found;
}

}  // namespace wsio::detail
