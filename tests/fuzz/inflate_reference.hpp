#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// DEFLATE (RFC 1951) once more, bit by bit and without zlib, to check the library against.

namespace wsio::fuzz {

class slow_inflater {
public:
    enum class outcome { done, too_big, broken };

    /// Makes of `payload` the message that it stands for (RFC 7692 7.2.2), which may refer back to `history`, and at most
    /// `window` bytes.
    static outcome inflate(std::string_view payload, std::string_view history, std::size_t limit, std::string& out,
                           std::size_t window = 32768) {
        out.clear();
        if (payload.empty()) return outcome::done;
        slow_inflater state(history, limit, window);
        auto const result = state.run(payload);
        out = state.text_.substr(history.size());
        return result;
    }

private:
    struct need_more {};  // thrown: the bits are used up
    struct bad {};
    struct over {};

    slow_inflater(std::string_view history, std::size_t limit, std::size_t window)
        : text_(history), most_(history.size() + limit), window_(window) {}

    outcome run(std::string_view payload) {
        std::string input(payload);
        input += std::string_view("\0\0\xff\xff", 4);
        input_ = input;
        try {
            for (;;) {
                bool const final = block();
                if (!final) {
                    if (at_ == 8 * input_.size()) return outcome::done;
                    continue;
                }
                at_ = (at_ + 7) / 8 * 8;
                // A payload that ends with a final block needs no tail; what follows one that does not end there is a
                // stream of its own (RFC 7692 7.2.3.4).
                if (at_ == 8 * payload.size()) return outcome::done;
                if (at_ > 8 * payload.size()) return at_ == 8 * input_.size() ? outcome::done : outcome::broken;
            }
        } catch (need_more) {
            return outcome::broken;
        } catch (bad) {
            return outcome::broken;
        } catch (over) {
            return outcome::too_big;
        }
    }

    unsigned bits(unsigned count) {
        unsigned value = 0;
        for (unsigned i = 0; i < count; ++i) {
            if (at_ == 8 * input_.size()) throw need_more();
            value |= (static_cast<unsigned char>(input_[at_ / 8]) >> at_ % 8 & 1U) << i;
            ++at_;
        }
        return value;
    }

    void put(char c) {
        text_ += c;
        if (text_.size() > most_) throw over();
    }

    /// Codes by their lengths (RFC 1951 3.2.2).
    class code {
    public:
        explicit code(const std::vector<unsigned>& lengths) : lengths_(lengths) {
            for (auto const length : lengths) ++counts_[length];
            counts_[0] = 0;
            for (std::size_t size = 1; size <= 15; ++size) left_ = 2 * left_ - static_cast<int>(counts_[size]);
        }
        [[nodiscard]] bool complete() const { return left_ == 0; }
        /// Tells whether it may be used: all but complete are wrong, except one code of one bit, or none (as zlib has it).
        [[nodiscard]] bool usable() const {
            std::size_t used = 0;
            for (auto const length : lengths_) used += length != 0;
            return complete() || used == 0 || (used == 1 && counts_[1] == 1);
        }
        unsigned read(slow_inflater& from) const {
            unsigned value = 0;
            unsigned first = 0;
            for (unsigned size = 1; size <= 15; ++size) {
                value = value << 1 | from.bits(1);
                first <<= 1;
                if (value - first < counts_[size]) return symbol(size, value - first);
                first += counts_[size];
            }
            throw bad();
        }

    private:
        [[nodiscard]] unsigned symbol(unsigned size, unsigned which) const {
            for (unsigned i = 0;; ++i)
                if (lengths_[i] == size && which-- == 0) return i;
        }
        std::vector<unsigned> lengths_;
        std::array<unsigned, 16> counts_{};
        int left_ = 1;
    };

    /// Reads a block; tells whether it is the last of its stream.
    bool block() {
        bool const final = bits(1) == 1;
        switch (bits(2)) {
            case 0: stored(); break;
            case 1: compressed(fixed_literals(), code(std::vector<unsigned>(30, 5))); break;
            case 2: dynamic(); break;
            default: throw bad();
        }
        return final;
    }

    void stored() {
        at_ = (at_ + 7) / 8 * 8;
        auto const size = bits(16);
        if (bits(16) != (size ^ 0xFFFF)) throw bad();
        for (unsigned i = 0; i < size; ++i) put(static_cast<char>(bits(8)));
    }

    static code fixed_literals() {
        std::vector<unsigned> lengths(288, 8);
        for (std::size_t i = 144; i < 256; ++i) lengths[i] = 9;
        for (std::size_t i = 256; i < 280; ++i) lengths[i] = 7;
        return code(lengths);
    }

    void dynamic() {
        auto const literals = bits(5) + 257;
        auto const distances = bits(5) + 1;
        auto const count = bits(4) + 4;
        if (literals > 286 || distances > 30) throw bad();
        constexpr unsigned order[] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
        std::vector<unsigned> lengths(19, 0);
        for (unsigned i = 0; i < count; ++i) lengths[order[i]] = bits(3);
        code const length_code(lengths);
        if (!length_code.complete()) throw bad();
        std::vector<unsigned> all;
        while (all.size() < literals + distances) {
            auto const symbol = length_code.read(*this);
            if (symbol < 16) {
                all.push_back(symbol);
                continue;
            }
            if (symbol == 16 && all.empty()) throw bad();
            auto const value = symbol == 16 ? all.back() : 0;
            auto const times = symbol == 16 ? 3 + bits(2) : symbol == 17 ? 3 + bits(3) : 11 + bits(7);
            all.insert(all.end(), times, value);
        }
        if (all.size() > literals + distances || all[256] == 0) throw bad();
        auto const middle = all.begin() + static_cast<std::ptrdiff_t>(literals);
        code const literal_code({all.begin(), middle});
        code const distance_code({middle, all.end()});
        if (!literal_code.usable() || !distance_code.usable()) throw bad();
        compressed(literal_code, distance_code);
    }

    void compressed(const code& literals, const code& distances) {
        constexpr unsigned length_base[] = {3,  4,  5,  6,  7,  8,  9,  10, 11,  13,  15,  17,  19,  23, 27,
                                            31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
        constexpr unsigned length_more[] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
                                            2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
        for (;;) {
            auto const symbol = literals.read(*this);
            if (symbol == 256) return;
            if (symbol < 256) {
                put(static_cast<char>(symbol));
                continue;
            }
            if (symbol > 285) throw bad();
            auto const length = length_base[symbol - 257] + bits(length_more[symbol - 257]);
            auto const which = distances.read(*this);
            unsigned const more = which < 4 ? 0 : which / 2 - 1;
            unsigned const base = which < 4 ? which + 1 : ((2 + which % 2) << more) + 1;
            std::size_t const distance = base + bits(more);
            if (distance > text_.size() || distance > window_) throw bad();
            for (unsigned i = 0; i < length; ++i) put(text_[text_.size() - distance]);
        }
    }

    std::string text_;  ///< History and message.
    std::size_t most_;
    std::size_t window_;
    std::string_view input_;
    std::size_t at_ = 0;  ///< The next bit.
};

}  // namespace wsio::fuzz
