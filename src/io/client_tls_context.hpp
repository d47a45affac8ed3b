#pragma once

#include <wsio/client_tls.hpp>
#include <wsio/error.hpp>

#include <memory>
#include <string>

#include "io/openssl.hpp"

namespace wsio::detail {

/// What a `client_tls` handle stands for. Never changed, so every thread may use it.
class client_tls_context {
public:
    /// Reads the files. Throws as `client_tls` does.
    explicit client_tls_context(client_tls_options options);

    [[nodiscard]] SSL_CTX* openssl() const noexcept { return context_.get(); }
    [[nodiscard]] const client_tls_options& options() const noexcept { return options_; }

private:
    client_tls_options options_;
    ssl_context_ptr context_;
};

/// What a client wants of one TLS connection, and what came of the server's certificate.
struct tls_expectation {
    std::shared_ptr<const client_tls_context> context;
    std::string host;                ///< The name or address that the certificate has to be for.
    bool elsewhere;                  ///< On a server that `server_name` and the client's certificate are not for.
    long verify_result = X509_V_OK;  ///< What OpenSSL found, when TLS has failed.

    tls_expectation(std::shared_ptr<const client_tls_context> c, const std::string& url_host, bool is_elsewhere);

    /// Makes what a connection begins with. Throws `std::bad_alloc`.
    [[nodiscard]] ssl_ptr begin() const;

    /// Says what `verify_result` means; `error::tls_failed` when the certificate was in order.
    [[nodiscard]] error why() const noexcept;

    /// Says the same for a person, with what to do; `reason` is OpenSSL's.
    [[nodiscard]] std::string explain(const std::string& reason) const;
};

}  // namespace wsio::detail
