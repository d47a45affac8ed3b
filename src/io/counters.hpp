#pragma once

#include <wsio/close_code.hpp>
#include <wsio/protocol_version.hpp>
#include <wsio/statistics.hpp>
#include <wsio/status.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace wsio::detail {

/// A number that one thread changes and every thread may read. A change costs what it costs a plain number.
class counter {
public:
    void add(std::uint64_t count = 1) noexcept { set(get() + count); }
    void subtract(std::uint64_t count = 1) noexcept { set(get() - count); }
    void set(std::uint64_t value) noexcept { value_.store(value, std::memory_order_relaxed); }
    [[nodiscard]] std::uint64_t get() const noexcept { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::uint64_t> value_ = 0;
};

/// What one server counts, always. Changed on its loop's thread only; of a bounded size, whatever peers do.
/// Thread safety: `snapshot` is safe everywhere.
struct counters {
    counter messages_received;
    counter messages_sent;
    counter messages_dropped;
    counter bytes_received;
    counter bytes_sent;
    counter messages_waiting;
    counter bytes_waiting;
    counter sockets_waiting;
    counter tls_failures;
    counter dropped;

    void opened(protocol_version version) noexcept;
    void ended(protocol_version version, ended_by who, close_code code) noexcept;
    /// Counts an answer with an HTTP status from 400 to 599.
    void refused(unsigned status) noexcept {
        refusals_[std::clamp(status, first_status, last_status) - first_status].add();
    }
    /// The loop is gone, and with it what was open or waited.
    void nothing_is_left() noexcept;

    /// Adds what another has counted.
    void absorb(const counters& other) noexcept;

    [[nodiscard]] statistics snapshot() const;

private:
    static constexpr unsigned first_status = 400;
    static constexpr unsigned last_status = 599;
    static constexpr std::size_t known_codes = 16;  // from 1000 on
    static constexpr std::size_t code_slots = known_codes + 3;
    static constexpr std::size_t enders = static_cast<std::size_t>(ended_by::network) + 1;

    [[nodiscard]] static std::size_t slot_of(close_code code) noexcept;
    [[nodiscard]] static close_code code_of(std::size_t slot) noexcept;

    struct connection_counter {
        counter open;
        counter total;
    };
    std::array<connection_counter, all_protocol_versions.size()> connections_;
    std::array<counter, last_status - first_status + 1> refusals_;
    std::array<std::array<counter, code_slots>, enders> endings_;
};

}  // namespace wsio::detail
