#include "io/opening.hpp"

#include <cstdint>
#include <cstring>
#include <new>
#include <string>
#include <type_traits>
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

// An endpoint whose name, of a Unix socket, is among the texts.
struct packed_endpoint {
    boost::asio::ip::address address;
    std::uint32_t unix_name;
    std::uint16_t port;
};

packed_endpoint pack(const endpoint& e) noexcept { return {e.address, size_of(e.unix_name), e.port}; }

endpoint unpack(const packed_endpoint& e, const char*& at) {
    return {e.address, e.port, std::string(take(at, e.unix_name))};
}

}  // namespace

// What stands at the front of the packed memory; behind it the sizes of the fields, then all texts in the order of the
// members, then the fields' names and values.
struct opening::layout {
    packed_endpoint remote;
    packed_endpoint client;
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
    static_assert(std::is_trivially_destructible_v<layout>, "nobody destroys what stands in the packed memory");
    auto const& remote = r.remote_endpoint();
    auto const& client = r.client_endpoint();
    auto text =
        subprotocol.size() + r.method().size() + r.target().size() + remote.unix_name.size() + client.unix_name.size();
    for (auto const& [name, value] : r.headers()) text += name.size() + value.size();
    auto const fields = r.headers().size();
    packed_ = std::make_unique<std::byte[]>(sizeof(layout) + fields * sizeof(field_sizes) + text);

    auto* const head = new (packed_.get()) layout{pack(remote),         pack(client),
                                                  size_of(subprotocol), size_of(r.method()),
                                                  size_of(r.target()),  static_cast<std::uint32_t>(fields),
                                                  r.secure(),           static_cast<unsigned char>(r.http_minor())};
    char* at = put(put(put(head->text(), subprotocol), r.method()), r.target());
    at = put(put(at, remote.unix_name), client.unix_name);
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
    auto remote = unpack(head->remote, at);
    auto client = unpack(head->client, at);
    auto whole = std::make_unique<wsio::request>(std::string(method), std::string(target));
    for (auto const* sizes = head->sizes(); sizes != head->sizes() + head->fields; ++sizes) {
        auto const name = take(at, sizes->name);
        whole->headers().add(name, take(at, sizes->value));
    }
    whole->headers().shrink_to_fit();
    whole->http_minor(head->http_minor);
    if (client != remote) whole->client_endpoint(std::move(client));
    whole->remote_endpoint(std::move(remote));
    whole->secure(head->secure);
    unpacked_ = std::move(whole);
    return *unpacked_;
}

}  // namespace wsio::detail
