#pragma once

#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <type_traits>

namespace wsio {

/// Says why a client could not connect; each is an error code of its own:
///
///     catch (const wsio::connect_error& e) {
///         if (e.code() == wsio::error::connection_refused) …
enum class error {
    bad_url = 1,                    ///< The URL is no WebSocket URL.
    name_not_resolved,              ///< The host's name has no address.
    connection_refused,             ///< Nobody listens on the port.
    unreachable,                    ///< TCP failed in another way: no route, no permission.
    resolve_timed_out,              ///< The name was not resolved in time.
    connect_timed_out,              ///< No address answered in time.
    proxy_timed_out,                ///< The proxy did not answer in time.
    tls_timed_out,                  ///< The TLS handshake took too long.
    handshake_timed_out,            ///< The server did not answer the WebSocket handshake in time.
    proxy_refused,                  ///< The proxy does not connect to the server.
    proxy_unauthorized,             ///< The proxy wants (other) credentials.
    proxy_failed,                   ///< What stands at the proxy's address did not answer as one.
    tls_failed,                     ///< TLS failed; not over the server's certificate.
    certificate_unknown_authority,  ///< No authority that is trusted has signed the server's certificate.
    certificate_self_signed,        ///< The server's certificate is signed by itself alone.
    certificate_expired,            ///< The server's certificate, or one above it, has expired.
    certificate_not_yet_valid,  ///< The server's certificate, or one above it, is not valid yet; or a clock is wrong.
    certificate_wrong_host,     ///< The server's certificate is for other hosts.
    certificate_bad,            ///< Anything else about the server's certificate.
    connection_lost,            ///< The connection ended before the server's answer was there.
    bad_answer,                 ///< The answer is not HTTP/1.1, is malformed or is too large.
    unexpected_status,          ///< The server answered with another status than 101.
    bad_redirect,               ///< A redirect leads to no place that may be gone to.
    too_many_redirects,         ///< There were more redirects than `client_options::redirects`.
    wrong_upgrade,              ///< The Upgrade field of the answer is missing or wrong.
    wrong_connection,           ///< The Connection field of the answer is missing or wrong.
    wrong_accept_key,           ///< Sec-WebSocket-Accept is missing or wrong (7, 8, 13).
    wrong_challenge_answer,     ///< The 16 bytes behind the head are wrong (hixie-76).
    wrong_origin,               ///< The origin did not come back as it was sent (hixie-75, hixie-76).
    wrong_location,             ///< The URL did not come back as it was sent (hixie-75, hixie-76).
    wrong_subprotocol,          ///< The server chose a subprotocol that was not offered.
    wrong_extension,            ///< The server uses an extension that was not offered, or not in this way.
};

/// Gives the category of `error`; its name is "wsio".
[[nodiscard]] const boost::system::error_category& error_category() noexcept;

/// Makes an error code; also done by comparison and conversion.
[[nodiscard]] boost::system::error_code make_error_code(error e) noexcept;

/// Why a client could not connect. `what()` is one line for a person: what failed, what was met, what to do.
/// Thread safety: shared objects safe.
class connect_error : public boost::system::system_error {
public:
    /// `status` and `body` are what an HTTP server or proxy answered, if it did.
    connect_error(error why, const std::string& message, unsigned status = 0, std::string_view body = {});

    /// Gives the line.
    [[nodiscard]] const char* what() const noexcept override { return details_->what.c_str(); }

    /// Gives the error itself, for a `switch`.
    [[nodiscard]] error why() const noexcept { return static_cast<error>(code().value()); }

    /// Gives the HTTP status that the server or the proxy answered with; 0 when there was none.
    [[nodiscard]] unsigned http_status() const noexcept { return details_->status; }

    /// Gives the first bytes of the body that came with it, at most 1024.
    [[nodiscard]] std::string_view body() const noexcept { return details_->body; }

private:
    struct details {
        std::string what;
        unsigned status;
        std::string body;
    };
    std::shared_ptr<const details> details_;
};

}  // namespace wsio

template <>
struct boost::system::is_error_code_enum<wsio::error> : std::true_type {};
