#include "arguments.hpp"

#include "failure.hpp"
#include "values.hpp"

#include <fmt/format.h>

#include <array>
#include <limits>

namespace wsio::bench {
namespace {

[[noreturn]] void refuse(const std::string& why) { throw failure(exit_code::usage, why); }

measurement read_mode(const option& given) {
    for (auto const mode : {measurement::echo, measurement::connect, measurement::idle})
        if (given.value == to_string(mode)) return mode;
    given.refuse("echo, connect or idle");
}

payload_kind read_payload(const option& given) {
    if (given.value == "ascii") return payload_kind::ascii;
    if (given.value == "chinese") return payload_kind::chinese;
    if (given.value == "json") return payload_kind::json;
    if (given.value == "random") return payload_kind::random;
    given.refuse("ascii, chinese, json or random");
}

/// Takes an option that stands alone; false when there is none of that name.
bool take_flag(settings& wanted, std::string_view name) {
    if (name == "--text")
        wanted.binary = false;
    else if (name == "--binary")
        wanted.binary = true;
    else if (name == "--chinese")
        wanted.payload = payload_kind::chinese;
    else if (name == "--compress")
        wanted.compress = true;
    else if (name == "--json")
        wanted.json = true;
    else
        return false;
    return true;
}

constexpr std::size_t any_count = std::numeric_limits<std::int32_t>::max();

/// What takes a value, and how it is read.
struct reader {
    std::string_view name;
    void (*read)(settings& wanted, const option& given);
};

constexpr std::array readers{
    reader{"--connections", [](settings& to, const option& given) { to.connections = read_count(given, 1, 1 << 20); }},
    reader{"--size", [](settings& to, const option& given) { to.size = read_size(given); }},
    reader{"--depth", [](settings& to, const option& given) { to.depth = read_count(given, 1, 1 << 16); }},
    reader{"--duration", [](settings& to, const option& given) { to.duration = read_duration(given); }},
    reader{"--warmup", [](settings& to, const option& given) { to.warmup = read_duration(given); }},
    reader{"--payload", [](settings& to, const option& given) { to.payload = read_payload(given); }},
    reader{"--protocol", [](settings& to, const option& given) { to.version = read_protocol(given); }},
    reader{"--rate", [](settings& to, const option& given) { to.rate = read_rate(given); }},
    reader{"--threads",
           [](settings& to, const option& given) { to.threads = static_cast<unsigned>(read_count(given, 1, 1024)); }},
    reader{"--mode", [](settings& to, const option& given) { to.mode = read_mode(given); }},
    reader{"--header",
           [](settings& to, const option& given) {
               auto const [name, value] = read_header(given);
               to.headers += fmt::format("{}: {}\r\n", name, value);
           }},
    reader{
        "--server-pid",
        [](settings& to, const option& given) { to.server_pid = static_cast<pid_t>(read_count(given, 1, any_count)); }},
};

void take_value(settings& wanted, const option& given) {
    for (auto const& [name, read] : readers)
        if (name == given.name) return read(wanted, given);
}

bool takes_value(std::string_view name) {
    for (auto const& reader : readers)
        if (name == reader.name) return true;
    return false;
}

/// Checks what no option can check alone.
void check_together(const settings& wanted) {
    if (wanted.duration == 0) refuse("--duration must not be 0");
    if (!is_hybi(wanted.version) && wanted.binary)
        refuse(fmt::format("{} cannot carry binary messages (use --text)", to_string(wanted.version)));
    if (wanted.payload == payload_kind::random && !wanted.binary)
        refuse("--payload random is not UTF-8 and goes with --binary only");
    if (wanted.compress && wanted.version != protocol_version::hybi_13)
        refuse(fmt::format("{} has no compression", to_string(wanted.version)));
    if (wanted.rate != 0 && wanted.mode != measurement::echo) refuse("--rate goes with --mode echo only");
    if (wanted.threads > wanted.connections)
        refuse(fmt::format("{} threads need at least as many connections", wanted.threads));
}

}  // namespace

settings parse_arguments(std::span<const char* const> arguments) {
    settings wanted;
    std::string_view url;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        std::string_view const word = arguments[i];
        if (word == "--help" || word == "-h") {
            wanted.help = true;
            return wanted;
        }
        if (takes_value(word)) {
            if (i + 1 == arguments.size()) refuse(fmt::format("{} needs a value", word));
            take_value(wanted, {word, arguments[++i]});
        } else if (word.starts_with('-')) {
            if (!take_flag(wanted, word)) refuse(fmt::format("unknown option {}", word));
        } else if (url.empty()) {
            url = word;
        } else {
            refuse(fmt::format("one URL is enough: '{}' is a second one", word));
        }
    }
    if (url.empty()) refuse("the URL of the server is missing");
    wanted.target = parse_url(url);
    check_together(wanted);
    return wanted;
}

std::string help_text(std::string_view program) {
    return fmt::format(
        R"(Measures a WebSocket server: sends messages, checks every byte that comes back, and tells how many and how fast.

Usage: {} ws://HOST[:PORT][/PATH] [OPTION]...

What is measured
  --mode echo          messages a server echoes, and how long each takes (the default)
  --mode connect       connections opened and closed again
  --mode idle          what connections that do nothing cost: opens them and holds them for --duration

Load
  --connections N      connections (100)
  --size BYTES         payload of a message; 64k and 1M are understood (16)
  --depth N            messages in flight on each connection (1)
  --rate N             messages a second over all connections. Latency then counts from when a message was due, so that
                       a server that stalls cannot hide it. Without: the next message goes out when an echo comes in
  --text, --binary     kind of message (--text)
  --payload KIND       ascii, chinese (3 bytes a character), json or random (needs --binary) (ascii)
  --chinese            the same as --payload chinese
  --compress           compress messages both ways (permessage-deflate), each for itself: without context takeover
  --protocol VERSION   13, 8, 7, 76 or 75 (13)
  --header 'NAME: V'   field to add to the handshake; may be given more than once

Time
  --duration TIME      how long to measure: 10, 0.5, 500ms, 2m (10)
  --warmup TIME        how long to send before measuring (1)

Machine
  --threads N          threads of the generator, which share the connections (1)
  --server-pid PID     process of the server, on this machine: tells its CPU time for each message and its memory

Output
  --json               one JSON object instead of text
  -h, --help           tells this

Exit code: 0 all is well, 1 this machine would not (files, memory), 2 wrong command line, 3 no connection, 4 handshake
refused, 5 wrong echo or broken protocol, 6 connection lost, 130 interrupted.
)",
        program);
}

}  // namespace wsio::bench
