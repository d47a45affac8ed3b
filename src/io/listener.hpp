#pragma once

#include <wsio/endpoint.hpp>

#include <boost/asio/posix/stream_descriptor.hpp>

#include <functional>
#include <memory>

#include "io/deadlines.hpp"
#include "io/listening_socket.hpp"

namespace wsio::detail {

class loop;

/// Accepts the connections of one listening socket until it is closed.
class listener : public std::enable_shared_from_this<listener>, private deadline {
public:
    /// Gets each accepted socket, non-blocking and over TCP with TCP_NODELAY, and who is at its other end. Owns the
    /// descriptor.
    using accepted = std::function<void(int fd, endpoint remote)>;
    /// Learns of a connection that was dropped because there are no descriptors left.
    using dropped = std::function<void(endpoint remote)>;
    /// Learns that accepting pauses, and the error why: not even a connection that is to be dropped can be accepted. With 0, that it
    /// goes on.
    using paused = std::function<void(int error)>;

    listener(loop& l, listening_socket socket, accepted on_accepted, dropped on_dropped, paused on_paused);
    ~listener() override;

    void start();
    void close();
    [[nodiscard]] const endpoint& local_endpoint() const noexcept { return local_; }

private:
    void accept_all();
    [[nodiscard]] int accept_one(endpoint& remote) const;
    [[nodiscard]] bool drop_one();
    void open_reserve();
    void close_reserve();
    void pause(int error);
    void go_on();
    void deadline_passed() override;

    loop& loop_;
    listening_socket socket_;
    endpoint local_;
    boost::asio::posix::stream_descriptor watched_;  ///< The same descriptor; not the one that closes it.
    accepted on_accepted_;
    dropped on_dropped_;
    paused on_paused_;
    int reserve_ = -1;
    bool pauses_ = false;
};

}  // namespace wsio::detail
