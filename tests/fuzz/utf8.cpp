#include "protocol/utf8.hpp"

#include "fuzz.hpp"
#include "protocol/mask.hpp"
#include "protocol/short_payload.hpp"
#include "utf8_reference.hpp"

#include <cstring>
#include <memory>

// Validation and repair of UTF-8, and masking, against slow and plain ones. The input is put behind and before ASCII, so
// that every path for short and long text is taken with it.

namespace wsio::fuzz {
namespace {

void check_pieces(std::string_view text, bool valid, unsigned seed) {
    cutter cut(seed);
    protocol::utf8_validator validator;
    slow_utf8 slow;
    for (auto rest = text; !rest.empty();) {
        auto const piece = rest.substr(0, cut());
        rest.remove_prefix(piece.size());
        bool possible = true;
        for (char const c : piece) possible = possible && slow.feed(static_cast<unsigned char>(c));
        expect(validator.feed(piece) == possible, "a piece is refused when no continuation helps, and not before");
        if (!possible) return expect(!valid, "what a piece makes invalid is invalid");
    }
    expect(validator.complete() == valid, "what is complete in pieces is valid");
}

void check_repair(std::string_view text, bool valid) {
    byte_buffer repaired;
    protocol::replace_invalid_utf8(text, repaired);
    expect(repaired.view() == slow_repaired(text), "each maximal invalid subpart is replaced");
    expect(slow_valid(repaired.view()), "what was repaired is valid");
    expect(!valid || repaired.view() == text, "valid text is left alone");
    expect(repaired.size() <= 3 * text.size(), "repaired text is at most three times as long");
}

void check_mask(std::string_view text, unsigned key_seed, std::size_t phase) {
    std::uint32_t const key = key_seed * 2654435761U;
    char key_bytes[4];
    std::memcpy(key_bytes, &key, sizeof key);
    std::string expected(text);
    for (std::size_t i = 0; i < text.size(); ++i) expected[i] = static_cast<char>(text[i] ^ key_bytes[(i + phase) % 4]);

    std::string masked(text.size(), '\0');
    protocol::unmask(masked.data(), text.data(), text.size(), key, phase);
    expect(masked == expected, "masking is XOR with the key's bytes in turn");
    protocol::unmask(masked.data(), masked.data(), masked.size(), key, phase);
    expect(masked == text, "masking twice gives back");

    bool const ascii = std::all_of(text.begin(), text.end(), [](char c) { return static_cast<signed char>(c) >= 0; });
    std::string in_place(text);
    protocol::unmask(in_place.data(), in_place.data(), in_place.size(), key, 0);
    expect(protocol::unmask_short(in_place.data(), in_place.size(), key) == ascii, "ASCII is seen while unmasking");
    expect(in_place == text, "the short way unmasks alike");
}

}  // namespace

void fuzz(std::string_view input) {
    choices choose(input);
    auto const before = choose.pair() % 600;
    auto const after = choose.pair() % 600;
    auto const seed = choose.byte();
    auto const phase = choose.below(4);
    std::string const whole = std::string(before, 'a') + std::string(choose.rest()) + std::string(after, 'b');
    // A block of its own, so that the sanitizer sees what reads beyond its end.
    auto const block = std::make_unique<char[]>(whole.size());
    whole.copy(block.get(), whole.size());
    std::string_view const text(block.get(), whole.size());

    bool const valid = slow_valid(text);
    expect(protocol::valid_utf8(text) == valid, "the fast validation agrees with the slow one");
    check_pieces(text, valid, seed);
    check_repair(text, valid);
    check_mask(text, seed, phase);
}

}  // namespace wsio::fuzz
