#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <random>
#include <source_location>
#include <string>
#include <string_view>

// What all fuzz targets share. A target is one file with one function, `fuzz`; it ends the program when a property does
// not hold.

namespace wsio::fuzz {

/// Checks one input.
void fuzz(std::string_view input);

/// Ends the program if `holds` is false, and with it the run: libFuzzer keeps the input.
inline void expect(bool holds, std::string_view what, std::source_location where = std::source_location::current()) {
    if (holds) return;
    std::fprintf(stderr, "%s:%u: does not hold: %.*s\n", where.file_name(), static_cast<unsigned>(where.line()),
                 static_cast<int>(what.size()), what.data());
    std::abort();
}

/// Makes choices of the input's bytes, from the front; when they are used up it chooses the first of everything.
class choices {
public:
    explicit choices(std::string_view input) noexcept : left_(input) {}

    [[nodiscard]] bool empty() const noexcept { return left_.empty(); }
    [[nodiscard]] std::size_t size() const noexcept { return left_.size(); }

    unsigned byte() noexcept {
        if (left_.empty()) return 0;
        auto const value = static_cast<unsigned char>(left_.front());
        left_.remove_prefix(1);
        return value;
    }
    bool flag() noexcept { return (byte() & 1U) != 0; }
    /// Gives 0 to 65535.
    unsigned pair() noexcept {
        auto const high = byte();
        return high << 8 | byte();
    }
    /// Gives 0 to `end` - 1; `end` is at most 256.
    unsigned below(unsigned end) noexcept { return byte() % end; }
    /// Gives one of a list.
    template <typename List>
    auto const& one_of(const List& list) noexcept {
        return *std::next(std::begin(list), static_cast<std::ptrdiff_t>(below(static_cast<unsigned>(std::size(list)))));
    }
    std::string_view bytes(std::size_t count) noexcept {
        auto const front = left_.substr(0, count);
        left_.remove_prefix(front.size());
        return front;
    }
    /// Takes a text whose size the next byte says, at most `most`.
    std::string_view text(unsigned most) noexcept { return bytes(below(most + 1)); }
    std::string_view rest() noexcept { return bytes(left_.size()); }

private:
    std::string_view left_;
};

/// Gives the sizes of pieces to cut bytes into: the same for the same seed, of all magnitudes.
class cutter {
public:
    explicit cutter(unsigned seed) : random_(seed) {}

    /// Gives at least 1.
    std::size_t operator()() {
        auto const magnitude = random_() % 16;  // most often few bytes
        std::size_t const most = magnitude < 8 ? 8 : magnitude < 12 ? 200 : magnitude < 15 ? 5000 : 100000;
        return 1 + random_() % most;
    }

private:
    std::minstd_rand random_;
};

/// Repeats a pattern until there are `size` bytes.
inline std::string repeated(std::string_view pattern, std::size_t size) {
    std::string text;
    text.reserve(size + pattern.size());
    while (text.size() < size) text += pattern;
    text.resize(size);
    return text;
}

}  // namespace wsio::fuzz
