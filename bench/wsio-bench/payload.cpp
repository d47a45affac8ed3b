#include "payload.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <string_view>

namespace wsio::bench {
namespace {

char ascii_character(std::minstd_rand& generator) {
    constexpr std::string_view alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz ";
    return alphabet[generator() % alphabet.size()];
}

/// Appends one of the 20,992 characters from U+4E00 on, the CJK Unified Ideographs.
void append_chinese(std::string& text, std::minstd_rand& generator) {
    auto const point = 0x4E00 + generator() % 20992;
    text += static_cast<char>(0xE0 | point >> 12);
    text += static_cast<char>(0x80 | (point >> 6 & 0x3F));
    text += static_cast<char>(0x80 | (point & 0x3F));
}

/// Appends one record of a list, cut to `size` bytes.
void append_json(std::string& text, std::minstd_rand& generator, std::size_t size) {
    auto const record =
        fmt::format(R"({{"id":{},"name":"user{}","active":{},"score":{}.{:02}}},)", generator() % 100000,
                    generator() % 1000, generator() % 2 == 0, generator() % 100, generator() % 100);
    text.append(record, 0, size - text.size());
}

}  // namespace

std::string make_payload(payload_kind kind, std::size_t size) {
    std::minstd_rand generator(1);
    std::string payload(std::min(size, number_size), '0');
    payload.reserve(size);
    while (payload.size() < size) {
        if (kind == payload_kind::chinese && size - payload.size() >= 3)
            append_chinese(payload, generator);
        else if (kind == payload_kind::json)
            append_json(payload, generator, size);
        else if (kind == payload_kind::random)
            payload += static_cast<char>(generator() >> 8);
        else
            payload += ascii_character(generator);
    }
    return payload;
}

}  // namespace wsio::bench
