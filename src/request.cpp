#include <wsio/request.hpp>

#include "handshake/http_grammar.hpp"

namespace wsio {
namespace {

/// Gives the value of a hexadecimal digit, or -1.
int hexadecimal(char c) noexcept {
    if (handshake::is_digit(c)) return c - '0';
    auto const lower = handshake::to_lower(c);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// Decodes plus and percent signs as browsers write them (WHATWG URL, application/x-www-form-urlencoded): a percent
/// sign without two hexadecimal digits stays as it is.
std::string decoded(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        auto const high = text[i] == '%' && i + 2 < text.size() ? hexadecimal(text[i + 1]) : -1;
        auto const low = high >= 0 ? hexadecimal(text[i + 2]) : -1;
        if (low >= 0) {
            out += static_cast<char>(high * 16 + low);
            i += 2;
        } else {
            out += text[i] == '+' ? ' ' : text[i];
        }
    }
    return out;
}

}  // namespace

std::string request::query(std::string_view name) const {
    auto rest = query();
    while (!rest.empty()) {
        auto value = handshake::take_element(rest, '&');
        auto const key = handshake::take_element(value, '=');
        if (decoded(key) == name) return decoded(value);
    }
    return {};
}

}  // namespace wsio
