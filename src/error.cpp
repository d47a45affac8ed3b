#include <wsio/error.hpp>

#include <string>

namespace wsio {

namespace {

const char* describe(error e) noexcept {
    switch (e) {
        case error::bad_url: return "the URL is no WebSocket URL";
        case error::name_not_resolved: return "the host's name cannot be resolved";
        case error::connection_refused: return "the connection was refused";
        case error::unreachable: return "the host cannot be reached";
        case error::resolve_timed_out: return "the name was not resolved in time";
        case error::connect_timed_out: return "the host did not answer in time";
        case error::proxy_timed_out: return "the proxy did not answer in time";
        case error::tls_timed_out: return "the TLS handshake took too long";
        case error::handshake_timed_out: return "the server did not answer the handshake in time";
        case error::proxy_refused: return "the proxy refused to connect";
        case error::proxy_unauthorized: return "the proxy wants credentials";
        case error::proxy_failed: return "the proxy did not answer as a proxy";
        case error::tls_failed: return "TLS failed";
        case error::certificate_unknown_authority: return "the certificate is of an unknown authority";
        case error::certificate_self_signed: return "the certificate is self-signed";
        case error::certificate_expired: return "the certificate has expired";
        case error::certificate_not_yet_valid: return "the certificate is not valid yet";
        case error::certificate_wrong_host: return "the certificate is for another host";
        case error::certificate_bad: return "the certificate is not in order";
        case error::connection_lost: return "the connection ended in the handshake";
        case error::bad_answer: return "the answer is not HTTP";
        case error::unexpected_status: return "the server refused the handshake";
        case error::bad_redirect: return "the redirect leads nowhere";
        case error::too_many_redirects: return "there were too many redirects";
        case error::wrong_upgrade: return "the answer has a wrong Upgrade field";
        case error::wrong_connection: return "the answer has a wrong Connection field";
        case error::wrong_accept_key: return "the answer has a wrong Sec-WebSocket-Accept field";
        case error::wrong_challenge_answer: return "the answer to the hixie-76 keys is wrong";
        case error::wrong_origin: return "the answer names another origin";
        case error::wrong_location: return "the answer names another URL";
        case error::wrong_subprotocol: return "the answer has a subprotocol that was not offered";
        case error::wrong_extension: return "the answer has an extension that was not offered";
    }
    return "unknown error";
}

// Boost's category has no virtual destructor, as none is ever destroyed through a pointer.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"

class category final : public boost::system::error_category {
public:
    [[nodiscard]] const char* name() const noexcept override { return "wsio"; }
    [[nodiscard]] std::string message(int value) const override { return describe(static_cast<error>(value)); }
};

#pragma GCC diagnostic pop

constexpr std::size_t longest_body = 1024;

}  // namespace

const boost::system::error_category& error_category() noexcept {
    static category const only;
    return only;
}

boost::system::error_code make_error_code(error e) noexcept { return {static_cast<int>(e), error_category()}; }

connect_error::connect_error(error why, const std::string& message, unsigned status, std::string_view body)
    : system_error(make_error_code(why)),
      details_(std::make_shared<const details>(
          details{"wsio: " + message, status, std::string(body.substr(0, longest_body))})) {}

}  // namespace wsio
