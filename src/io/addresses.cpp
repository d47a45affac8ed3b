#include "io/addresses.hpp"

#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <iterator>
#include <string_view>

namespace wsio::detail {

namespace ip = boost::asio::ip;

namespace {

// The name of a Unix socket (unix(7)): none, a path that ends with a NUL, or an abstract name behind one, which is
// written with an @ as everybody does.
std::string unix_name_of(const sockaddr_storage& address, socklen_t size) {
    sockaddr_un local;
    std::memcpy(&local, &address, sizeof local);
    auto const length =
        std::min(sizeof local.sun_path, size - std::min<std::size_t>(size, offsetof(sockaddr_un, sun_path)));
    std::string_view name(local.sun_path, length);
    if (name.empty()) return "unix:";
    if (name.front() == '\0') return "unix:@" + std::string(name.substr(1));
    return "unix:" + std::string(name.substr(0, name.find('\0')));
}

}  // namespace

endpoint endpoint_of(const sockaddr_storage& address, socklen_t size) {
    if (address.ss_family == AF_UNIX) return {{}, 0, unix_name_of(address, size)};
    if (address.ss_family == AF_INET) {
        sockaddr_in v4;
        std::memcpy(&v4, &address, sizeof v4);
        return {ip::address_v4(ntohl(v4.sin_addr.s_addr)), ntohs(v4.sin_port)};
    }
    if (address.ss_family != AF_INET6) return {};
    sockaddr_in6 v6;
    std::memcpy(&v6, &address, sizeof v6);
    ip::address_v6::bytes_type bytes;
    std::copy(std::begin(v6.sin6_addr.s6_addr), std::end(v6.sin6_addr.s6_addr), bytes.begin());
    ip::address_v6 const full(bytes, v6.sin6_scope_id);
    if (full.is_v4_mapped()) return {ip::make_address_v4(ip::v4_mapped, full), ntohs(v6.sin6_port)};
    return {full, ntohs(v6.sin6_port)};
}

endpoint local_endpoint_of(int fd) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return {};
    return endpoint_of(address, size);
}

endpoint remote_endpoint_of(int fd) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    if (::getpeername(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return {};
    return endpoint_of(address, size);
}

}  // namespace wsio::detail
