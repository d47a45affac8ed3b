#include "io/counters.hpp"

namespace wsio::detail {

namespace {

constexpr std::uint16_t first_known_code = 1000;

}  // namespace

void counters::opened(protocol_version version) noexcept {
    auto& of_version = connections_[static_cast<std::size_t>(version)];
    of_version.open.add();
    of_version.total.add();
}

void counters::ended(protocol_version version, ended_by who, close_code code) noexcept {
    connections_[static_cast<std::size_t>(version)].open.subtract();
    endings_[static_cast<std::size_t>(who)][slot_of(code)].add();
}

void counters::nothing_is_left() noexcept {
    for (auto& of_version : connections_) of_version.open.set(0);
    messages_waiting.set(0);
    bytes_waiting.set(0);
    sockets_waiting.set(0);
}

std::size_t counters::slot_of(close_code code) noexcept {
    auto const number = to_number(code);
    if (number >= first_known_code && number < first_known_code + known_codes) return number - first_known_code;
    if (number >= 3000 && number <= 3999) return known_codes;
    if (number >= 4000 && number <= 4999) return known_codes + 1;
    return known_codes + 2;
}

close_code counters::code_of(std::size_t slot) noexcept {
    constexpr std::array<std::uint16_t, code_slots - known_codes> others{3000, 4000, 0};
    return static_cast<close_code>(slot < known_codes ? first_known_code + slot : others[slot - known_codes]);
}

void counters::absorb(const counters& other) noexcept {
    auto const add = [](counter& to, const counter& from) { to.add(from.get()); };
    add(messages_received, other.messages_received);
    add(messages_sent, other.messages_sent);
    add(messages_dropped, other.messages_dropped);
    add(bytes_received, other.bytes_received);
    add(bytes_sent, other.bytes_sent);
    add(messages_waiting, other.messages_waiting);
    add(bytes_waiting, other.bytes_waiting);
    add(sockets_waiting, other.sockets_waiting);
    add(tls_failures, other.tls_failures);
    add(dropped, other.dropped);
    for (std::size_t i = 0; i < connections_.size(); ++i) {
        add(connections_[i].open, other.connections_[i].open);
        add(connections_[i].total, other.connections_[i].total);
    }
    for (std::size_t i = 0; i < refusals_.size(); ++i) add(refusals_[i], other.refusals_[i]);
    for (std::size_t who = 0; who < enders; ++who)
        for (std::size_t slot = 0; slot < code_slots; ++slot) add(endings_[who][slot], other.endings_[who][slot]);
}

statistics counters::snapshot() const {
    statistics s;
    for (std::size_t i = 0; i < connections_.size(); ++i)
        s.by_version[i] = {connections_[i].open.get(), connections_[i].total.get()};
    s.messages_received = messages_received.get();
    s.messages_sent = messages_sent.get();
    s.messages_dropped = messages_dropped.get();
    s.bytes_received = bytes_received.get();
    s.bytes_sent = bytes_sent.get();
    for (std::size_t i = 0; i < refusals_.size(); ++i)
        if (auto const count = refusals_[i].get(); count != 0)
            s.refusals[first_status + static_cast<unsigned>(i)] = count;
    s.tls_failures = tls_failures.get();
    s.dropped = dropped.get();
    for (std::size_t who = 0; who < enders; ++who)
        for (std::size_t slot = 0; slot < code_slots; ++slot)
            if (auto const count = endings_[who][slot].get(); count != 0)
                s.endings[{static_cast<ended_by>(who), code_of(slot)}] = count;
    s.messages_waiting = messages_waiting.get();
    s.bytes_waiting = bytes_waiting.get();
    s.sockets_waiting = sockets_waiting.get();
    return s;
}

}  // namespace wsio::detail
