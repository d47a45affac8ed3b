// Writes the manual page of wsio, made of the texts of --help, to standard output. Runs when wsio is built.

#include "command.hpp"

#include <wsio/version.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <string>
#include <string_view>

namespace {

using namespace wsio::command;

// Writes text that roff must not take for its own commands.
std::string escaped(std::string_view text) {
    constexpr std::string_view ellipsis = "…";  // not every roff knows it
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        char const c = text[i];
        if (c == '\\')
            result += "\\e";
        else if (c == '-')
            result += "\\-";
        else if (text.substr(i, ellipsis.size()) == ellipsis) {
            result += "...";
            i += ellipsis.size() - 1;
        } else if (c == '\'' || c == '.')
            (result += "\\&") += c;
        else
            result += c;
    }
    return result;
}

// Takes the first line off.
std::string_view take_line(std::string_view& text) {
    auto const line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    return line;
}

// Where the help of an option begins in its line: behind two spaces at least. The end of the line if it is not there.
std::size_t start_of_help(std::string_view line) {
    auto const gap = line.find("  ", 2);
    return gap == std::string_view::npos ? line.size() : std::min(line.find_first_not_of(' ', gap), line.size());
}

std::string_view without_end(std::string_view text) { return text.substr(0, text.find_last_not_of(' ') + 1); }

// The help has paragraphs and titles, which begin at the left, and options, which are indented by two spaces; what belongs to
// an option is further to the right.
void write_help(std::string_view text) {
    bool paragraph = true;
    while (!text.empty()) {
        auto const line = take_line(text);
        if (line.empty()) {
            paragraph = true;
        } else if (line.starts_with("Usage: ")) {
            fmt::print(".P\n.B {}\n", escaped(line.substr(7)));
        } else if (line.starts_with("   ")) {
            fmt::print("{}\n", escaped(line.substr(line.find_first_not_of(' '))));
        } else if (line.starts_with("  ")) {
            auto const help = start_of_help(line);
            fmt::print(".TP\n.B {}\n", escaped(without_end(line.substr(2, help - 2))));
            if (help < line.size()) fmt::print("{}\n", escaped(line.substr(help)));
        } else if (paragraph && text.starts_with("  ")) {
            fmt::print(".P\n.I {}\n", escaped(line));
        } else {
            fmt::print("{}{}\n", paragraph ? ".P\n" : "", escaped(line));
            paragraph = false;
        }
    }
}

}  // namespace

int main() {
    fmt::print(
        ".TH WSIO 1 \"\" \"wsio {}\" \"User Commands\"\n.SH NAME\nwsio \\- a command line for WebSocket servers\n"
        ".SH SYNOPSIS\n.B wsio\n.I COMMAND\n[\\fIOPTION\\fR]...\n.SH DESCRIPTION\n",
        escaped(wsio::version));
    write_help(overview());
    for (auto const& each : all_commands()) {
        fmt::print(".SH WSIO {}\n", each.name);
        write_help(each.help());
    }
    fmt::print(
        ".SH EXAMPLES\n.TP\n.B wsio echo & wsio connect localhost:3000\nechoes, and talks to the echo.\n"
        ".TP\n.B echo hello | wsio connect ws://localhost:3000/\nsends one message and prints the answer.\n"
        ".TP\n.B wsio probe \\-\\-json wss://example\\&.org/\ntells what a server speaks.\n");
}
