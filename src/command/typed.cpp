#include "typed.hpp"

#include "text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace wsio::command {
namespace {

// Takes the first word off, and the spaces behind it.
std::string_view take_word(std::string_view& line) {
    auto const word = line.substr(0, line.find(' '));
    line.remove_prefix(word.size());
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    return word;
}

typed_line read_close(std::string_view rest) {
    if (rest.empty()) return typed::close{};
    auto const number = take_word(rest);
    std::uint16_t code = 0;
    auto const [end, error] = std::from_chars(number.data(), number.data() + number.size(), code);
    // What an endpoint may send (RFC 6455 7.4.1): the rest only say how a connection ended without a closing frame.
    bool const may_be_sent = (code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006) ||
                             (code >= 3000 && code <= 4999);
    if (error != std::errc() || end != number.data() + number.size() || !may_be_sent)
        return typed::mistake{fmt::format("a close code is 1000 to 1014 or 3000 to 4999, not '{}'", number)};
    if (rest.size() > 123) return typed::mistake{"a reason has at most 123 bytes"};
    return typed::close{close_code{code}, std::string(rest)};
}

}  // namespace

typed_line read_typed(std::string_view line) {
    if (line.starts_with("//")) return typed::text{std::string(line.substr(1))};
    if (!line.starts_with('/')) return typed::text{std::string(line)};
    auto const command = take_word(line);
    if (command == "/help") return typed::help{};
    if (command == "/quit") return typed::close{};
    if (command == "/close") return read_close(line);
    if (command == "/ping") {
        if (line.size() > 125) return typed::mistake{"a ping carries at most 125 bytes"};
        return typed::ping{std::string(line)};
    }
    if (command == "/binary") {
        auto bytes = from_hex(line);
        if (!bytes) return typed::mistake{"/binary takes hexadecimal digits, such as /binary 00 01 fe"};
        return typed::bytes{std::move(*bytes)};
    }
    return typed::mistake{fmt::format(
        "there is no command {}; /help tells of them, and //… sends a text that begins with a slash", command)};
}

std::string_view typed_help() noexcept {
    return "/ping [TEXT]            sends a ping and tells when its pong is there\n"
           "/binary HEX             sends a binary message: /binary 00 01 fe\n"
           "/close [CODE [REASON]]  closes the connection (1000)\n"
           "/quit, Ctrl-D           closes with 1000 and leaves\n"
           "Ctrl-C                  closes with 1001 and leaves; a second one drops the connection\n"
           "//TEXT                  sends a text that begins with a slash\n";
}

}  // namespace wsio::command
