#include "findings.hpp"

#include "format.hpp"
#include "text.hpp"

#include <wsio/fmt.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <iterator>
#include <string_view>

namespace wsio::command {
namespace {

// Writes a power of two as the command line takes it.
std::string as_size(std::size_t bytes) {
    if (bytes >= (1 << 20) && bytes % (1 << 20) == 0) return fmt::format("{}M", bytes >> 20);
    if (bytes >= 1024 && bytes % 1024 == 0) return fmt::format("{}k", bytes >> 10);
    return std::to_string(bytes);
}

std::string json_or_null(const std::string& text) { return text.empty() ? "null" : bench::as_json(text); }

std::string json_or_null(std::optional<double> number) { return number ? fmt::format("{:.3f}", *number) : "null"; }

void append_line(std::string& text, std::string_view what, std::string_view found) {
    fmt::format_to(std::back_inserter(text), "{:<13} {}\n", what, found);
}

std::string_view subprotocol_of(const findings& found) {
    for (auto const& each : found.versions)
        if (!each.subprotocol.empty()) return each.subprotocol;
    return "none";
}

std::string describe(const findings::message_size& size) {
    if (size.refused == 0) return fmt::format("{} or more", as_size(size.taken));
    return fmt::format("{}, and not {}: {}", size.taken == 0 ? "less" : as_size(size.taken), as_size(size.refused),
                       size.why);
}

// Pings tell what became of a message, and are what a silent client may get.
constexpr std::string_view not_tried = "not tried: needs protocol 13, 8 or 7";

std::string describe(const findings::silence& patience) {
    auto text = patience.pinged_after ? fmt::format("pinged after {:.1f} s", *patience.pinged_after)
                : patience.spoke      ? std::string("sent messages, so that pings cannot be told")
                                      : std::string("not pinged");
    if (patience.closed_after)
        return text + fmt::format(", ended after {:.1f} s: {}", *patience.closed_after, patience.why);
    return text + fmt::format(", still open after {:.1f} s", patience.watched_seconds);
}

}  // namespace

std::string as_table(const findings& found) {
    auto text = found.url + '\n';
    for (auto const& each : found.versions)
        text += each.works() ? fmt::format("{:<13} yes  {:>8}{}{}\n", each.spoken, bench::as_time(each.nanoseconds),
                                           each.extensions.empty() ? "" : "  ", each.extensions)
                             : fmt::format("{:<13} no   {}\n", each.spoken, each.problem);
    if (!found.speaks_any()) return without_controls(text);
    if (!found.server.empty()) append_line(text, "server", found.server);
    if (!found.offered.empty())
        append_line(text, "subprotocol",
                    fmt::format("{}, of {}", subprotocol_of(found), fmt::join(found.offered, ", ")));
    if (found.was_pinged)
        append_line(text, "ping",
                    found.ping_nanoseconds ? bench::as_time(*found.ping_nanoseconds) : "was not answered");
    if (found.size_was_asked)
        append_line(text, "message size", found.size ? describe(*found.size) : std::string(not_tried));
    if (found.patience_was_asked)
        append_line(text, "silence", found.patience ? describe(*found.patience) : std::string(not_tried));
    return without_controls(text);
}

std::string as_json(const findings& found) {
    auto text = fmt::format(R"({{"url": {}, "versions": [)", bench::as_json(found.url));
    auto out = std::back_inserter(text);
    for (auto const& each : found.versions) {
        if (&each != &found.versions.front()) text += ", ";
        if (each.works())
            out = fmt::format_to(
                out,
                R"({{"version": "{}", "spoken": true, "milliseconds": {:.3f}, "subprotocol": {}, "extensions": {}}})",
                each.spoken, each.nanoseconds / 1e6, json_or_null(each.subprotocol), json_or_null(each.extensions));
        else
            out = fmt::format_to(out, R"({{"version": "{}", "spoken": false, "problem": {}}})", each.spoken,
                                 bench::as_json(each.problem));
    }
    out = fmt::format_to(
        out, R"(], "server": {}, "ping_milliseconds": {})", json_or_null(found.server),
        json_or_null(found.ping_nanoseconds ? std::optional(*found.ping_nanoseconds / 1e6) : std::nullopt));
    if (found.size)
        out = fmt::format_to(out, R"(, "message_size": {{"taken": {}, "refused": {}, "why": {}}})", found.size->taken,
                             found.size->refused == 0 ? "null" : std::to_string(found.size->refused),
                             json_or_null(found.size->why));
    else if (found.size_was_asked)
        text += R"(, "message_size": null)";
    if (found.patience)
        out = fmt::format_to(
            out, R"(, "silence": {{"watched_seconds": {:.3f}, "pinged_after": {}, "closed_after": {}, "why": {}}})",
            found.patience->watched_seconds, json_or_null(found.patience->pinged_after),
            json_or_null(found.patience->closed_after), json_or_null(found.patience->why));
    else if (found.patience_was_asked)
        text += R"(, "silence": null)";
    text += "}\n";
    return text;
}

}  // namespace wsio::command
