#include "io/tls_context.hpp"

#include <algorithm>
#include <new>
#include <stdexcept>
#include <utility>

#include "handshake/http_grammar.hpp"
#include "io/tls_files.hpp"

namespace wsio {

tls::tls(tls_options options) : context_(std::make_shared<detail::tls_context>(std::move(options))) {}

void tls::reload() const {
    if (context_) context_->reload();
}

namespace detail {

namespace {

std::string lower(std::string_view text) {
    std::string result(text);
    std::ranges::transform(result, result.begin(), handshake::to_lower);
    return result;
}

std::string_view view(const ASN1_STRING* text) {
    return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
            static_cast<std::size_t>(ASN1_STRING_length(text))};
}

// The names of hosts that a certificate is for: those of its extension, which make the common name void (RFC 6125 6.4.4).
std::vector<std::string> host_names(X509* certificate) {
    std::vector<std::string> names;
    names_ptr const extension(
        static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
    for (int i = 0; i < sk_GENERAL_NAME_num(extension.get()); ++i) {
        auto const* const name = sk_GENERAL_NAME_value(extension.get(), i);
        if (name->type == GEN_DNS) names.push_back(lower(view(name->d.dNSName)));
    }
    if (!names.empty()) return names;
    auto* const subject = X509_get_subject_name(certificate);
    if (int const at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1); at >= 0)
        names.push_back(lower(view(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)))));
    return names;
}

// RFC 7301 3.2: a client that offers protocols and not ours is told so.
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* size, const unsigned char* offered,
                    unsigned int offered_size, void*) {
    static constexpr unsigned char ours[] = "\x08http/1.1";
    auto* to = const_cast<unsigned char*>(*chosen);
    if (SSL_select_next_proto(&to, size, ours, sizeof ours - 1, offered, offered_size) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *chosen = to;
    return SSL_TLSEXT_ERR_OK;
}

int choose_certificate(SSL* ssl, int*, void* identities) noexcept try {
    auto const* const name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    auto* const context = name == nullptr ? nullptr : static_cast<const tls_identities*>(identities)->find(name);
    if (context == nullptr) return SSL_TLSEXT_ERR_NOACK;
    return SSL_set_SSL_CTX(ssl, context) != nullptr ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
} catch (const std::bad_alloc&) {  // which must not fly through OpenSSL
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

void set_rules(SSL_CTX* context, const tls_options& settings) {
    set_common_rules(context, "tls_options", settings.minimum_version, settings.ciphers, settings.cipher_suites);
    SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    // Sessions are resumed by tickets alone: their key is the context's, which all loops share, and nothing is kept.
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(context, 1);
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
}

void set_client_verification(SSL_CTX* context, const tls_options& settings) {
    if (settings.client_verify == client_verification::none) return;
    for (auto const& authority : read_certificates("client CA", settings.client_ca))
        if (X509_STORE_add_cert(SSL_CTX_get_cert_store(context), authority.get()) != 1 ||
            SSL_CTX_add_client_CA(context, authority.get()) != 1)
            throw std::runtime_error("wsio: OpenSSL refuses the client CA " + settings.client_ca + ": " +
                                     take_openssl_error());
    auto const required = settings.client_verify == client_verification::required;
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | (required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), nullptr);
    // Whoever resumes a session shows no certificate again; one that has expired meanwhile would still be believed.
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(context, 0);
}

}  // namespace

tls_identities::tls_identities(const tls_options& settings) {
    require_tls_option(!settings.certificate.empty(), "tls_options.certificate must name a file");
    require_tls_option(!settings.key.empty(), "tls_options.key must name a file");
    require_tls_option((settings.client_verify == client_verification::none) == settings.client_ca.empty(),
                       "tls_options.client_ca and tls_options.client_verify belong together");
    add(settings, {settings.certificate, settings.key});
    for (auto const& files : settings.more_certificates) {
        require_tls_option(!files.certificate.empty() && !files.key.empty(),
                           "tls_options.more_certificates: each must name a certificate and its key");
        add(settings, files);
    }
    if (contexts_.size() == 1) return;
    SSL_CTX_set_tlsext_servername_callback(first(), choose_certificate);
    SSL_CTX_set_tlsext_servername_arg(first(), this);
}

void tls_identities::add(const tls_options& settings, const tls_certificate& files) {
    auto const chain = read_certificates("certificate", files.certificate);
    ssl_context_ptr context(SSL_CTX_new(TLS_server_method()));
    if (!context) throw std::bad_alloc();
    set_rules(context.get(), settings);
    set_identity(context.get(), chain, files);
    set_client_verification(context.get(), settings);
    for (auto& name : host_names(chain.front().get())) by_name_.emplace(std::move(name), context.get());
    contexts_.push_back(std::move(context));
}

SSL_CTX* tls_identities::find(std::string_view name) const {
    auto wanted = lower(name);
    auto found = by_name_.find(wanted);
    if (auto const dot = wanted.find('.'); found == by_name_.end() && dot != std::string::npos)
        found = by_name_.find(wanted.replace(0, dot, "*"));  // for one label only (RFC 6125 6.4.3)
    return found == by_name_.end() ? nullptr : found->second;
}

}  // namespace detail

}  // namespace wsio
