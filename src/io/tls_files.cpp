#include "io/tls_files.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace wsio::detail {

namespace {

[[noreturn]] void fail(const std::string& problem) { throw std::runtime_error("wsio: " + problem); }

bio_ptr open_file(std::string_view what, const std::string& name) {
    ERR_clear_error();
    bio_ptr file(BIO_new_file(name.c_str(), "r"));
    if (file) return file;
    int const error = errno;
    ERR_clear_error();
    fail("cannot read the " + std::string(what) + " " + name + ": " + std::strerror(error));
}

key_ptr read_key(const std::string& name) {
    auto const file = open_file("key", name);
    auto const no_passphrase = [](char*, int, int, void*) { return -1; };
    key_ptr key(PEM_read_bio_PrivateKey(file.get(), nullptr, no_passphrase, nullptr));
    ERR_clear_error();
    if (!key) fail("the key " + name + " holds no private key in PEM format without a passphrase");
    return key;
}

}  // namespace

void require_tls_option(bool condition, const std::string& problem) {
    if (!condition) throw std::invalid_argument("wsio: " + problem);
}

std::vector<certificate_ptr> read_certificates(std::string_view what, const std::string& name) {
    auto const file = open_file(what, name);
    std::vector<certificate_ptr> all;
    while (certificate_ptr next{PEM_read_bio_X509(file.get(), nullptr, nullptr, nullptr)})
        all.push_back(std::move(next));
    // Behind the last one comes "no start line"; anything else is a certificate that is damaged.
    bool const at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    auto const error = take_openssl_error();
    if (!at_end) fail("the " + std::string(what) + " " + name + " is damaged: " + error);
    if (all.empty()) fail("the " + std::string(what) + " " + name + " holds no certificate in PEM format");
    return all;
}

void set_identity(SSL_CTX* context, const std::vector<certificate_ptr>& chain, const tls_certificate& files) {
    auto const refuse = [](const std::string& file) { fail("OpenSSL refuses " + file + ": " + take_openssl_error()); };
    auto const key = read_key(files.key);
    if (X509_check_private_key(chain.front().get(), key.get()) != 1) {
        ERR_clear_error();
        fail("the key " + files.key + " does not belong to the certificate " + files.certificate);
    }
    if (SSL_CTX_use_certificate(context, chain.front().get()) != 1) refuse(files.certificate);
    for (std::size_t i = 1; i < chain.size(); ++i)
        if (SSL_CTX_add1_chain_cert(context, chain[i].get()) != 1) refuse(files.certificate);
    if (SSL_CTX_use_PrivateKey(context, key.get()) != 1) refuse(files.key);
}

void set_common_rules(SSL_CTX* context, std::string_view options_name, tls_version minimum_version,
                      const std::string& ciphers, const std::string& cipher_suites) {
    SSL_CTX_set_min_proto_version(context, minimum_version == tls_version::tls_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
    // Writing goes on from wherever the rest lies then, and an idle connection holds no buffers.
    SSL_CTX_set_mode(context,
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(context, 1);
    auto const prefix = std::string(options_name);
    if (SSL_CTX_set_cipher_list(context, ciphers.c_str()) != 1)
        require_tls_option(false, prefix + ".ciphers: OpenSSL knows nothing of \"" + ciphers + '"');
    if (!cipher_suites.empty() && SSL_CTX_set_ciphersuites(context, cipher_suites.c_str()) != 1)
        require_tls_option(false, prefix + ".cipher_suites: OpenSSL knows not all of \"" + cipher_suites + '"');
}

}  // namespace wsio::detail
