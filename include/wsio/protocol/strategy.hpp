#pragma once

#include <wsio/byte_buffer.hpp>
#include <wsio/close_code.hpp>
#include <wsio/protocol/decoder.hpp>
#include <wsio/protocol_version.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace wsio::protocol {

/// What stands before and behind a payload on the wire. A server's payloads are never changed on the way out, so a
/// large one can be sent from where it lies. There is room for the masking key of a client.
struct envelope {
    std::array<char, 14> prefix;
    std::uint8_t prefix_size = 0;
    std::uint8_t suffix_size = 0;  ///< 1 for the hixie drafts, whose text ends with 0xFF; else 0.

    [[nodiscard]] std::string_view head() const noexcept { return {prefix.data(), prefix_size}; }
    [[nodiscard]] std::string_view tail() const noexcept { return {"\xff", suffix_size}; }
};

/// Knows all that differs between protocol versions once the handshake is over: how to decode, how to encode, how to
/// end. One immutable object for each version; `wsio::protocols` finds it. Does no I/O.
/// Thread safety: shared objects safe.
class strategy {
public:
    strategy(const strategy&) = delete;
    strategy& operator=(const strategy&) = delete;
    virtual ~strategy() = default;

    [[nodiscard]] protocol_version version() const noexcept { return version_; }

    /// Gives the family's name as WebSocket.IO wrote it: "websocket-hixie" or "websocket".
    [[nodiscard]] std::string_view name() const noexcept { return is_hybi(version_) ? "websocket" : "websocket-hixie"; }

    /// Tells whether binary messages, pings and pongs exist in this version.
    [[nodiscard]] bool has_binary() const noexcept { return is_hybi(version_); }

    /// Tells whether this version has a closing handshake; draft 75 ends with the TCP connection.
    [[nodiscard]] bool has_closing_handshake() const noexcept { return version_ != protocol_version::hixie_75; }

    /// Makes a decoder for what the peer of `role` sends.
    [[nodiscard]] virtual std::unique_ptr<decoder> make_decoder(role role, decoder_limits limits = {}) const = 0;

    /// Gives the envelope of one unfragmented, unmasked frame with `size` payload bytes. For the hixie drafts `type`
    /// must be text.
    [[nodiscard]] virtual envelope wrap(opcode type, std::size_t size) const noexcept = 0;

    /// Appends the closing frame: nothing for 75, FF 00 for 76, a close frame with code and reason for hybi. A code
    /// that must not be sent in this version is replaced by the nearest that may (RFC 6455 7.4, PROTOCOLS of the
    /// drafts); `no_status` gives an empty close frame. `reason` is cut at a character boundary to fit 123 bytes.
    virtual void encode_close(close_code code, std::string_view reason, byte_buffer& out) const = 0;

    /// Appends a whole frame: envelope and payload.
    void encode(opcode type, std::string_view payload, byte_buffer& out) const {
        auto const frame = wrap(type, payload.size());
        out.grow_by(frame.prefix_size + payload.size() + frame.suffix_size);
        out.append(frame.head());
        out.append(payload);
        out.append(frame.tail());
    }

protected:
    constexpr explicit strategy(protocol_version version) noexcept : version_(version) {}

private:
    protocol_version version_;
};

}  // namespace wsio::protocol
