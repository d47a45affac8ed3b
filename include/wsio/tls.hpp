#pragma once

#include <memory>
#include <string>
#include <vector>

namespace wsio {

namespace detail {
class tls_context;
}

/// Names a certificate and its key, both files in PEM format.
struct tls_certificate {
    /// The server's certificate, behind it those of the authorities between it and the root ("fullchain.pem").
    std::string certificate = {};
    /// The private key that belongs to it, without a passphrase.
    std::string key = {};
};

/// Whether clients have to show a certificate of their own.
enum class client_verification {
    none,      ///< They are not asked.
    optional,  ///< They are asked. One without is let in; one whose certificate is not in order is not.
    required,  ///< Only those with a certificate that is in order are let in.
};

/// The versions of TLS that can be spoken.
enum class tls_version { tls_1_2, tls_1_3 };

/// Configures TLS:
///
///     wsio::tls({.certificate = "fullchain.pem", .key = "privkey.pem"})
struct tls_options {
    /// The server's certificate, behind it those of the authorities between it and the root; a file in PEM format.
    std::string certificate = {};
    /// The private key that belongs to it, without a passphrase; a file in PEM format.
    std::string key = {};
    /// Further certificates. Each is shown to the clients that ask for one of the names in it (SNI, RFC 6066 3), a name
    /// such as "*.example.com" included; all others see the first, `certificate`.
    std::vector<tls_certificate> more_certificates = {};
    /// The authorities that sign the certificates of clients; a file in PEM format. Needed unless `client_verify` is none.
    std::string client_ca = {};
    /// Whether clients have to show a certificate. `request::client_certificate` has what it says.
    client_verification client_verify = client_verification::none;
    /// The oldest version that is spoken.
    tls_version minimum_version = tls_version::tls_1_2;
    /// The ciphers of TLS 1.2, in OpenSSL's notation. By default those with forward secrecy and authenticated encryption.
    std::string ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20";
    /// The ciphers of TLS 1.3, in OpenSSL's notation; empty for OpenSSL's own choice.
    std::string cipher_suites = {};
};

/// Stands for the certificates and rules of a server that speaks TLS; an option of every server. A cheap, copyable handle:
/// all copies mean the same, so that one `reload` reaches every server and every thread.
/// Thread safety: everything is safe on every thread.
class tls {
public:
    /// Means no TLS.
    tls() noexcept = default;

    /// Reads the files. Throws `std::runtime_error` with one line that names the file that is missing, cannot be read, or
    /// does not fit another, and `std::invalid_argument` when an option makes no sense.
    explicit tls(tls_options options);

    /// Reads the files again. Connections that begin from now on get what is in them; those that are open go on. Throws as
    /// the constructor does, and then everything stays as it was. Does nothing when this means no TLS.
    void reload() const;

    /// Tells whether this means TLS.
    [[nodiscard]] explicit operator bool() const noexcept { return context_ != nullptr; }

    /// For the library itself: what the handle stands for.
    [[nodiscard]] const std::shared_ptr<detail::tls_context>& context() const noexcept { return context_; }

private:
    std::shared_ptr<detail::tls_context> context_;
};

/// What the certificate of a client says. It was in order when the connection began: signed by an authority of
/// `tls_options::client_ca`, within its time, and meant for clients.
struct client_certificate {
    /// The whole name, such as "CN=Ada Lovelace,O=Example" (RFC 4514).
    std::string subject;
    /// The name's "CN" alone, in UTF-8; empty when there is none.
    std::string common_name;
    /// Further names, each with its kind: "DNS:example.com", "email:ada@example.com", "URI:urn:ada".
    std::vector<std::string> alternative_names;
    /// The name of who signed it.
    std::string issuer;
    /// The number that the issuer gave it, in hexadecimal digits.
    std::string serial;
    /// The SHA-256 digest of the whole certificate, in hexadecimal digits.
    std::string fingerprint;
};

}  // namespace wsio
