#pragma once

#include <wsio/tls.hpp>

#include <memory>
#include <string>
#include <utility>

namespace wsio {

namespace detail {
class client_tls_context;
}

/// Configures the TLS of a client:
///
///     wsio::client_options const options{.tls = wsio::client_tls({.ca = "our-ca.pem"})};
struct client_tls_options {
    /// Whether the server's certificate has to be in order: signed by an authority that is trusted, within its time, and for
    /// this host. With false anybody can stand in for the server.
    bool verify = true;
    /// The authorities that are trusted, in place of the system's; a file in PEM format. It may also hold the one
    /// self-signed certificate that a server has.
    std::string ca = {};
    /// The client's own certificate, behind it those of the authorities between it and the root; a file in PEM format. For
    /// servers that ask for one.
    std::string certificate = {};
    /// The private key that belongs to it, without a passphrase; a file in PEM format.
    std::string key = {};
    /// The name of a host, or an address, to ask for (SNI, RFC 6066 3) and to look for in the certificate; empty for the
    /// host in the URL, as it is behind a redirect to another host.
    std::string server_name = {};
    /// The oldest version that is spoken.
    tls_version minimum_version = tls_version::tls_1_2;
    /// The ciphers of TLS 1.2, in OpenSSL's notation.
    std::string ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20";
    /// The ciphers of TLS 1.3, in OpenSSL's notation; empty for OpenSSL's own choice.
    std::string cipher_suites = {};
};

/// Stands for the certificates and rules of clients that speak TLS. A cheap, copyable handle; make one and use it for many
/// connections, because reading the files takes its time.
/// Thread safety: everything is safe on every thread.
class client_tls {
public:
    /// Means `client_tls_options` as they are: the system's authorities, and no certificate of one's own.
    client_tls() noexcept = default;

    /// Reads the files. Throws `std::runtime_error` with one line that names the file that is missing, cannot be read, or
    /// does not fit another, and `std::invalid_argument` when an option makes no sense.
    explicit client_tls(client_tls_options options);

    /// For the library itself: what the handle stands for. Throws as the constructor does.
    [[nodiscard]] std::shared_ptr<const detail::client_tls_context> context() const;

private:
    std::shared_ptr<const detail::client_tls_context> context_;
};

}  // namespace wsio
