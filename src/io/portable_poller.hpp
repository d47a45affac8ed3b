#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace wsio::detail {

class polled;

struct event_source {};

/// An epoll instance of its own, which Asio watches as if it were one socket. Works with every version of Boost.Asio, and
/// costs two more system calls in each round of the loop.
class poller {
public:
    explicit poller(boost::asio::io_context& context);
    poller(const poller&) = delete;
    poller& operator=(const poller&) = delete;

    void add(polled& owner, int fd);
    void await_writable(polled& owner) noexcept;
    void close(polled& owner) noexcept;
    void shut_down() noexcept;

private:
    struct news {
        polled* who;  ///< Null when it was closed meanwhile.
        std::uint32_t events;
    };

    void wait();
    void round();
    void collect();
    void tell();
    void round_later();

    boost::asio::io_context& context_;
    boost::asio::posix::stream_descriptor epoll_;
    std::size_t sockets_ = 0;
    std::vector<news> news_;
    std::size_t told_ = 0;  ///< How many of `news_` are old.
    bool waiting_ = false;
    bool round_posted_ = false;
};

}  // namespace wsio::detail
