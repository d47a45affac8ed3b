#pragma once

#include <wsio/endpoint.hpp>

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace wsio::detail {

/// What to listen on, as `options` says it.
struct listening_address {
    std::string host;
    std::uint16_t port = 0;
    unsigned unix_permissions = 0600;
};

/// Owns a descriptor that listens, non-blocking, and the file of its Unix socket, if that is ours to remove.
class listening_socket {
public:
    /// Takes ownership of `fd`.
    explicit listening_socket(int fd) noexcept : fd_(fd) {}
    listening_socket(listening_socket&& other) noexcept
        : fd_(std::exchange(other.fd_, -1)), file_(std::exchange(other.file_, {})) {}
    listening_socket& operator=(listening_socket&&) = delete;
    ~listening_socket() { close(); }

    [[nodiscard]] int fd() const noexcept { return fd_; }
    [[nodiscard]] endpoint local_endpoint() const;

    /// From now on the file goes when the socket is closed.
    void own_file(std::string path);

    /// Gives another descriptor of the same socket. Throws when there is none to be had.
    [[nodiscard]] listening_socket duplicate() const;

    void close() noexcept;

private:
    struct file {
        std::string path = {};
        dev_t device = 0;
        ino_t inode = 0;
    };

    int fd_;
    file file_;
};

using listening_sockets = std::vector<listening_socket>;

/// Opens what `where` names, once for each of `loops` loops: IP addresses with SO_REUSEPORT when there are several, so that
/// the kernel shares the connections out; of anything else all loops have a duplicate.
///
/// Throws `std::invalid_argument` when the host is no form that is known, and `boost::system::system_error` that names
/// address and cause when it cannot be listened on, also because somebody else does.
[[nodiscard]] std::vector<listening_sockets> open_listening_sockets(const listening_address& where, std::size_t loops);

}  // namespace wsio::detail
