#pragma once

#include <wsio/headers.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "handshake/head_scanner.hpp"

namespace wsio::handshake {

/// Bounds what a response may bring.
struct response_limits {
    std::size_t head_size = 16 * 1024;  ///< Status line and header fields together, in bytes.
    std::size_t header_count = 100;     ///< Header fields.
};

/// Gives the first line of a text that somebody sent, printable and not too long.
[[nodiscard]] std::string first_line(std::string_view text);

/// Reads the head of an HTTP/1 response from pieces of a byte stream (RFC 9112), and the beginning of a body that says why
/// something was refused. Answers that only announce the one that counts are skipped. Does no I/O.
/// Thread safety: distinct objects safe, shared objects unsafe.
class response_reader {
public:
    enum class state { open, complete, failed };

    explicit response_reader(response_limits limits) noexcept
        : scanner_(limits.head_size, limits.header_count, head_scanner::message::answer) {}

    /// Takes everything that came since the response began.
    state put(std::string_view bytes);

    /// When `failed`: says why, for a person.
    [[nodiscard]] const std::string& problem() const noexcept { return problem_; }

    // When `complete`:
    [[nodiscard]] unsigned status() const noexcept { return status_; }
    [[nodiscard]] unsigned http_minor() const noexcept { return http_minor_; }
    [[nodiscard]] std::string_view reason() const noexcept { return reason_; }
    [[nodiscard]] const headers& fields() const noexcept { return fields_; }
    /// Gives where the head ends, with those that were skipped.
    [[nodiscard]] std::size_t head_size() const noexcept { return scanner_.end(); }

    /// Takes what came behind the head; tells whether as much of the body is there as is wanted or as there will be.
    bool put_body(std::string_view bytes);
    [[nodiscard]] const std::string& body() const noexcept { return body_; }

    /// Gives "503 Service Unavailable", and behind a colon the first line of the body if it is text.
    [[nodiscard]] std::string to_string() const;

    static constexpr std::size_t longest_body = 1024;

private:
    void read_head(std::string_view head);
    void skip_head();
    bool read_status_line(std::string_view line);
    bool read_field(std::string_view line);

    head_scanner scanner_;
    std::size_t begin_ = 0;  ///< Where the head begins, behind those that were skipped.
    state state_ = state::open;
    std::string problem_;
    unsigned status_ = 0;
    unsigned http_minor_ = 1;
    std::string reason_;
    headers fields_;
    std::string body_;
};

}  // namespace wsio::handshake
