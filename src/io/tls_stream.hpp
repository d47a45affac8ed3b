#pragma once

#include <wsio/byte_buffer.hpp>
#include <wsio/tls.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "io/client_tls_context.hpp"
#include "io/openssl.hpp"
#include "io/tls_context.hpp"

namespace wsio::detail {

/// One end of a TLS connection, on a non-blocking socket that somebody else owns and waits for. The TLS
/// handshake is a part of receiving: nothing is received before it is over.
///
/// OpenSSL may want to write when it is asked to read, and the other way round (a key update, RFC 8446 4.6.3). So each
/// operation says what it waits for.
class tls_stream {
public:
    /// `early` was received already, before TLS began.
    tls_stream(std::shared_ptr<const tls_identities> identities, int fd, std::string_view early = {});
    /// The client's end. It speaks first: the first `receive` sends its greeting.
    tls_stream(std::shared_ptr<tls_expectation> expectation, int fd, std::string_view early = {});
    tls_stream(const tls_stream&) = delete;  // OpenSSL has its address
    tls_stream& operator=(const tls_stream&) = delete;

    enum class outcome : std::uint8_t {
        data,            ///< `count` bytes were received.
        would_block,     ///< Nothing is there; again when the socket is readable.
        wants_to_write,  ///< Again when the socket is writable.
        ended,           ///< The peer has sent all that it will.
        failed,          ///< TLS is broken, `failure` says how; nothing may be sent or received any more.
    };

    struct received {
        outcome result;
        std::size_t count = 0;
        /// There may be more, here or in the socket, which no readiness will tell of.
        bool more = false;
        /// Bytes came from the network, those of the handshake included.
        bool progress = false;
    };

    /// Receives until `room` is full or the socket is empty.
    received receive(std::span<char> room);

    /// Writes the pieces, one behind the other, in as few records as they fit in. Gives how many bytes are gone, 0 when the
    /// socket is full, -1 when TLS or the network failed. What is not gone must come again next time, first, perhaps from
    /// elsewhere.
    [[nodiscard]] std::ptrdiff_t write(std::string_view a, std::string_view b = {}, std::string_view c = {},
                                       std::string_view d = {});

    /// Tells whether the last write has to wait until the socket is readable, not writable.
    [[nodiscard]] bool write_wants_to_read() const noexcept { return write_wants_to_read_; }

    /// Says that nothing more will be sent (close_notify, RFC 8446 6.1); true when that is done or pointless, false when
    /// the socket is full.
    [[nodiscard]] bool end();

    /// Tells whether the handshake has come to its end, whatever happened since.
    [[nodiscard]] bool established() const noexcept { return established_; }

    /// Tells whether this is the client's end.
    [[nodiscard]] bool is_client() const noexcept { return expectation_ != nullptr; }

    /// Tells whether the peer spoke HTTP in place of TLS.
    [[nodiscard]] bool plain_http() const noexcept { return plain_http_; }

    /// Says what went wrong.
    [[nodiscard]] const std::string& failure() const noexcept { return failure_; }

    /// Gives what the peer's certificate says; null when it showed none.
    [[nodiscard]] std::shared_ptr<const client_certificate> peer_certificate() const;

private:
    struct transport;  // what OpenSSL calls

    std::size_t take_early(char* to, std::size_t size) noexcept;
    outcome outcome_of_failure(int error);

    void attach();

    std::shared_ptr<const void> held_;        ///< Certificates and rules, which OpenSSL refers to.
    tls_expectation* expectation_ = nullptr;  ///< The client's; the same as `held_`.
    int fd_;
    int receives_left_ = 0;      ///< What OpenSSL may still ask of the socket in this turn.
    bool socket_empty_ = false;  ///< The last receive took all there was.
    bool socket_ended_ = false;
    bool established_ = false;
    bool progress_ = false;
    bool write_wants_to_read_ = false;
    bool plain_http_ = false;
    byte_buffer early_;
    std::size_t unfinished_ = 0;  ///< How many bytes a write that has to be repeated was for.
    std::string failure_;
    ssl_ptr ssl_;
};

}  // namespace wsio::detail
