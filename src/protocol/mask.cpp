#include "protocol/mask.hpp"

#include <bit>
#include <cstring>

namespace wsio::protocol {
namespace {

/// Makes the key byte that stands at `phase` on the wire the first one.
std::uint32_t turn(std::uint32_t key, std::size_t phase) noexcept {
    int const bits = static_cast<int>(phase % 4) * 8;
    return std::endian::native == std::endian::little ? std::rotr(key, bits) : std::rotl(key, bits);
}

template <class Word>
void xor_word(char* to, const char* from, Word key) noexcept {
    Word word;
    std::memcpy(&word, from, sizeof word);
    word ^= key;
    std::memcpy(to, &word, sizeof word);
}

}  // namespace

void unmask(char* to, const char* from, std::size_t size, std::uint32_t key, std::size_t phase) noexcept {
    key = turn(key, phase);
    std::uint64_t const wide = std::uint64_t{key} << 32 | key;

    // A block is loaded whole before it is stored, so g++ needs no proof that `to` and `from` are apart, and the words
    // are written out, so g++ 12 makes them vector instructions at -O2 too. A byte loop over `key[i % 4]` is not
    // vectorised and 20 times slower.
    for (; size >= 64; size -= 64, to += 64, from += 64) {
        std::uint64_t words[8];
        std::memcpy(words, from, 64);
        words[0] ^= wide;
        words[1] ^= wide;
        words[2] ^= wide;
        words[3] ^= wide;
        words[4] ^= wide;
        words[5] ^= wide;
        words[6] ^= wide;
        words[7] ^= wide;
        std::memcpy(to, words, 64);
    }
    for (; size >= 16; size -= 16, to += 16, from += 16) {
        std::uint64_t words[2];
        std::memcpy(words, from, 16);
        words[0] ^= wide;
        words[1] ^= wide;
        std::memcpy(to, words, 16);
    }
    if (size >= 8) {
        xor_word(to, from, wide);
        size -= 8, to += 8, from += 8;
    }
    if (size >= 4) {
        xor_word(to, from, key);
        size -= 4, to += 4, from += 4;
    }
    for (; size > 0; --size, ++to, ++from, key = turn(key, 1)) {
        char first;
        std::memcpy(&first, &key, 1);
        *to = static_cast<char>(*from ^ first);
    }
}

}  // namespace wsio::protocol
