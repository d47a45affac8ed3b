#pragma once

#include <wsio/headers.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

// The few rules of HTTP's grammar that the handshake needs. All of it is ASCII; bytes >= 0x80 are only passed on.
namespace wsio::handshake {

[[nodiscard]] constexpr char to_lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

[[nodiscard]] constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

[[nodiscard]] constexpr bool is_alphanumeric(char c) noexcept {
    return is_digit(c) || (to_lower(c) >= 'a' && to_lower(c) <= 'z');
}

/// Tells whether a byte is 0x21 to 0x7E.
[[nodiscard]] constexpr bool is_visible(char c) noexcept { return c > ' ' && c < '\x7F'; }

/// Tells whether a byte is one of 0x00 to 0x1F or 0x7F.
[[nodiscard]] constexpr bool is_control(char c) noexcept { return static_cast<unsigned char>(c) < 0x20 || c == '\x7F'; }

/// The bytes that may stand in a token (RFC 9110 5.6.2). A table, because every name of every field is looked up here.
inline constexpr auto token_characters = [] {
    std::array<bool, 256> table{};
    for (std::size_t i = 0; i < table.size(); ++i) table[i] = is_alphanumeric(static_cast<char>(i));
    for (char const c : std::string_view("!#$%&'*+-.^_`|~")) table[static_cast<unsigned char>(c)] = true;
    return table;
}();

[[nodiscard]] constexpr bool is_token_character(char c) noexcept {
    return token_characters[static_cast<unsigned char>(c)];
}

[[nodiscard]] constexpr bool is_token(std::string_view text) noexcept {
    return !text.empty() && std::all_of(text.begin(), text.end(), is_token_character);
}

[[nodiscard]] constexpr bool is_all_visible(std::string_view text) noexcept {
    return !text.empty() && std::all_of(text.begin(), text.end(), is_visible);
}

/// Tells whether a text is not empty and has only the bytes 0x20 to 0x7E.
[[nodiscard]] constexpr bool is_printable(std::string_view text) noexcept {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c == ' ' || is_visible(c); });
}

/// Tells whether a text may be a field value: no control characters but HTAB (RFC 9110 5.5).
[[nodiscard]] constexpr bool is_field_value(std::string_view text) noexcept {
    return std::none_of(text.begin(), text.end(), [](char c) { return is_control(c) && c != '\t'; });
}

[[nodiscard]] constexpr bool equal_without_case(std::string_view a, std::string_view b) noexcept {
    return a.size() == b.size() &&
           std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return to_lower(x) == to_lower(y); });
}

/// Tells whether a field says where a response ends or what becomes of the connection, which no application decides.
[[nodiscard]] constexpr bool is_framing(std::string_view name) noexcept {
    return equal_without_case(name, "Connection") || equal_without_case(name, "Content-Length") ||
           equal_without_case(name, "Transfer-Encoding");
}

/// Cuts spaces and tabs off both ends.
[[nodiscard]] constexpr std::string_view trimmed(std::string_view text) noexcept {
    auto const first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// Takes the first element off a list: what stands before `separator`, or all of it.
[[nodiscard]] constexpr std::string_view take_element(std::string_view& list, char separator) noexcept {
    auto const end = std::min(list.find(separator), list.size());
    auto const element = list.substr(0, end);
    list.remove_prefix(std::min(end + 1, list.size()));
    return element;
}

/// Tells whether the comma list in all fields called `name` has an element, case apart (RFC 9110 5.6.1).
[[nodiscard]] inline bool list_contains(const headers& fields, std::string_view name,
                                        std::string_view element) noexcept {
    for (auto const& field : fields) {
        if (!equal_without_case(field.name, name)) continue;
        for (auto list = field.value; !list.empty();)
            if (equal_without_case(trimmed(take_element(list, ',')), element)) return true;
    }
    return false;
}

}  // namespace wsio::handshake
