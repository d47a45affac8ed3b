#include <wsio/headers.hpp>

#include "handshake/http_grammar.hpp"

#include <algorithm>
#include <limits>
#include <stdexcept>

namespace wsio {
namespace {

// What most requests and responses keep to, so that memory is taken once.
constexpr std::size_t usual_count = 12;
constexpr std::size_t usual_size = 384;

/// Writes a name so that it can stand in a message: nothing unprintable, not too long.
std::string printable(std::string_view name) {
    std::string text(name.substr(0, 64));
    std::replace_if(
        text.begin(), text.end(), [](char c) { return c != ' ' && !handshake::is_visible(c); }, '?');
    return text;
}

void check(std::string_view name, std::string_view value) {
    if (!handshake::is_token(name))
        throw std::invalid_argument("wsio: the header field name \"" + printable(name) + "\" is not an HTTP token");
    if (!handshake::is_field_value(value))
        throw std::invalid_argument("wsio: the value of the header field \"" + printable(name) +
                                    "\" holds a control character");
}

}  // namespace

void headers::add(std::string_view name, std::string_view value) {
    check(name, value);
    auto const size = text_.size();
    auto const more = name.size() + value.size();
    if (size + more > std::numeric_limits<std::uint32_t>::max())
        throw std::length_error("wsio: header fields of more than 4 GiB");

    if (places_.empty()) places_.reserve(usual_count);
    places_.push_back({static_cast<std::uint32_t>(size), static_cast<std::uint32_t>(name.size()),
                       static_cast<std::uint32_t>(size + name.size()), static_cast<std::uint32_t>(value.size())});
    try {
        // Both views may lie in text_ (`fields.add("b", fields["a"])`), so the old block must outlive the copying.
        if (text_.capacity() - size < more) {
            std::string grown;
            grown.reserve(std::max({2 * size, size + more, usual_size}));
            grown.append(text_).append(name).append(value);
            text_.swap(grown);
        } else {
            text_.append(name).append(value);
        }
    } catch (...) {
        places_.pop_back();
        throw;
    }
}

void headers::set(std::string_view name, std::string_view value) {
    // The views may lie in this object, and erasing moves the text.
    std::string const own_name(name);
    std::string const own_value(value);
    check(own_name, own_value);
    erase(own_name);
    add(own_name, own_value);
}

std::size_t headers::erase(std::string_view name) {
    auto const removed =
        std::erase_if(places_, [&](const place& p) { return handshake::equal_without_case(at(p).name, name); });
    if (removed == 0) return 0;

    std::string rest;
    rest.reserve(text_.size());
    for (auto& p : places_) {
        auto const [field_name, value] = at(p);
        p.name_at = static_cast<std::uint32_t>(rest.size());
        p.value_at = static_cast<std::uint32_t>(rest.size() + field_name.size());
        rest.append(field_name).append(value);
    }
    text_.swap(rest);
    return removed;
}

std::optional<std::string_view> headers::find(std::string_view name) const noexcept {
    for (auto const& [field_name, value] : *this)
        if (handshake::equal_without_case(field_name, name)) return value;
    return std::nullopt;
}

std::string_view headers::operator[](std::string_view name) const noexcept {
    return find(name).value_or(std::string_view());
}

std::size_t headers::count(std::string_view name) const noexcept {
    std::size_t found = 0;
    for (auto const& [field_name, value] : *this) found += handshake::equal_without_case(field_name, name) ? 1 : 0;
    return found;
}

std::string headers::joined(std::string_view name) const {
    std::string list;
    bool first = true;
    for (auto const& [field_name, value] : *this) {
        if (!handshake::equal_without_case(field_name, name)) continue;
        if (!first) list += ", ";
        list += value;
        first = false;
    }
    return list;
}

void headers::shrink_to_fit() {
    text_.shrink_to_fit();
    places_.shrink_to_fit();
}

}  // namespace wsio
