#pragma once

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <limits>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace examples {

/// One option of a program, given as `--name VALUE`.
struct option {
    std::string_view name;   ///< Such as "--port".
    std::string_view value;  ///< The default.
    std::string_view help;   ///< What it is for, in one line.
};

/// Reads the command line of an example. `--help` prints the options and exits with 0; anything that is not understood
/// prints one line and exits with 2.
class arguments {
public:
    arguments(int argc, char** argv, std::string_view about, std::vector<option> options)
        : program_(argc > 0 ? argv[0] : "example"), options_(std::move(options)) {
        program_ = program_.substr(program_.rfind('/') + 1);
        std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);  // a line is seen when it is printed, through a pipe too
        for (int i = 1; i < argc; i += 2) {
            auto const name = std::string_view(argv[i]);
            if (name == "--help" || name == "-h") help(about);
            auto const known = std::ranges::find(options_, name, &option::name);
            if (known == options_.end()) fail("unknown option " + std::string(name));
            if (i + 1 == argc) fail(std::string(name) + " needs a value");
            known->value = argv[i + 1];
        }
    }

    /// Gives the value of an option as text.
    [[nodiscard]] std::string text(std::string_view name) const {
        return std::string(std::ranges::find(options_, name, &option::name)->value);
    }

    /// Gives the value of an option as the elements of a list such as "a,b"; none when it is empty.
    [[nodiscard]] std::vector<std::string> list(std::string_view name) const {
        auto elements = std::vector<std::string>();
        auto rest = std::istringstream(text(name));
        for (std::string element; std::getline(rest, element, ',');) elements.push_back(element);
        return elements;
    }

    /// Gives the value of an option that is yes or no.
    [[nodiscard]] bool yes(std::string_view name) const {
        auto const value = text(name);
        if (value != "yes" && value != "no") fail(std::string(name) + " is yes or no, not '" + value + "'");
        return value == "yes";
    }

    /// Gives the value of an option as a number of type `Number`.
    template <typename Number>
    [[nodiscard]] Number number(std::string_view name) const {
        auto const digits = text(name);
        auto value = Number{};
        auto const [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
        if (error != std::errc() || end != digits.data() + digits.size())
            fail(std::string(name) + " takes a number from 0 to " + std::to_string(std::numeric_limits<Number>::max()) +
                 ", not '" + digits + "'");
        return value;
    }

    /// Ends the program because its command line makes no sense.
    [[noreturn]] void fail(std::string_view why) const {
        std::cerr << program_ << ": " << why << " (see " << program_ << " --help)\n";
        std::exit(2);
    }

private:
    [[noreturn]] void help(std::string_view about) const {
        std::cout << about << "\n\nUsage: " << program_ << " [--option VALUE]...\n\n";
        for (auto const& [name, value, text] : options_) {
            std::cout << "  " << name << std::string(20 - std::min<std::size_t>(name.size(), 19), ' ') << text;
            if (!value.empty()) std::cout << " (" << value << ")";
            std::cout << '\n';
        }
        std::exit(0);
    }

    std::string_view program_;
    std::vector<option> options_;
};

}  // namespace examples
