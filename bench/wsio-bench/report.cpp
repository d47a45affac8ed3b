#include "report.hpp"

#include "format.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <iterator>
#include <string_view>

namespace wsio::bench {
namespace {

constexpr std::array percentiles{50.0, 90.0, 99.0, 99.9};

std::string_view name_of(payload_kind kind) {
    switch (kind) {
        case payload_kind::ascii: return "ascii";
        case payload_kind::chinese: return "chinese";
        case payload_kind::json: return "json";
        case payload_kind::random: break;
    }
    return "random";
}

/// A rate as it was given: there may be less than one message a second.
std::string as_rate(double rate) { return rate == std::floor(rate) ? with_commas(rate) : fmt::format("{}", rate); }

double seconds(nanoseconds time) { return static_cast<double>(time) / static_cast<double>(second); }

/// Says in one line what was done.
std::string title(const settings& wanted) {
    auto text = fmt::format("{}, {} connection{}", to_string(wanted.version), wanted.connections,
                            wanted.connections == 1 ? "" : "s");
    if (wanted.mode == measurement::echo) {
        text += fmt::format(" x {} B {}{}{}, {} deep", wanted.size,
                            wanted.payload == payload_kind::chinese ? "Chinese " : "",
                            wanted.binary ? "binary" : "text", wanted.compress ? " compressed" : "", wanted.depth);
        if (wanted.rate > 0) text += fmt::format(", {} messages/s wanted", as_rate(wanted.rate));
    } else {
        text += wanted.mode == measurement::connect ? ", opened and closed again" : ", idle";
    }
    if (wanted.threads > 1) text += fmt::format(", {} threads", wanted.threads);
    return fmt::format("{}, {:g} s", text, seconds(wanted.duration));
}

void append_latencies(std::string& text, const histogram& latencies) {
    auto out = std::back_inserter(text);
    out = fmt::format_to(out, "latency     mean {}", as_time(latencies.mean()));
    for (auto const percent : percentiles)
        out = fmt::format_to(out, "   p{:g} {}", percent, as_time(static_cast<double>(latencies.percentile(percent))));
    fmt::format_to(out, "   max {}\n", as_time(static_cast<double>(latencies.max())));
}

void append_server(std::string& text, const settings& wanted, const server_usage& server) {
    auto out = std::back_inserter(text);
    out = fmt::format_to(out, "server      ");
    if (wanted.mode != measurement::idle)
        out = fmt::format_to(out, "{} of CPU for each {}, ", as_time(server.cpu_per_completed * 1e9),
                             wanted.mode == measurement::echo ? "message" : "connection");
    out = fmt::format_to(out, "{:.0f} % of a core, {} resident", server.cpu_share * 100,
                         as_bytes(static_cast<double>(server.resident)));
    if (wanted.mode == measurement::idle)
        out = fmt::format_to(out, ", {} for each connection", as_bytes(server.resident_per_connection));
    text += '\n';
}

/// Says what a reader of the figures must know.
void append_remarks(std::string& text, const settings& wanted, const result& measured) {
    auto out = std::back_inserter(text);
    if (measured.unanswered > 0)
        out = fmt::format_to(out, "unanswered  {} messages, the oldest for {}\n", measured.unanswered,
                             as_time(static_cast<double>(measured.longest_wait)));
    if (measured.lost > 0)
        out =
            fmt::format_to(out, "lost        {}; the first: {}\n", measured.lost, without_controls(measured.why_lost));
    constexpr double busy = 0.97;
    if (wanted.mode != measurement::idle && measured.generator_cpu_share > busy &&
        (!measured.server || measured.server->cpu_share < busy))
        out = fmt::format_to(
            out, "note        the generator was busy all the time and may be what limits: try --threads {}\n",
            wanted.threads * 2);
    if (measured.interrupted) fmt::format_to(out, "note        interrupted after {:.1f} s\n", measured.seconds);
}

}  // namespace

std::string as_text(const settings& wanted, const result& measured) {
    auto text = title(wanted) + '\n';
    auto out = std::back_inserter(text);
    auto const completed = static_cast<double>(measured.completed);
    if (wanted.mode == measurement::echo) {
        out =
            fmt::format_to(out, "messages    {}   {} /s\n", with_commas(completed), with_commas(measured.per_second()));
        out = fmt::format_to(out, "payload     {}/s in each direction\n",
                             as_bytes(measured.per_second() * static_cast<double>(wanted.size)));
        if (wanted.compress)
            out = fmt::format_to(out, "compressed  a message comes back in {:.1f} bytes\n",
                                 measured.received_per_message());
    } else if (wanted.mode == measurement::connect) {
        out =
            fmt::format_to(out, "connections {}   {} /s\n", with_commas(completed), with_commas(measured.per_second()));
    } else {
        out = fmt::format_to(out, "open        {} of {} at the end\n", measured.open, wanted.connections);
    }
    if (wanted.mode != measurement::idle) append_latencies(text, measured.latencies);
    if (measured.server) append_server(text, wanted, *measured.server);
    append_remarks(text, wanted, measured);
    return text;
}

std::string as_json(const settings& wanted, const result& measured) {
    auto const& url = wanted.target;
    std::string text;
    auto out = std::back_inserter(text);
    out = fmt::format_to(out, R"({{"url": {}, "mode": "{}", "protocol": "{}", "connections": {}, "threads": {}, )",
                         as_json("ws://" + url.authority + url.target), to_string(wanted.mode),
                         to_string(wanted.version), wanted.connections, wanted.threads);
    out = fmt::format_to(out, R"("size": {}, "depth": {}, "rate": {}, "kind": "{}", "payload": "{}", "compress": {}, )",
                         wanted.size, wanted.depth, wanted.rate, wanted.binary ? "binary" : "text",
                         name_of(wanted.payload), wanted.compress);
    out = fmt::format_to(
        out, R"("seconds": {:.6f}, "completed": {}, "total": {}, "per_second": {:.3f}, "bytes_per_second": {:.0f}, )",
        measured.seconds, measured.completed, measured.total, measured.per_second(),
        wanted.mode == measurement::echo ? measured.per_second() * static_cast<double>(wanted.size) : 0);
    out = fmt::format_to(out, R"("received_bytes_per_message": {:.1f}, )", measured.received_per_message());
    auto const& latencies = measured.latencies;
    out = fmt::format_to(out, R"("latency_us": {{"mean": {:.3f}, )", latencies.mean() / 1e3);
    for (auto const percent : percentiles)
        out = fmt::format_to(out, R"("p{:g}": {:.3f}, )", percent,
                             static_cast<double>(latencies.percentile(percent)) / 1e3);
    out = fmt::format_to(out, R"("max": {:.3f}}}, )", static_cast<double>(latencies.max()) / 1e3);
    out = fmt::format_to(out, R"("open": {}, "lost": {}, "unanswered": {}, "interrupted": {}, )", measured.open,
                         measured.lost, measured.unanswered, measured.interrupted);
    out = fmt::format_to(out, R"("generator_cpu_share": {:.4f})", measured.generator_cpu_share);
    if (auto const& server = measured.server)
        fmt::format_to(
            out,
            R"(, "server": {{"cpu_us": {:.4f}, "cpu_share": {:.4f}, "rss_bytes": {}, "rss_bytes_per_connection": {:.1f}}})",
            server->cpu_per_completed * 1e6, server->cpu_share, server->resident, server->resident_per_connection);
    return text + "}\n";
}

}  // namespace wsio::bench
