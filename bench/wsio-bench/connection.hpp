#pragma once

#include "client_handshake.hpp"
#include "echo_check.hpp"
#include "failure.hpp"
#include "workbench.hpp"

#include <wsio/byte_buffer.hpp>

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace wsio::bench {

/// One connection to the server. Throws `failure` when the server does not do what it should.
///
/// All frames of a connection have the same size, so what is left to send is three numbers and no buffer: the messages
/// that were begun, those that left, and how far the next has left.
/// Thread safety: distinct objects that share no workbench safe, others unsafe.
class connection {
public:
    enum class stage : std::uint8_t { closed, connecting, handshaking, open, closing };

    connection(workbench& bench, std::size_t index) : bench_(&bench), index_(index) {}
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;
    ~connection() { drop(); }

    /// Begins to connect, from the local address `source` if that is not null (IPv4, host byte order).
    void connect(std::uint32_t source);

    /// Does what epoll's `events` ask for.
    void on_event(std::uint32_t events);

    /// Sends what is due at `time`, up to the messages that may be in flight.
    void send_due(nanoseconds time);

    /// Counts one more message of the schedule as due.
    void add_due() noexcept { ++due_; }

    /// Begins the closing handshake.
    void close();

    /// Ends the connection at once.
    void drop() noexcept;

    [[nodiscard]] stage where() const noexcept { return stage_; }
    [[nodiscard]] std::size_t in_flight() const noexcept { return static_cast<std::size_t>(begun_ - echoed_); }

    /// Counts the messages that wait for their echo since `time` at the latest: with --rate also those that were due by then
    /// and have not left, because too many are in flight.
    [[nodiscard]] std::uint64_t waiting_since(nanoseconds time) const noexcept;

    /// Gives since when the oldest of them waits.
    [[nodiscard]] nanoseconds oldest_waits_since() const noexcept { return waits_since(echoed_); }

    /// Tells that the server is too slow, in a `failure`.
    [[noreturn]] void fail_by_silence(std::string_view silence) const;

private:
    [[noreturn]] void fail(exit_code code, std::string_view what) const;
    [[nodiscard]] std::uint64_t id() const noexcept { return bench_->first_connection + index_; }
    [[nodiscard]] nanoseconds& begun_at(std::uint64_t sequence) const noexcept {
        return begun_at_[sequence & (begun_at_size_ - 1)];
    }
    [[nodiscard]] nanoseconds waits_since(std::uint64_t sequence) const noexcept {
        auto const& plan = bench_->plan;
        return plan.gap == 0 ? begun_at(sequence) : plan.due(index_, sequence);
    }

    void prepare();
    void finish_connect();
    void receive();
    void receive_handshake(std::span<char> input);
    void receive_frames(std::span<char> input);
    void take_echoes(std::uint64_t count, nanoseconds time);
    void take_event(const protocol::event& event, nanoseconds time);
    void take_message(const protocol::event& event, nanoseconds time);
    void take_end(std::string_view how);

    void flush();
    ssize_t send_control();
    ssize_t send_small();
    ssize_t send_large();
    void count_sent(std::size_t bytes) noexcept;
    void watch(std::uint32_t events);

    workbench* bench_;
    std::size_t index_;  ///< Among those of the workbench.
    int socket_ = -1;
    std::uint32_t watched_ = 0;
    stage stage_ = stage::closed;

    std::uint64_t begun_ = 0;
    std::uint64_t sent_ = 0;
    std::uint64_t echoed_ = 0;
    std::uint64_t due_ = 0;                    ///< With --rate: messages that may have been begun by now.
    std::size_t frame_position_ = 0;           ///< Bytes of the frame `sent_` that have left.
    std::unique_ptr<nanoseconds[]> begun_at_;  ///< A ring: when each message in flight was begun, or was due.
    std::size_t begun_at_size_ = 0;            ///< A power of two.

    echo_check check_;
    byte_buffer control_;  ///< The request of the handshake, or control frames, to be sent between messages.
    std::unique_ptr<client_handshake> handshake_;
    nanoseconds connecting_since_ = 0;
};

}  // namespace wsio::bench
