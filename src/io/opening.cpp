#include "io/opening.hpp"

#include <cstdint>
#include <cstring>
#include <new>
#include <string>
#include <utility>

namespace wsio::detail {

namespace {

// The sizes of the name and of the value of a header field.
struct field_sizes {
    std::uint32_t name;
    std::uint32_t value;
};

std::uint32_t size_of(std::string_view text) noexcept { return static_cast<std::uint32_t>(text.size()); }

char* put(char* at, std::string_view text) noexcept {
    if (!text.empty()) std::memcpy(at, text.data(), text.size());
    return at + text.size();
}

std::string_view take(const char*& at, std::uint32_t size) noexcept { return {std::exchange(at, at + size), size}; }

}  // namespace

// What stands at the front of the packed memory; behind it the sizes of the fields, then all texts in the order of the
// members, then the fields' names and values.
struct opening::layout {
    endpoint remote;
    std::uint32_t subprotocol;
    std::uint32_t method;
    std::uint32_t target;
    std::uint32_t fields;
    bool secure;
    unsigned char http_minor;

    [[nodiscard]] field_sizes* sizes() noexcept { return reinterpret_cast<field_sizes*>(this + 1); }
    [[nodiscard]] char* text() noexcept { return reinterpret_cast<char*>(sizes() + fields); }
};

opening::opening(const wsio::request& r, std::string_view subprotocol, std::any user_value)
    : user_value_(std::move(user_value)) {
    // Few connections have a certificate, and those are no small ones.
    if (r.client_certificate() != nullptr) unpacked_ = std::make_unique<wsio::request>(r);
    auto text = subprotocol.size() + r.method().size() + r.target().size();
    for (auto const& [name, value] : r.headers()) text += name.size() + value.size();
    auto const fields = r.headers().size();
    packed_ = std::make_unique<std::byte[]>(sizeof(layout) + fields * sizeof(field_sizes) + text);

    auto* const head = new (packed_.get()) layout{r.remote_endpoint(),
                                                  size_of(subprotocol),
                                                  size_of(r.method()),
                                                  size_of(r.target()),
                                                  static_cast<std::uint32_t>(fields),
                                                  r.secure(),
                                                  static_cast<unsigned char>(r.http_minor())};
    char* at = put(put(put(head->text(), subprotocol), r.method()), r.target());
    auto* sizes = head->sizes();
    for (auto const& [name, value] : r.headers()) {
        *sizes++ = {size_of(name), size_of(value)};
        at = put(put(at, name), value);
    }
}

std::string_view opening::subprotocol() const noexcept {
    if (!packed_) return {};
    auto* const head = reinterpret_cast<layout*>(packed_.get());
    return {head->text(), head->subprotocol};
}

const wsio::request& opening::request() const {
    if (unpacked_) return *unpacked_;
    auto* const head = reinterpret_cast<layout*>(packed_.get());
    const char* at = head->text() + head->subprotocol;
    auto const method = take(at, head->method);
    auto const target = take(at, head->target);
    auto whole = std::make_unique<wsio::request>(std::string(method), std::string(target));
    for (auto const* sizes = head->sizes(); sizes != head->sizes() + head->fields; ++sizes) {
        auto const name = take(at, sizes->name);
        whole->headers().add(name, take(at, sizes->value));
    }
    whole->headers().shrink_to_fit();
    whole->http_minor(head->http_minor);
    whole->remote_endpoint(head->remote);
    whole->secure(head->secure);
    unpacked_ = std::move(whole);
    return *unpacked_;
}

}  // namespace wsio::detail
