#include <wsio/statistics.hpp>

#include <fmt/format.h>

#include <iterator>
#include <memory>
#include <string_view>

#include "io/counters.hpp"

namespace wsio {

namespace {

std::string code_label(close_code code) {
    switch (to_number(code)) {
        case 0: return "other";
        case 3000: return "3000-3999";
        case 4000: return "4000-4999";
        default: return std::to_string(to_number(code));
    }
}

// Writes samples as Prometheus reads them. No text of a peer is among them, so nothing has to be escaped.
class exposition {
public:
    void metric(std::string_view name, std::string_view type, std::string_view help) {
        name_ = name;
        fmt::format_to(std::back_inserter(text_), "# HELP wsio_{0} {2}\n# TYPE wsio_{0} {1}\n", name, type, help);
    }
    void sample(std::uint64_t value, std::string_view labels = {}) {
        auto const braced = labels.empty() ? std::string() : fmt::format("{{{}}}", labels);
        fmt::format_to(std::back_inserter(text_), "wsio_{}{} {}\n", name_, braced, value);
    }
    void single(std::string_view name, std::string_view type, std::string_view help, std::uint64_t value) {
        metric(name, type, help);
        sample(value);
    }
    [[nodiscard]] std::string take() { return std::move(text_); }

private:
    std::string_view name_;
    std::string text_;
};

}  // namespace

statistics::connection_counts statistics::connections() const noexcept {
    connection_counts all;
    for (auto const& [open, total] : by_version) {
        all.open += open;
        all.total += total;
    }
    return all;
}

statistics& statistics::operator+=(const statistics& other) {
    for (std::size_t i = 0; i < by_version.size(); ++i) {
        by_version[i].open += other.by_version[i].open;
        by_version[i].total += other.by_version[i].total;
    }
    messages_received += other.messages_received;
    messages_sent += other.messages_sent;
    messages_dropped += other.messages_dropped;
    bytes_received += other.bytes_received;
    bytes_sent += other.bytes_sent;
    for (auto const& [answer, count] : other.refusals) refusals[answer] += count;
    tls_failures += other.tls_failures;
    dropped += other.dropped;
    for (auto const& [how, count] : other.endings) endings[how] += count;
    messages_waiting += other.messages_waiting;
    bytes_waiting += other.bytes_waiting;
    sockets_waiting += other.sockets_waiting;
    return *this;
}

std::string statistics::to_prometheus() const {
    exposition out;
    auto const version_label = [](protocol_version version) {
        return fmt::format("version=\"{}\"", to_string(version));
    };
    out.metric("connections_open", "gauge", "Connections that are open.");
    for (auto const version : all_protocol_versions) out.sample(connections(version).open, version_label(version));
    out.metric("connections_total", "counter", "Connections that were opened.");
    for (auto const version : all_protocol_versions) out.sample(connections(version).total, version_label(version));
    out.single("messages_received_total", "counter", "Messages received.", messages_received);
    out.single("messages_sent_total", "counter", "Messages sent.", messages_sent);
    out.single("messages_dropped_total", "counter", "Messages dropped because too much waited for the network.",
               messages_dropped);
    out.single("bytes_received_total", "counter", "Bytes received, without TLS.", bytes_received);
    out.single("bytes_sent_total", "counter", "Bytes sent, without TLS.", bytes_sent);
    out.metric("refusals_total", "counter", "Requests that became no WebSocket, by HTTP status.");
    for (auto const& [answer, count] : refusals) out.sample(count, fmt::format("status=\"{}\"", answer));
    out.single("tls_failures_total", "counter", "TLS handshakes that failed.", tls_failures);
    out.single("dropped_total", "counter", "Connections dropped before their request was read.", dropped);
    out.metric("endings_total", "counter", "Connections that have ended, by who ended them and close code.");
    for (auto const& [how, count] : endings)
        out.sample(count, fmt::format("by=\"{}\",code=\"{}\"", wsio::to_string(how.first), code_label(how.second)));
    out.single("messages_waiting", "gauge", "Messages that wait for receive.", messages_waiting);
    out.single("bytes_waiting", "gauge", "Bytes that wait for the network.", bytes_waiting);
    out.single("sockets_waiting", "gauge", "Sockets that wait for accept.", sockets_waiting);
    return out.take();
}

monitor::monitor() : gone_(std::make_unique<detail::counters>()) {}

monitor::~monitor() = default;

statistics monitor::statistics() const {
    auto const lock = std::lock_guard(mutex_);
    auto sum = gone_->snapshot();
    for (auto const* each : running_) sum += each->snapshot();
    return sum;
}

void monitor::add(const detail::counters& of_one) {
    auto const lock = std::lock_guard(mutex_);
    running_.push_back(&of_one);
}

void monitor::remove(const detail::counters& of_one) noexcept {
    auto const lock = std::lock_guard(mutex_);
    std::erase(running_, &of_one);
    gone_->absorb(of_one);
}

}  // namespace wsio
