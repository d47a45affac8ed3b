#include "worker.hpp"

#include "failure.hpp"

#include <fmt/format.h>

#include <netinet/in.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace wsio::bench {
namespace {

/// Handshakes that a thread has under way at once while it opens its connections: few enough for any server's backlog.
constexpr std::size_t concurrent_handshakes = 64;

/// A server that gives no sign of life for this long has failed.
constexpr nanoseconds patience = 10 * second;

/// How long to wait at the end for the last echoes, and then for closing handshakes.
constexpr nanoseconds end_patience = second;

/// Messages that wait this long at the end of the measurement are reported.
constexpr nanoseconds noteworthy_wait = second;

/// How late the loop may notice that the run was stopped.
constexpr nanoseconds longest_sleep = second / 10;

/// Connections from one local address: fewer than the system has ports to connect from.
constexpr std::uint64_t connections_per_source = 8000;

double thread_cpu_seconds() noexcept {
    rusage used{};
    ::getrusage(RUSAGE_THREAD, &used);
    auto const seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return seconds(used.ru_utime) + seconds(used.ru_stime);
}

bool is_loopback(const address& target) noexcept {
    if (target.storage.ss_family != AF_INET) return false;
    auto const& ip = reinterpret_cast<const sockaddr_in&>(target.storage);
    return ntohl(ip.sin_addr.s_addr) >> 24 == 127;
}

}  // namespace

worker::worker(run_control& control, const settings& wanted, const address& server, std::size_t first,
               std::size_t count)
    : control_(&control), bench_(wanted, server, first, count) {
    bench_.epoll = ::epoll_create1(EPOLL_CLOEXEC);
    if (bench_.epoll < 0) throw failure(exit_code::system, fmt::format("epoll: {}", std::strerror(errno)));
    if (wanted.rate > 0) {
        auto const share = static_cast<double>(count) / static_cast<double>(wanted.connections);
        bench_.plan.gap = static_cast<double>(second) / (wanted.rate * share);
    }
    for (std::size_t i = 0; i < count; ++i) connections_.emplace_back(bench_, i);
}

worker::~worker() {
    connections_.clear();
    ::close(bench_.epoll);
}

void worker::run() {
    auto const mode = bench_.wanted.mode;
    if (mode != measurement::connect) open_all();
    wait_for_start();
    if (stopped()) return;
    auto const start = control_->start.load();
    bench_.plan.start = start;
    bench_.sending = mode == measurement::echo;
    reconnecting_ = mode == measurement::connect;
    for (auto& each : connections_) {
        if (mode == measurement::connect) open(each);
        if (mode == measurement::echo && bench_.plan.gap == 0) each.send_due(now());
    }
    load_until(start + bench_.wanted.warmup);
    measure_until(start + bench_.wanted.warmup + bench_.wanted.duration);
    finish();
}

void worker::open_all() {
    last_progress_ = now();
    while (open_ < connections_.size() && !stopped()) {
        while (unsettled_ < concurrent_handshakes && begun_ < connections_.size()) open(connections_[begun_]);
        if (unsettled_ > 0) rest(longest_sleep);
        check_silence();
    }
}

void worker::wait_for_start() {
    ++control_->ready;
    // Not asleep: pings may come.
    while (control_->start.load() == 0 && !stopped()) rest(second / 1000);
    for (auto time = now(); time < control_->start.load() && !stopped(); time = now())
        turn(time, control_->start.load());
}

/// Lets the connections work until `end`.
void worker::load_until(nanoseconds end) {
    last_progress_ = now();
    for (auto time = last_progress_; time < end && !stopped(); time = now()) {
        auto until = end;
        if (bench_.plan.gap != 0) {
            send_schedule(time);
            until = std::min(end, bench_.plan.due(scheduled_));
        }
        turn(time, until);
        progress_.completed.store(bench_.completed, std::memory_order_relaxed);
        if (bench_.wanted.mode != measurement::idle) check_silence();
    }
}

void worker::measure_until(nanoseconds end) {
    bench_.latencies.reset();
    total_ = bench_.completed;
    bench_.completed = 0;
    bench_.received = 0;
    last_completed_ = 0;
    auto const begin = now();
    auto const cpu = thread_cpu_seconds();
    load_until(end);
    measured_seconds_ = static_cast<double>(now() - begin) / static_cast<double>(second);
    cpu_seconds_ = thread_cpu_seconds() - cpu;
    latencies_ = bench_.latencies;
    completed_ = bench_.completed;
    received_ = bench_.received;
    open_at_end_ = open_;
    note_unanswered();
}

/// Counts messages that have waited long, which the histogram does not know of: a server that stops to answer must show.
void worker::note_unanswered() {
    auto const time = now();
    for (auto const& each : connections_) {
        if (each.where() != connection::stage::open) continue;
        auto const count = each.waiting_since(time - std::min(time, noteworthy_wait));
        if (count == 0) continue;
        unanswered_ += count;
        longest_wait_ = std::max(longest_wait_, time - each.oldest_waits_since());
    }
}

/// Waits for the last echoes, which are checked too, and closes the connections.
void worker::finish() {
    bench_.sending = false;
    reconnecting_ = false;
    auto const in_flight = [this] {
        return std::ranges::any_of(connections_, [](const connection& each) { return each.in_flight() > 0; });
    };
    auto const patient_until = now() + end_patience;
    while (in_flight() && now() < patient_until && !stopped()) rest(second / 100);
    close_all();
    total_ += bench_.completed;
}

void worker::close_all() {
    for (auto& each : connections_) {
        auto const before = each.where();
        each.close();
        take_stage(each, before);
    }
    auto const patient_until = now() + end_patience;
    auto const is_closing = [](const connection& each) { return each.where() == connection::stage::closing; };
    while (now() < patient_until && !stopped() && std::ranges::any_of(connections_, is_closing)) rest(second / 100);
    for (auto& each : connections_) each.drop();
}

/// Waits for events for at most `longest` and handles them.
void worker::rest(nanoseconds longest) {
    auto const time = now();
    turn(time, time + longest);
}

/// Waits for events from `time`, which is now, until `until` at most, and handles them.
void worker::turn(nanoseconds time, nanoseconds until) {
    auto const wait = until > time ? std::min(until - time, longest_sleep) : 0;
    timespec const timeout{static_cast<time_t>(wait / second), static_cast<long>(wait % second)};
    int const count = ::epoll_pwait2(bench_.epoll, events_.data(), static_cast<int>(events_.size()), &timeout, nullptr);
    if (count < 0 && errno != EINTR) throw failure(exit_code::system, fmt::format("epoll: {}", std::strerror(errno)));
    for (int i = 0; i < count; ++i) {
        auto const& event = events_[static_cast<std::size_t>(i)];
        handle(*static_cast<connection*>(event.data.ptr), event.events);
    }
}

void worker::handle(connection& connection, std::uint32_t events) {
    auto const before = connection.where();
    if (bench_.wanted.mode != measurement::idle || before != connection::stage::open) {
        connection.on_event(events);
    } else {
        // Losing one of thousands that do nothing is a result, not the end of the run.
        try {
            connection.on_event(events);
        } catch (const failure& cause) {
            if (lost_++ == 0) why_lost_ = cause.what();
            connection.drop();
        }
    }
    if (connection.where() != before) take_stage(connection, before);
}

/// Counts what became of a connection, and goes on with it in the mode connect.
void worker::take_stage(connection& connection, connection::stage before) {
    using enum connection::stage;
    auto const after = connection.where();
    auto const is_unsettled = [](connection::stage stage) { return stage == connecting || stage == handshaking; };
    if (!is_unsettled(before) && is_unsettled(after)) ++unsettled_;
    if (is_unsettled(before) && !is_unsettled(after)) --unsettled_;
    if (before != open && after == open) ++open_;
    if (before == open && after != open) --open_;
    progress_.open.store(open_, std::memory_order_relaxed);
    if (after == open || after == closed) last_progress_ = now();
    if (!reconnecting_) return;
    if (after == open) {
        connection.close();
        take_stage(connection, after);
    } else if (after == closed) {
        this->open(connection);
    }
}

void worker::open(connection& connection) {
    auto const before = connection.where();
    connection.connect(next_source());
    ++begun_;
    take_stage(connection, before);
}

/// Gives the next local address to connect from: one address has not enough ports for many connections to one server.
/// Only the loopback network has many addresses; 0 leaves the choice to the system.
std::uint32_t worker::next_source() noexcept {
    constexpr std::size_t one_address_suffices = 20'000;
    bool const many = bench_.wanted.mode == measurement::connect || bench_.wanted.connections > one_address_suffices;
    if (!many || !is_loopback(bench_.target)) return 0;
    auto const number = (bench_.first_connection + begun_) / connections_per_source + (bench_.first_connection << 8);
    return 0x7F010001U + static_cast<std::uint32_t>(number % 0xF00000);
}

/// Hands the messages that are due by now to the connections, in turn.
void worker::send_schedule(nanoseconds time) {
    for (; bench_.plan.due(scheduled_) <= time; ++scheduled_) {
        auto& next = connections_[scheduled_ % connections_.size()];
        next.add_due();
        if (next.where() == connection::stage::open) next.send_due(time);
    }
}

/// Fails when the server does nothing at all though it should.
void worker::check_silence() {
    if (bench_.completed != last_completed_) {
        last_completed_ = bench_.completed;
        last_progress_ = now();
        return;
    }
    if (now() - last_progress_ < patience) return;
    for (auto const& each : connections_) {
        bool const waits =
            each.where() == connection::stage::open ? each.in_flight() > 0 : each.where() != connection::stage::closed;
        if (waits) each.fail_by_silence(fmt::format("within {} s", patience / second));
    }
}

}  // namespace wsio::bench
