#include <wsio/options.hpp>

#include <algorithm>
#include <stdexcept>
#include <variant>

#include "handshake/http_grammar.hpp"
#include "handshake/websocket_url.hpp"
#include "io/connecting.hpp"
#include "io/server_state.hpp"

namespace wsio {

verdict verdict::reject(unsigned status, std::string body) {
    if (status < 400 || status > 599)
        throw std::invalid_argument("wsio: a rejection needs an HTTP status from 400 to 599, not " +
                                    std::to_string(status));
    verdict v;
    v.accepted = false;
    v.status = status;
    v.body = std::move(body);
    return v;
}

namespace detail {

namespace {

void require(bool condition, const char* problem) {
    if (!condition) throw std::invalid_argument(std::string("wsio: ") + problem);
}

void validate(const limits& l) {
    require(l.head_size > 0, "limits.head_size must not be 0");
    require(l.header_count > 0, "limits.header_count must not be 0");
    require(l.message_size > 0, "limits.message_size must not be 0");
    require(l.streamed_message_size > 0, "limits.streamed_message_size must not be 0");
    require(l.fragments > 0, "limits.fragments must not be 0");
    require(l.read_ahead > 0, "limits.read_ahead must not be 0");
    require(l.outbox > 0, "limits.outbox must not be 0");
    require(l.accept_backlog > 0, "limits.accept_backlog must not be 0");
    require(l.connections > 0, "limits.connections must not be 0");
    require(l.connections_per_address > 0, "limits.connections_per_address must not be 0");
}

void validate(const timeouts& t) {
    require(t.handshake.count() > 0, "timeouts.handshake must be more than 0");
    require(t.close.count() > 0, "timeouts.close must be more than 0");
    require(t.ping.count() >= 0, "timeouts.ping must not be negative; 0 switches it off");
    require(t.pong.count() >= 0, "timeouts.pong must not be negative; 0 switches it off");
    require(t.idle.count() >= 0, "timeouts.idle must not be negative; 0 switches it off");
}

void validate(const compression& c) {
    require(c.level >= 1 && c.level <= 9, "compression.level must be 1 to 9");
    // 8 stands in RFC 7692, but zlib has no compressor for it; a client that asks for it gets what fits.
    require(c.window_bits >= 9 && c.window_bits <= 15, "compression.window_bits must be 9 to 15");
    require(c.client_window_bits >= 9 && c.client_window_bits <= 15, "compression.client_window_bits must be 9 to 15");
    require(c.memory_level >= 1 && c.memory_level <= 9, "compression.memory_level must be 1 to 9");
    require(c.idle.count() > 0, "compression.idle must be more than 0");
}

// What `options` and `http_options` say alike of a port.
template <typename Options>
void validate_port(const Options& settings) {
    validate(settings.limits);
    validate(settings.timeouts);
    require(settings.unix_permissions <= 0777,
            "options.unix_permissions must be from 0 to 0777; mind that octal numbers begin with a 0");
    require(!settings.proxy_protocol || !settings.trusted_proxies.empty(),
            "options.proxy_protocol needs options.trusted_proxies: who may send a PROXY header says who the client is");
}

}  // namespace

void validate(const http_options& settings) { validate_port(settings); }

void validate(const options& settings) {
    validate_port(settings);
    validate(settings.compression);
    require(settings.drain.deadline.count() > 0, "options.drain.deadline must be more than 0");
    require(settings.drain.spread.count() >= 0 && settings.drain.spread <= settings.drain.deadline,
            "options.drain.spread must be from 0 to the deadline");
    require(!settings.protocols.empty(), "options.protocols must name at least one protocol version");
    require(settings.path.empty() || settings.path.front() == '/', "options.path must begin with a slash");
    for (auto const& name : settings.subprotocols)
        require(handshake::is_token(name), ("options.subprotocols: \"" + name + "\" is not an HTTP token").c_str());
}

namespace {

// What the handshake, or what frames the message that it is, has for itself.
bool belongs_to_handshake(std::string_view name) {
    constexpr std::string_view prefix = "Sec-WebSocket-";
    if (handshake::equal_without_case(name.substr(0, prefix.size()), prefix)) return true;
    for (std::string_view own : {"Upgrade", "Connection", "Origin", "WebSocket-Protocol", "Content-Length",
                                 "Transfer-Encoding", "Trailer", "TE"})
        if (handshake::equal_without_case(name, own)) return true;
    return false;
}

}  // namespace

void validate(const client_options& settings) {
    validate(settings.limits);
    validate(settings.timeouts);
    validate(settings.compression);
    require(!settings.protocols.empty(), "client_options.protocols must name at least one protocol version");
    require(settings.connect_timeout.count() > 0, "client_options.connect_timeout must be more than 0");
    require(settings.next_address_after.count() > 0, "client_options.next_address_after must be more than 0");
    require(handshake::is_field_value(settings.origin), "client_options.origin holds a control character");
    for (auto const& name : settings.subprotocols) {
        require(handshake::is_token(name),
                ("client_options.subprotocols: \"" + name + "\" is not an HTTP token").c_str());
        require(std::ranges::count(settings.subprotocols, name) == 1,  // RFC 6455 4.1
                ("client_options.subprotocols: \"" + name + "\" stands there more than once").c_str());
    }
    if (auto const proxy = handshake::parse_proxy(settings.proxy); !settings.proxy.empty() && proxy.index() == 1)
        require(false, ("client_options.proxy: " + std::get<std::string>(proxy)).c_str());
    require(settings.fields.count("Host") <= 1, "client_options.fields has more than one Host");
    for (auto const& field : settings.fields)
        require(!belongs_to_handshake(field.name),
                ("client_options.fields: " + std::string(field.name) + " belongs to the handshake itself").c_str());
}

}  // namespace detail

}  // namespace wsio
