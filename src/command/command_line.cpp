#include "command_line.hpp"

#include "output.hpp"

#include <CLI/CLI.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace wsio::command {
namespace {

constexpr std::size_t help_column = 27;
constexpr std::size_t help_width = 120;

// Writes an option's line, and its help beside it in as many lines as it takes.
void append_entry(std::string& to, std::string_view what, std::string_view help) {
    auto line = fmt::format("  {:<{}}", what, help_column - 2);
    if (what.size() + 4 > help_column) {
        to += line.substr(0, line.find_last_not_of(' ') + 1) + '\n';
        line.assign(help_column, ' ');
    }
    while (!help.empty()) {
        auto const room = help_width - help_column;
        auto end = help.size() <= room ? help.size() : help.rfind(' ', room);
        if (end == std::string_view::npos) end = help.find(' ');
        to += line + std::string(help.substr(0, end)) + '\n';
        line.assign(help_column, ' ');
        help.remove_prefix(std::min(help.size(), end));
        help.remove_prefix(std::min(help.size(), help.find_first_not_of(' ')));
    }
}

// Puts the message of the parser into one line as the others are.
std::string in_one_line(std::string text) {
    std::ranges::replace(text, '\n', ' ');
    while (!text.empty() && (text.back() == '.' || text.back() == ' ')) text.pop_back();
    return text;
}

}  // namespace

command_line::command_line(std::string purpose, std::string usage)
    : app_(std::make_unique<CLI::App>(std::move(purpose))), usage_(std::move(usage)) {
    app_->set_help_flag("-h,--help", "tells this");
}

command_line::command_line(command_line&&) noexcept = default;
command_line::~command_line() = default;

void command_line::positional(const std::string& name, const std::string& help, std::string& value) {
    app_->add_option(name, value, help)->required()->group("Arguments");
}

void command_line::flag(const std::string& names, const std::string& help, bool& value) {
    app_->add_flag(names, value, help)->group(group_);
}

void command_line::option(const std::string& names, const std::string& placeholder, const std::string& help,
                          std::function<void(const std::string&)> read) {
    app_->add_option_function<std::vector<std::string>>(
            names,
            [read = std::move(read)](const std::vector<std::string>& values) {
                for (auto const& value : values) read(value);
            },
            help)
        ->type_name(placeholder)
        ->type_size(1)
        ->allow_extra_args(false)
        ->group(group_);
}

void command_line::text(const std::string& names, const std::string& placeholder, const std::string& help,
                        std::string& value) {
    app_->add_option(names, value, help)->type_name(placeholder)->group(group_);
}

std::string command_line::help() const {
    auto text = fmt::format("{}\n\nUsage: {}\n", app_->get_description(), usage_);
    std::vector<std::string> groups;
    auto const all = app_->get_options([this](const CLI::Option* each) { return each != app_->get_help_ptr(); });
    for (auto const* each : all)
        if (std::ranges::find(groups, each->get_group()) == groups.end()) groups.push_back(each->get_group());
    for (auto const& group : groups) {
        text += fmt::format("\n{}\n", group);
        for (auto const* each : all) {
            if (each->get_group() != group) continue;
            auto what = each->get_positional() ? each->get_name() : each->get_name(false, true);
            if (auto const at = what.find(",--"); at != std::string::npos) what.insert(at + 1, " ");
            if (!each->get_positional() && !each->get_type_name().empty()) what += ' ' + each->get_type_name();
            append_entry(text, what, each->get_description());
        }
    }
    append_entry(text, "-h, --help",
                 app_->get_help_ptr()->get_description());  // the last group is that of all other options
    return text + remarks_;
}

// Tells whether this is an option whose value is the next word: "--name", "-n", or the last of several letters.
bool command_line::takes_the_next(std::string_view word) const {
    auto const has_value = [](const CLI::Option* option) { return option && option->get_items_expected_min() > 0; };
    if (word.starts_with("--")) return has_value(app_->get_option_no_throw(std::string(word)));
    if (!word.starts_with('-')) return false;
    for (std::size_t i = 1; i < word.size(); ++i)
        if (has_value(app_->get_option_no_throw({'-', word[i]}))) return i + 1 == word.size();
    return false;
}

bool command_line::parse(words given) {
    std::vector<std::string> split;
    bool is_value = false;
    bool only_words = false;
    for (std::string_view const word : given) {
        // The parser takes "--name=" for one whose value is still to come, which the next word would be then.
        auto const name = word.substr(0, word.find('='));
        bool const is_empty = !is_value && !only_words && word.size() == name.size() + 1 && takes_the_next(name);
        split.emplace_back(is_empty ? name : word);
        if (is_empty) split.emplace_back();
        only_words = only_words || (!is_value && word == "--");
        is_value = !is_value && !only_words && takes_the_next(word);
    }
    std::ranges::reverse(split);  // as the parser wants them
    try {
        app_->parse(std::move(split));
    } catch (const CLI::CallForHelp&) {
        bench::print(help());
        return false;
    } catch (const CLI::ParseError& error) {
        throw failure(exit_code::usage, in_one_line(error.what()));
    }
    return true;
}

}  // namespace wsio::command
