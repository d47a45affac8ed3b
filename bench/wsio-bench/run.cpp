#include "run.hpp"

#include "failure.hpp"
#include "format.hpp"
#include "progress.hpp"
#include "resolve.hpp"
#include "server_process.hpp"
#include "worker.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace wsio::bench {
namespace {

std::atomic<bool> interrupted = false;

/// Lets Ctrl-C end the measurement instead of the program; a second one ends the program.
void on_interrupt(int) { interrupted = true; }

void catch_interrupt() {
    struct sigaction action {};
    action.sa_handler = on_interrupt;
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    ::sigaction(SIGINT, &action, nullptr);
    ::sigaction(SIGTERM, &action, nullptr);
}

/// The server's use and the work done, looked at in the same moment.
struct sample {
    nanoseconds time = 0;
    std::uint64_t completed = 0;
    process_usage server;
};

/// The threads of a run, and the thread that watches them.
class team {
public:
    explicit team(const settings& wanted) : wanted_(wanted), target_(resolve(wanted.target)) {
        allow_open_files(wanted.connections);
        std::size_t first = 0;
        for (unsigned i = 0; i < wanted.threads; ++i) {
            auto const count = (wanted.connections - first) / (wanted.threads - i);
            workers_.emplace_back(control_, wanted_, target_, first, count);
            first += count;
        }
    }

    result run() {
        auto const before = look();
        std::vector<std::jthread> threads;
        for (auto& worker : workers_) threads.emplace_back([this, &worker] { run(worker); });
        open();
        auto const start = now();
        control_.start = start;
        wait_until(start + wanted_.warmup, "warming up");
        auto const first = look();
        wait_until(start + wanted_.warmup + wanted_.duration, "");
        auto const last = look();
        threads.clear();
        progress_.clear();
        if (failed_) std::rethrow_exception(failed_);
        auto measured = sum();
        if (wanted_.server_pid != 0) measured.server = compare(before, first, last, measured);
        return measured;
    }

private:
    /// Runs in each thread.
    void run(worker& worker) noexcept {
        try {
            worker.run();
        } catch (...) {
            std::scoped_lock const lock(failed_mutex_);
            if (!failed_) failed_ = std::current_exception();
            control_.stop = true;
        }
    }

    /// Waits until all connections are open.
    void open() {
        while (control_.ready < workers_.size() && goes_on()) {
            progress_.show(fmt::format("opening connections: {} of {}", opened(), wanted_.connections));
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
    }

    void wait_until(nanoseconds end, std::string_view phase) {
        auto last = look();
        auto shown = last.time;
        while (now() < end && goes_on()) {
            auto const sleep = std::min<nanoseconds>(end - std::min(end, now()), second / 20);
            std::this_thread::sleep_for(std::chrono::nanoseconds(sleep));
            auto const time = now();
            if (time - shown < second / 2) continue;
            show_progress(last, phase);
            shown = time;
        }
    }

    void show_progress(sample& last, std::string_view phase) {
        auto const current = look();
        auto const seconds = static_cast<double>(current.time - last.time) / static_cast<double>(second);
        // The counters begin anew when the measurement does.
        auto const count = current.completed - std::min(current.completed, last.completed);
        auto const unit = wanted_.mode == measurement::connect ? "connections/s" : "messages/s";
        auto const rate = fmt::format("{} {}", with_commas(static_cast<double>(count) / seconds), unit);
        auto const since = static_cast<double>(current.time - control_.start) / static_cast<double>(second);
        auto const whole = static_cast<double>(wanted_.warmup + wanted_.duration) / static_cast<double>(second);
        progress_.show(fmt::format("{:.0f} of {:.0f} s   {} open   {}   {}", since, whole, opened(),
                                   wanted_.mode == measurement::idle ? "" : rate, phase));
        last = current;
    }

    /// Tells whether the run is still wanted.
    bool goes_on() {
        if (interrupted) control_.stop = true;
        return !control_.stop;
    }

    [[nodiscard]] std::size_t opened() const {
        std::size_t count = 0;
        for (auto const& worker : workers_) count += worker.progress().open;
        return count;
    }

    [[nodiscard]] sample look() {
        sample result{.time = now(), .completed = 0, .server = {}};
        for (auto const& worker : workers_) result.completed += worker.progress().completed;
        if (wanted_.server_pid != 0) result.server = look_at_server();
        return result;
    }

    /// A server that has ended meanwhile used what was seen last. What its end means the workers tell, who lose their connections.
    process_usage look_at_server() {
        if (auto const used = usage_of(wanted_.server_pid))
            server_ = used;
        else if (!server_)
            throw failure(exit_code::usage,
                          fmt::format("--server-pid: there is no process {} on this machine", wanted_.server_pid));
        return *server_;
    }

    /// Adds up what the threads measured.
    [[nodiscard]] result sum() const {
        result total;
        double cpu = 0;
        double thread_seconds = 0;
        for (auto const& worker : workers_) {
            total.seconds = std::max(total.seconds, worker.measured_seconds());
            total.completed += worker.completed();
            total.total += worker.total();
            total.received += worker.received();
            total.latencies.merge(worker.latencies());
            total.open += worker.open_at_end();
            if (total.lost == 0) total.why_lost = worker.why_lost();
            total.lost += worker.lost();
            total.unanswered += worker.unanswered();
            total.longest_wait = std::max(total.longest_wait, worker.longest_wait());
            cpu += worker.cpu_seconds();
            thread_seconds += worker.measured_seconds();
        }
        total.generator_cpu_share = thread_seconds > 0 ? cpu / thread_seconds : 0;
        total.interrupted = interrupted;
        return total;
    }

    [[nodiscard]] server_usage compare(const sample& before, const sample& first, const sample& last,
                                       const result& measured) const {
        auto const used = last.server.cpu - std::min(last.server.cpu, first.server.cpu);
        auto const cpu = static_cast<double>(used) / static_cast<double>(second);
        auto const seconds = static_cast<double>(last.time - first.time) / static_cast<double>(second);
        auto const grown = static_cast<double>(last.server.resident) - static_cast<double>(before.server.resident);
        auto const completed = measured.per_second() * seconds;
        return {.cpu_per_completed = completed > 0 ? cpu / completed : 0,
                .cpu_share = seconds > 0 ? cpu / seconds : 0,
                .resident = last.server.resident,
                .resident_per_connection = grown / static_cast<double>(wanted_.connections)};
    }

    const settings& wanted_;
    address target_;
    run_control control_;
    std::deque<worker> workers_;
    std::optional<process_usage> server_;  ///< As it was seen last.
    std::mutex failed_mutex_;
    std::exception_ptr failed_;
    progress_line progress_;
};

}  // namespace

result run(const settings& wanted) {
    catch_interrupt();
    return team(wanted).run();
}

}  // namespace wsio::bench
