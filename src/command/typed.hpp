#pragma once

#include <wsio/close_code.hpp>

#include <string>
#include <string_view>
#include <variant>

namespace wsio::command {

/// What a line means that was typed into `wsio connect`.
namespace typed {

struct text {
    std::string content;
};
struct bytes {
    std::string content;
};
struct ping {
    std::string payload;
};
struct close {
    close_code code = close_code::normal;
    std::string reason;
};
struct help {};
/// Not to be sent: a command that there is not, or a wrong one.
struct mistake {
    std::string why;
};

}  // namespace typed

using typed_line = std::variant<typed::text, typed::bytes, typed::ping, typed::close, typed::help, typed::mistake>;

/// Reads a line: a text to send, or one of the commands, which begin with a slash. Two slashes stand for one at the beginning
/// of a text.
[[nodiscard]] typed_line read_typed(std::string_view line);

/// Gives the text that tells of the commands.
[[nodiscard]] std::string_view typed_help() noexcept;

}  // namespace wsio::command
