#include "io/client_tls_context.hpp"

#include <openssl/err.h>

#include <new>
#include <stdexcept>
#include <utility>

#include "handshake/ip_grammar.hpp"
#include "handshake/websocket_url.hpp"
#include "io/tls_files.hpp"

namespace wsio {

client_tls::client_tls(client_tls_options options)
    : context_(std::make_shared<const detail::client_tls_context>(std::move(options))) {}

std::shared_ptr<const detail::client_tls_context> client_tls::context() const {
    if (context_) return context_;
    static auto const defaults = std::make_shared<const detail::client_tls_context>(client_tls_options());
    return defaults;
}

namespace detail {

namespace {

void trust(SSL_CTX* context, const std::string& file) {
    if (file.empty()) {
        if (SSL_CTX_set_default_verify_paths(context) != 1)
            throw std::runtime_error("wsio: OpenSSL cannot read the system's authorities: " + take_openssl_error());
        return;
    }
    for (auto const& authority : read_certificates("CA", file))
        if (X509_STORE_add_cert(SSL_CTX_get_cert_store(context), authority.get()) != 1)
            throw std::runtime_error("wsio: OpenSSL refuses the CA " + file + ": " + take_openssl_error());
}

// Expects an address, of which no name is asked for (RFC 6066 3).
bool expect_address(SSL* ssl, const boost::asio::ip::address& address) {
    auto* const parameters = SSL_get0_param(ssl);
    if (address.is_v4()) {
        auto const bytes = address.to_v4().to_bytes();
        return X509_VERIFY_PARAM_set1_ip(parameters, bytes.data(), bytes.size()) == 1;
    }
    auto const bytes = address.to_v6().to_bytes();
    return X509_VERIFY_PARAM_set1_ip(parameters, bytes.data(), bytes.size()) == 1;
}

bool expect_name(SSL* ssl, const std::string& name) {
    // The subject's common name is no place for a host (RFC 9525 2).
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    return SSL_set1_host(ssl, name.c_str()) == 1 && SSL_set_tlsext_host_name(ssl, name.c_str()) == 1;
}

}  // namespace

client_tls_context::client_tls_context(client_tls_options options)
    : options_(std::move(options)), context_(SSL_CTX_new(TLS_client_method())) {
    if (!context_) throw std::bad_alloc();
    require_tls_option(options_.certificate.empty() == options_.key.empty(),
                       "client_tls_options.certificate and client_tls_options.key belong together");
    auto const& name = options_.server_name;
    // OpenSSL takes ".example.com" for every name below it.
    require_tls_option(name.empty() || handshake::parse_address(name) || handshake::is_host_name(name),
                       "client_tls_options.server_name must be the name of a host, or an address without a zone");
    set_common_rules(context_.get(), "client_tls_options", options_.minimum_version, options_.ciphers,
                     options_.cipher_suites);
    SSL_CTX_set_session_cache_mode(context_.get(), SSL_SESS_CACHE_OFF);
    if (!options_.certificate.empty())
        set_identity(context_.get(), read_certificates("certificate", options_.certificate),
                     {options_.certificate, options_.key});
    SSL_CTX_set_verify(context_.get(), options_.verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
    if (options_.verify) trust(context_.get(), options_.ca);
    // A server that also speaks HTTP/2 must not choose it (RFC 7301).
    static constexpr unsigned char ours[] = "\x08http/1.1";
    if (SSL_CTX_set_alpn_protos(context_.get(), ours, sizeof ours - 1) != 0) throw std::bad_alloc();
}

tls_expectation::tls_expectation(std::shared_ptr<const client_tls_context> c, const std::string& url_host,
                                 bool is_elsewhere)
    : context(std::move(c)),
      host(is_elsewhere || context->options().server_name.empty() ? url_host : context->options().server_name),
      elsewhere(is_elsewhere) {
    if (host.ends_with('.')) host.pop_back();  // no certificate has it (RFC 6066 3)
}

ssl_ptr tls_expectation::begin() const {
    ssl_ptr ssl(SSL_new(context->openssl()));
    if (!ssl) throw std::bad_alloc();
    SSL_set_connect_state(ssl.get());
    if (elsewhere) SSL_certs_clear(ssl.get());
    auto const address = handshake::parse_address(host);
    if (!(address ? expect_address(ssl.get(), *address) : expect_name(ssl.get(), host))) throw std::bad_alloc();
    return ssl;
}

error tls_expectation::why() const noexcept {
    switch (verify_result) {
        case X509_V_OK: return error::tls_failed;
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT: return error::certificate_self_signed;
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
        case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN: return error::certificate_unknown_authority;
        case X509_V_ERR_CERT_HAS_EXPIRED: return error::certificate_expired;
        case X509_V_ERR_CERT_NOT_YET_VALID: return error::certificate_not_yet_valid;
        case X509_V_ERR_HOSTNAME_MISMATCH:
        case X509_V_ERR_IP_ADDRESS_MISMATCH: return error::certificate_wrong_host;
        default: return error::certificate_bad;
    }
}

std::string tls_expectation::explain(const std::string& reason) const {
    if (verify_result == X509_V_OK) {
        std::string text = "the TLS handshake failed (" + reason + ')';
        if (reason.find("wrong version number") != std::string::npos ||
            reason.find("packet length too long") != std::string::npos)
            text += "; the port does not speak TLS: is it ws:// in place of wss://?";
        return text;
    }
    std::string const found = X509_verify_cert_error_string(verify_result);
    switch (why()) {
        case error::certificate_self_signed:
            return "the server's certificate is self-signed; if it is the right one, name it in client_tls_options.ca";
        case error::certificate_unknown_authority:
            return "no authority that is trusted has signed the server's certificate (" + found +
                   "); name the authority in client_tls_options.ca, or let the server send the whole chain";
        case error::certificate_expired:
            return "the server's certificate, or one above it, has expired; it has to be renewed, or the clock set";
        case error::certificate_not_yet_valid:
            return "the server's certificate, or one above it, is not valid yet; is the clock right?";
        case error::certificate_wrong_host:
            return "the server's certificate is not for \"" + host +
                   "\"; use a name that is in it, or client_tls_options.server_name";
        default: return "the server's certificate is not in order (" + found + ')';
    }
}

}  // namespace detail

}  // namespace wsio
