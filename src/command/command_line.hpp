#pragma once

#include "command.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace CLI {
class App;
}

namespace wsio::command {

/// Reads the command line of one command, and writes its help.
///
/// Options are added with their help; the help's groups come in the order in which they were first named.
class command_line {
public:
    /// `purpose` is the first sentence of the help, `usage` what stands behind "Usage: ".
    command_line(std::string purpose, std::string usage);
    command_line(command_line&&) noexcept;
    ~command_line();

    /// Adds a word that is no option.
    void positional(const std::string& name, const std::string& help, std::string& value);

    /// Begins a group of options.
    void group(std::string title) { group_ = std::move(title); }

    /// Adds an option that stands alone: "-v,--verbose".
    void flag(const std::string& names, const std::string& help, bool& value);

    /// Adds an option with a value. `read` gets the value of each time that it is given; it throws `failure` when the value
    /// makes no sense.
    void option(const std::string& names, const std::string& placeholder, const std::string& help,
                std::function<void(const std::string& value)> read);

    /// As above, for a value that is any text, and is given once.
    void text(const std::string& names, const std::string& placeholder, const std::string& help, std::string& value);

    /// Adds text to the end of the help.
    void remark(std::string text) { remarks_ += '\n' + text; }

    /// Gives the text of --help.
    [[nodiscard]] std::string help() const;

    /// Reads the words. False when --help was among them, which is printed then. Throws `failure` (usage).
    [[nodiscard]] bool parse(words given);

private:
    [[nodiscard]] bool takes_the_next(std::string_view word) const;

    std::unique_ptr<CLI::App> app_;  // cannot be moved
    std::string usage_;
    std::string group_ = "Options";
    std::string remarks_;
};

/// Calls `take` for each part of a list that is written with commas.
template <typename Take>
void for_each_in_list(std::string_view list, Take take) {
    for (;;) {
        auto const comma = list.find(',');
        take(list.substr(0, comma));
        if (comma == std::string_view::npos) return;
        list.remove_prefix(comma + 1);
    }
}

}  // namespace wsio::command
