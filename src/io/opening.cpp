#include "io/opening.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace wsio::detail {

namespace {

namespace ip = boost::asio::ip;

// Fields that nearly every handshake has: these take one byte, and those without a value here one byte and their value.
constexpr auto known_fields = std::to_array<headers::field>({
    {"Upgrade", "websocket"},
    {"Connection", "Upgrade"},
    {"Connection", "keep-alive, Upgrade"},
    {"Sec-WebSocket-Version", "13"},
    {"Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits"},
    {"Pragma", "no-cache"},
    {"Cache-Control", "no-cache"},
    {"Host", {}},
    {"Origin", {}},
    {"User-Agent", {}},
    {"Sec-WebSocket-Key", {}},
    {"Sec-WebSocket-Version", {}},
    {"Sec-WebSocket-Protocol", {}},
    {"Sec-WebSocket-Extensions", {}},
    {"Sec-WebSocket-Origin", {}},
    {"Sec-WebSocket-Key1", {}},
    {"Sec-WebSocket-Key2", {}},
    {"Upgrade", {}},
    {"Connection", {}},
    {"Accept", {}},
    {"Accept-Encoding", {}},
    {"Accept-Language", {}},
    {"Authorization", {}},
    {"Cookie", {}},
    {"Forwarded", {}},
    {"Via", {}},
    {"X-Forwarded-For", {}},
    {"X-Forwarded-Host", {}},
    {"X-Forwarded-Port", {}},
    {"X-Forwarded-Proto", {}},
    {"X-Real-IP", {}},
});
static_assert(known_fields.size() < 0xFF);

enum class address_kind : unsigned char { unix_socket, v4, v6, v6_with_scope };

class packer {
public:
    void byte(unsigned value) { bytes_ += static_cast<char>(value); }
    // Seven bits in each byte, the last one without the eighth.
    void number(std::size_t value) {
        for (; value >= 0x80; value >>= 7) byte(0x80U | (value & 0x7FU));
        byte(static_cast<unsigned>(value));
    }
    void text(std::string_view value) {
        number(value.size());
        bytes_ += value;
    }
    void end(const endpoint& e) {
        if (e.is_unix()) {
            kind(address_kind::unix_socket);
            text(e.unix_name);
        } else if (e.address.is_v4()) {
            kind(address_kind::v4);
            raw(e.address.to_v4().to_bytes());
        } else {
            auto const address = e.address.to_v6();
            kind(address.scope_id() == 0 ? address_kind::v6 : address_kind::v6_with_scope);
            raw(address.to_bytes());
            if (address.scope_id() != 0) number(address.scope_id());
        }
        number(e.port);
    }
    void field(headers::field f) {
        for (std::size_t i = 0; i != known_fields.size(); ++i) {
            auto const& known = known_fields[i];
            if (known.name != f.name || !(known.value.empty() || known.value == f.value)) continue;
            byte(static_cast<unsigned>(i));
            if (known.value.empty()) text(f.value);
            return;
        }
        byte(known_fields.size());
        text(f.name);
        text(f.value);
    }
    [[nodiscard]] std::unique_ptr<char[]> packed() const {
        auto memory = std::make_unique_for_overwrite<char[]>(bytes_.size());
        bytes_.copy(memory.get(), bytes_.size());
        return memory;
    }

private:
    void kind(address_kind value) { byte(static_cast<unsigned>(value)); }
    template <typename Bytes>
    void raw(const Bytes& bytes) {
        for (unsigned const each : bytes) byte(each);
    }

    std::string bytes_;
};

class unpacker {
public:
    explicit unpacker(const char* at) noexcept : at_(at) {}

    unsigned byte() noexcept { return static_cast<unsigned char>(*at_++); }
    std::size_t number() noexcept {
        std::size_t value = 0;
        unsigned shift = 0;
        std::size_t next;
        do {
            next = byte();
            value |= (next & 0x7FU) << shift;
            shift += 7;
        } while ((next & 0x80U) != 0);
        return value;
    }
    std::string_view text() noexcept {
        auto const size = number();
        return {std::exchange(at_, at_ + size), size};
    }
    endpoint end() {
        endpoint e;
        switch (auto const kind = static_cast<address_kind>(byte())) {
            case address_kind::unix_socket: e.unix_name = text(); break;
            case address_kind::v4: e.address = ip::address_v4(raw<ip::address_v4::bytes_type>()); break;
            case address_kind::v6:
            case address_kind::v6_with_scope: {
                auto const bytes = raw<ip::address_v6::bytes_type>();
                auto const scope = kind == address_kind::v6 ? 0 : number();
                e.address = ip::address_v6(bytes, static_cast<unsigned>(scope));
                break;
            }
        }
        e.port = static_cast<std::uint16_t>(number());
        return e;
    }
    headers::field field() noexcept {
        auto const which = byte();
        if (which == known_fields.size()) {
            auto const name = text();
            return {name, text()};
        }
        auto const& known = known_fields[which];
        return {known.name, known.value.empty() ? text() : known.value};
    }

private:
    template <typename Bytes>
    Bytes raw() noexcept {
        Bytes bytes;
        for (auto& each : bytes) each = static_cast<unsigned char>(byte());
        return bytes;
    }

    const char* at_;
};

}  // namespace

opening::opening(const wsio::request& r, std::string_view subprotocol, std::any user_value) {
    packer to;
    to.text(subprotocol);
    to.text(r.method());
    to.text(r.target());
    to.byte(r.http_minor());
    to.byte(r.secure() ? 1 : 0);
    to.end(r.remote_endpoint());
    bool const other_client = r.client_endpoint() != r.remote_endpoint();
    to.byte(other_client ? 1 : 0);
    if (other_client) to.end(r.client_endpoint());
    to.number(r.headers().size());
    for (auto const& field : r.headers()) to.field(field);
    packed_ = to.packed();

    // Few connections have a certificate, and those are no small ones.
    if (r.client_certificate() != nullptr) rare().unpacked = std::make_unique<wsio::request>(r);
    if (user_value.has_value()) rare().user_value = std::move(user_value);
}

opening::rarely& opening::rare() const {
    if (!rare_) rare_ = std::make_unique<rarely>();
    return *rare_;
}

std::string_view opening::subprotocol() const noexcept {
    return packed_ ? unpacker(packed_.get()).text() : std::string_view();
}

const std::any& opening::user_value() const noexcept {
    static const std::any none;
    return rare_ ? rare_->user_value : none;
}

const wsio::request& opening::request() const {
    if (rare_ && rare_->unpacked) return *rare_->unpacked;
    unpacker from(packed_.get());
    static_cast<void>(from.text());  // the subprotocol
    auto const method = from.text();
    auto const target = from.text();
    auto whole = std::make_unique<wsio::request>(std::string(method), std::string(target));
    whole->http_minor(from.byte());
    whole->secure(from.byte() != 0);
    whole->remote_endpoint(from.end());
    if (from.byte() != 0) whole->client_endpoint(from.end());
    for (auto left = from.number(); left != 0; --left) {
        auto const [name, value] = from.field();
        whole->headers().add(name, value);
    }
    whole->headers().shrink_to_fit();
    rare().unpacked = std::move(whole);
    return *rare_->unpacked;
}

}  // namespace wsio::detail
