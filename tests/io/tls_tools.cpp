#include "io/tls_tools.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <functional>
#include <stdexcept>

namespace wsio::test {

namespace {

// What cannot go wrong; if it does, the test ends with OpenSSL's reason.
template <typename Result>
Result must(Result result) {
    if (!result) throw std::runtime_error("OpenSSL: " + detail::take_openssl_error());
    return result;
}

std::string pem(const std::function<int(BIO*)>& write) {
    detail::bio_ptr const out(must(BIO_new(BIO_s_mem())));
    must(write(out.get()));
    char* data = nullptr;
    auto const size = BIO_get_mem_data(out.get(), &data);
    return {data, static_cast<std::size_t>(size)};
}

void add_extension(X509* certificate, X509* issuer, int kind, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    auto* const extension = must(X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
    must(X509_add_ext(certificate, extension, -1));
    X509_EXTENSION_free(extension);
}

void add_name(X509_NAME* name, const char* field, std::string_view value) {
    must(X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(value.data()),
                                    static_cast<int>(value.size()), -1, 0));
}

// A certificate that is not signed yet.
identity unsigned_identity(std::string_view common_name, long days) {
    static long serial = 0x1000;
    identity made{detail::key_ptr(must(EVP_EC_gen("P-256"))), detail::certificate_ptr(must(X509_new()))};
    auto* const certificate = made.certificate.get();
    must(X509_set_version(certificate, X509_VERSION_3));
    must(ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial));
    must(X509_gmtime_adj(X509_getm_notBefore(certificate), -10 * 24 * 3600));
    must(X509_gmtime_adj(X509_getm_notAfter(certificate), days * 24 * 3600));
    must(X509_set_pubkey(certificate, made.key.get()));
    add_name(X509_get_subject_name(certificate), "O", "wsio");
    add_name(X509_get_subject_name(certificate), "CN", common_name);
    return made;
}

void sign(identity& made, const identity& issuer) {
    must(X509_set_issuer_name(made.certificate.get(), X509_get_subject_name(issuer.certificate.get())));
    must(X509_sign(made.certificate.get(), issuer.key.get(), EVP_sha256()));
}

}  // namespace

temporary_folder::temporary_folder() {
    auto name = (std::filesystem::temp_directory_path() / "wsio-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = name;
}

temporary_folder::~temporary_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

std::string temporary_folder::write(std::string_view name, std::string_view content) const {
    auto const full = file(name);
    std::ofstream(full, std::ios::binary) << content;
    return full;
}

std::string identity::certificate_pem() const {
    return pem([this](BIO* out) { return PEM_write_bio_X509(out, certificate.get()); });
}

std::string identity::key_pem() const {
    return pem(
        [this](BIO* out) { return PEM_write_bio_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr); });
}

tls_certificate identity::save(const temporary_folder& folder, std::string_view name) const {
    return {folder.write(std::string(name) + ".pem", certificate_pem()),
            folder.write(std::string(name) + ".key", key_pem())};
}

authority::authority(std::string_view name) : own_(unsigned_identity(name, 10)) {
    auto* const certificate = own_.certificate.get();
    must(X509_set_issuer_name(certificate, X509_get_subject_name(certificate)));
    add_extension(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(certificate, certificate, NID_subject_key_identifier, "hash");
    sign(own_, own_);
}

identity authority::issue(std::string_view common_name, std::string_view names, purpose use, long days) const {
    auto made = unsigned_identity(common_name, days);
    auto* const certificate = made.certificate.get();
    add_extension(certificate, own_.certificate.get(), NID_basic_constraints, "critical,CA:FALSE");
    add_extension(certificate, own_.certificate.get(), NID_ext_key_usage,
                  use == purpose::server ? "serverAuth" : "clientAuth");
    if (!names.empty()) add_extension(certificate, own_.certificate.get(), NID_subject_alt_name, std::string(names));
    sign(made, own_);
    return made;
}

tls_peer::tls_peer(const settings& wanted) : context_(must(SSL_CTX_new(TLS_client_method()))) {
    if (wanted.version != 0) {
        must(SSL_CTX_set_min_proto_version(context_.get(), wanted.version));
        must(SSL_CTX_set_max_proto_version(context_.get(), wanted.version));
    }
    if (wanted.trusted != nullptr) {
        SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
        must(X509_STORE_add_cert(SSL_CTX_get_cert_store(context_.get()), wanted.trusted->own().certificate.get()));
    }
    if (wanted.certificate != nullptr) {
        must(SSL_CTX_use_certificate(context_.get(), wanted.certificate->certificate.get()));
        must(SSL_CTX_use_PrivateKey(context_.get(), wanted.certificate->key.get()));
    }
    SSL_CTX_set_max_cert_list(context_.get(), 16 * 1024 * 1024);  // some tests need a chain that is long
    ssl_.reset(must(SSL_new(context_.get())));
    if (!wanted.protocols.empty())
        SSL_set_alpn_protos(ssl_.get(), reinterpret_cast<const unsigned char*>(wanted.protocols.data()),
                            static_cast<unsigned>(wanted.protocols.size()));
    if (!wanted.server_name.empty()) {
        must(SSL_set_tlsext_host_name(ssl_.get(), wanted.server_name.c_str()));
        if (wanted.trusted != nullptr) must(SSL_set1_host(ssl_.get(), wanted.server_name.c_str()));
    }
    in_ = must(BIO_new(BIO_s_mem()));
    out_ = must(BIO_new(BIO_s_mem()));
    BIO_set_mem_eof_return(in_, -1);
    SSL_set_bio(ssl_.get(), in_, out_);
    SSL_set_connect_state(ssl_.get());
}

std::string tls_peer::drain() {
    char* data = nullptr;
    auto const size = BIO_get_mem_data(out_, &data);
    std::string bytes(data, static_cast<std::size_t>(size));
    static_cast<void>(BIO_reset(out_));
    return bytes;
}

bool tls_peer::shake_hands() {
    ERR_clear_error();
    int const done = SSL_do_handshake(ssl_.get());
    if (done == 1) return true;
    if (SSL_get_error(ssl_.get(), done) != SSL_ERROR_WANT_READ) throw std::runtime_error(detail::take_openssl_error());
    return false;
}

void tls_peer::write(std::string_view text) {
    ERR_clear_error();
    std::size_t written = 0;
    must(SSL_write_ex(ssl_.get(), text.data(), text.size(), &written));
}

std::string tls_peer::read() {
    std::string text;
    std::array<char, 16384> block;
    for (;;) {
        ERR_clear_error();
        std::size_t count = 0;
        if (SSL_read_ex(ssl_.get(), block.data(), block.size(), &count) == 1) {
            text.append(block.data(), count);
            continue;
        }
        if (SSL_get_error(ssl_.get(), 0) == SSL_ERROR_SSL) throw std::runtime_error(detail::take_openssl_error());
        return text;
    }
}

std::string tls_peer::server_common_name() const {
    auto* const certificate = SSL_get0_peer_certificate(ssl_.get());
    if (certificate == nullptr) return {};
    std::array<char, 100> name{};
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name.data(), name.size());
    return name.data();
}

}  // namespace wsio::test
