#pragma once

#include "clock.hpp"
#include "connection.hpp"
#include "workbench.hpp"

#include <sys/epoll.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>

namespace wsio::bench {

/// What the threads of a run tell each other.
struct run_control {
    std::atomic<std::size_t> ready = 0;  ///< Threads that wait for the start.
    std::atomic<nanoseconds> start = 0;  ///< When to begin; 0 until all are ready.
    std::atomic<bool> stop = false;      ///< Something failed, or Ctrl-C.
};

/// One thread of the generator: an epoll loop with its share of the connections.
/// Thread safety: `run` belongs to one thread, the results may be read when it has ended, `progress` at any time.
class worker {
public:
    /// What other threads may watch.
    struct progress_counters {
        std::atomic<std::size_t> open = 0;         ///< Connections whose handshake is done, in all.
        std::atomic<std::uint64_t> completed = 0;  ///< Since the measurement began.
    };

    worker(run_control& control, const settings& wanted, const address& server, std::size_t first, std::size_t count);
    ~worker();
    worker(const worker&) = delete;
    worker& operator=(const worker&) = delete;

    /// Opens the connections, waits for the start, measures and closes. Throws `failure`.
    void run();

    [[nodiscard]] const progress_counters& progress() const noexcept { return progress_; }

    [[nodiscard]] const histogram& latencies() const noexcept { return latencies_; }
    [[nodiscard]] std::uint64_t completed() const noexcept { return completed_; }
    [[nodiscard]] std::uint64_t total() const noexcept { return total_; }
    [[nodiscard]] std::uint64_t received() const noexcept { return received_; }
    [[nodiscard]] double measured_seconds() const noexcept { return measured_seconds_; }
    [[nodiscard]] double cpu_seconds() const noexcept { return cpu_seconds_; }
    [[nodiscard]] std::size_t open_at_end() const noexcept { return open_at_end_; }
    [[nodiscard]] std::size_t lost() const noexcept { return lost_; }
    [[nodiscard]] const std::string& why_lost() const noexcept { return why_lost_; }
    [[nodiscard]] std::uint64_t unanswered() const noexcept { return unanswered_; }
    [[nodiscard]] nanoseconds longest_wait() const noexcept { return longest_wait_; }

private:
    void open_all();
    void wait_for_start();
    void load_until(nanoseconds end);
    void measure_until(nanoseconds end);
    void note_unanswered();
    void finish();

    void rest(nanoseconds longest);
    void turn(nanoseconds time, nanoseconds until);
    void handle(connection& connection, std::uint32_t events);
    void take_stage(connection& connection, connection::stage before);
    void open(connection& connection);
    void send_schedule(nanoseconds time);
    void check_silence();
    void close_all();
    [[nodiscard]] std::uint32_t next_source() noexcept;
    [[nodiscard]] bool stopped() const noexcept { return control_->stop.load(std::memory_order_relaxed); }

    run_control* control_;
    workbench bench_;
    std::deque<connection> connections_;
    std::array<epoll_event, 512> events_;
    progress_counters progress_;

    std::size_t unsettled_ = 0;  ///< Connections between `connect` and the end of the handshake.
    std::size_t open_ = 0;
    bool reconnecting_ = false;      ///< In the mode connect a connection that closed is opened again.
    std::uint64_t begun_ = 0;        ///< Calls of `open`.
    std::uint64_t scheduled_ = 0;    ///< Messages of the schedule that were given to connections.
    nanoseconds last_progress_ = 0;  ///< When a handshake or a message ended last.
    std::uint64_t last_completed_ = 0;

    histogram latencies_;
    std::uint64_t completed_ = 0;  ///< While measuring.
    std::uint64_t total_ = 0;      ///< From beginning to end.
    std::uint64_t received_ = 0;   ///< Bytes in the measurement.
    double measured_seconds_ = 0;
    double cpu_seconds_ = 0;
    std::size_t open_at_end_ = 0;
    std::size_t lost_ = 0;
    std::string why_lost_;
    std::uint64_t unanswered_ = 0;
    nanoseconds longest_wait_ = 0;
};

}  // namespace wsio::bench
