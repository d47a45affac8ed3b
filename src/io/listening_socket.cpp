#include "io/listening_socket.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/system/system_error.hpp>

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <string_view>

#include "io/addresses.hpp"

namespace wsio::detail {

namespace ip = boost::asio::ip;

namespace {

constexpr int first_inherited = 3;  // sd_listen_fds(3)

[[noreturn]] void fail(int error, const std::string& what) {
    throw boost::system::system_error(error, boost::system::system_category(), "wsio: " + what);
}

[[noreturn]] void fail_to_listen(int error, const std::string& where) { fail(error, "cannot listen on " + where); }

void set_flag(int fd, int option, int level, bool value) {
    int const number = value ? 1 : 0;
    ::setsockopt(fd, level, option, &number, sizeof number);
}

// IP.

struct ip_address {
    ip::address address;
    std::uint16_t port = 0;
    bool every = false;  ///< Every address of the machine; an IPv6 socket then takes IPv4 as well.
};

// Gives 0, or why not.
int listen_on(int fd, const ip_address& where, bool shared) {
    set_flag(fd, SO_REUSEADDR, SOL_SOCKET, true);
    if (shared) set_flag(fd, SO_REUSEPORT, SOL_SOCKET, true);
    int bound;
    if (where.address.is_v6()) {
        set_flag(fd, IPV6_V6ONLY, IPPROTO_IPV6, !where.every);
        auto const v6 = where.address.to_v6();
        auto const bytes = v6.to_bytes();
        sockaddr_in6 at{};
        at.sin6_family = AF_INET6;
        at.sin6_port = htons(where.port);
        std::memcpy(&at.sin6_addr, bytes.data(), bytes.size());
        at.sin6_scope_id = static_cast<std::uint32_t>(v6.scope_id());
        bound = ::bind(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at);
    } else {
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_port = htons(where.port);
        at.sin_addr.s_addr = htonl(where.address.to_v4().to_uint());
        bound = ::bind(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at);
    }
    return bound == 0 && ::listen(fd, SOMAXCONN) == 0 ? 0 : errno;
}

listening_socket open_ip(const ip_address& where, bool shared) {
    int const fd = ::socket(where.address.is_v6() ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int error = fd < 0 ? errno : 0;
    listening_socket opened(fd);
    if (error == 0) error = listen_on(fd, where, shared);
    if (error == 0) return opened;
    bool const no_ipv6 = error == EAFNOSUPPORT || error == EADDRNOTAVAIL;
    if (where.every && where.address.is_v6() && no_ipv6)
        return open_ip({ip::address_v4::any(), where.port, true}, shared);
    auto const host = where.every ? "every address" : where.address.to_string();
    fail_to_listen(error, "port " + std::to_string(where.port) + " of " + host);
}

std::vector<listening_sockets> open_ip_for(ip_address where, std::size_t loops) {
    std::vector<listening_sockets> all(loops);
    // SO_REUSEPORT alone would let two programs share the port without a word.
    bool const shared = loops > 1;
    if (shared) static_cast<void>(open_ip(where, false));
    for (auto& each : all) {
        each.push_back(open_ip(where, shared));
        where.port = each.front().local_endpoint().port;
    }
    return all;
}

// Unix sockets.

sockaddr_un unix_address(const std::string& name, socklen_t& size) {
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    if (name.empty() || name == "@")
        throw std::invalid_argument("wsio: \"unix:\" needs a path, as in \"unix:/run/echo.sock\"");
    if (name.find('\0') != std::string::npos)
        throw std::invalid_argument("wsio: the path of a Unix socket cannot have a NUL in it");
    if (name.size() >= sizeof at.sun_path)
        throw std::invalid_argument("wsio: \"unix:" + name + "\" cannot be the path of a socket: it has more than " +
                                    std::to_string(sizeof at.sun_path - 1) + " bytes");
    std::memcpy(at.sun_path, name.data(), name.size());
    bool const abstract = name.front() == '@';
    if (abstract) at.sun_path[0] = '\0';
    size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size() + (abstract ? 0 : 1));
    return at;
}

// Removes the file of a socket that nobody listens on any more; gives 0, or why not.
int remove_stale(const std::string& path, const sockaddr_un& at, socklen_t size) {
    struct stat found {};
    if (::lstat(path.c_str(), &found) != 0) return errno == ENOENT ? 0 : errno;
    if (!S_ISSOCK(found.st_mode)) return EEXIST;
    int const probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (probe < 0) return errno;
    // A server whose queue is full answers EAGAIN: it lives. One that we may not ask may live as well.
    int const error = ::connect(probe, reinterpret_cast<const sockaddr*>(&at), size) == 0 ? 0 : errno;
    ::close(probe);
    if (error != ECONNREFUSED) return error == EACCES ? EACCES : EADDRINUSE;
    return ::unlink(path.c_str()) == 0 || errno == ENOENT ? 0 : errno;
}

listening_socket open_unix(const std::string& name, unsigned permissions) {
    auto const where = "unix:" + name;
    socklen_t size = 0;
    auto const at = unix_address(name, size);
    auto const* const address = reinterpret_cast<const sockaddr*>(&at);
    int const fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) fail_to_listen(errno, where);
    listening_socket opened(fd);
    bool const has_file = name.front() != '@';
    if (::bind(fd, address, size) != 0) {
        if (errno != EADDRINUSE || !has_file) fail_to_listen(errno, where);
        if (int const error = remove_stale(name, at, size); error != 0) fail_to_listen(error, where);
        if (::bind(fd, address, size) != 0) fail_to_listen(errno, where);
    }
    if (has_file) {
        opened.own_file(name);
        // Nobody can connect before `listen`, so nobody slips in under the permissions that the file was made with.
        if (::chmod(name.c_str(), static_cast<mode_t>(permissions)) != 0) fail_to_listen(errno, where);
    }
    if (::listen(fd, SOMAXCONN) != 0) fail_to_listen(errno, where);
    return opened;
}

// Inherited descriptors.

int option_of(int fd, int option) {
    int value = -1;
    socklen_t size = sizeof value;
    return ::getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

listening_socket inherit(int fd, const std::string& where) {
    int const family = option_of(fd, SO_DOMAIN);
    if ((family != AF_INET && family != AF_INET6 && family != AF_UNIX) || option_of(fd, SO_TYPE) != SOCK_STREAM ||
        option_of(fd, SO_ACCEPTCONN) != 1)
        throw std::invalid_argument("wsio: " + where + ": descriptor " + std::to_string(fd) +
                                    " is not a TCP or Unix socket that listens");
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
    int const mine = ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (mine < 0) fail_to_listen(errno, where);
    return listening_socket(mine);
}

std::optional<int> parse_number(std::string_view text) {
    int number = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || number < 0) return std::nullopt;
    return number;
}

// What systemd passes on: LISTEN_FDS descriptors from 3 on, meant for the process LISTEN_PID (sd_listen_fds(3)).
listening_sockets inherit_from_systemd() {
    auto const* const pid = std::getenv("LISTEN_PID");
    auto const* const count = std::getenv("LISTEN_FDS");
    if (pid == nullptr || count == nullptr || parse_number(pid) != ::getpid())
        throw std::invalid_argument(
            "wsio: \"systemd\": no sockets were passed on to this process (LISTEN_PID, LISTEN_FDS)");
    auto const number = parse_number(count);
    if (!number || *number < 1 || *number > 1024)
        throw std::invalid_argument("wsio: \"systemd\": LISTEN_FDS is \"" + std::string(count) +
                                    "\", not a number of sockets");
    listening_sockets all;
    for (int i = 0; i < *number; ++i) all.push_back(inherit(first_inherited + i, "\"systemd\""));
    return all;
}

std::vector<listening_sockets> for_each_loop(listening_sockets first, std::size_t loops) {
    std::vector<listening_sockets> all(loops);
    for (std::size_t i = 1; i < loops; ++i)
        for (auto const& each : first) all[i].push_back(each.duplicate());
    all.front() = std::move(first);
    return all;
}

listening_sockets just(listening_socket only) {
    listening_sockets all;
    all.push_back(std::move(only));
    return all;
}

}  // namespace

endpoint listening_socket::local_endpoint() const { return local_endpoint_of(fd_); }

void listening_socket::own_file(std::string path) {
    struct stat made {};
    if (::lstat(path.c_str(), &made) == 0) file_ = {std::move(path), made.st_dev, made.st_ino};
}

listening_socket listening_socket::duplicate() const {
    int const fd = ::fcntl(fd_, F_DUPFD_CLOEXEC, 0);
    if (fd < 0) fail_to_listen(errno, local_endpoint().to_string());
    return listening_socket(fd);
}

void listening_socket::close() noexcept {
    if (fd_ < 0) return;
    // A successor may have put its own socket there.
    struct stat found {};
    if (!file_.path.empty() && ::lstat(file_.path.c_str(), &found) == 0 && found.st_dev == file_.device &&
        found.st_ino == file_.inode)
        ::unlink(file_.path.c_str());
    ::close(std::exchange(fd_, -1));
}

std::vector<listening_sockets> open_listening_sockets(const listening_address& where, std::size_t loops) {
    std::string_view const host = where.host;
    if (host.empty()) return open_ip_for({ip::address_v6::any(), where.port, true}, loops);
    if (host.starts_with("unix:"))
        return for_each_loop(just(open_unix(where.host.substr(5), where.unix_permissions)), loops);
    if (host == "systemd") return for_each_loop(inherit_from_systemd(), loops);
    if (host.starts_with("fd:"))
        if (auto const fd = parse_number(host.substr(3)))
            return for_each_loop(just(inherit(*fd, '"' + where.host + '"')), loops);
    boost::system::error_code ec;
    auto const address = ip::make_address(where.host, ec);
    if (ec)
        throw std::invalid_argument(
            "wsio: \"" + where.host +
            "\" is nothing to listen on; name an IP address, \"unix:/path\", \"systemd\" or \"fd:3\"");
    return open_ip_for({address, where.port, false}, loops);
}

}  // namespace wsio::detail
