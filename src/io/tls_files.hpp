#pragma once

#include <wsio/tls.hpp>

#include <string>
#include <string_view>
#include <vector>

#include "io/openssl.hpp"

// What servers and clients do alike with certificates, keys and contexts. All throw `std::runtime_error` with one line that
// names the file, or `std::invalid_argument` that names the option.

namespace wsio::detail {

/// Reads the certificates of a file, at least one. `what` says what the file is for.
[[nodiscard]] std::vector<certificate_ptr> read_certificates(std::string_view what, const std::string& name);

/// Makes the context show a certificate, read already, and use its key.
void set_identity(SSL_CTX* context, const std::vector<certificate_ptr>& chain, const tls_certificate& files);

/// Sets what both roles keep to. `options_name` is what the options are called.
void set_common_rules(SSL_CTX* context, std::string_view options_name, tls_version minimum_version,
                      const std::string& ciphers, const std::string& cipher_suites);

/// Throws `std::invalid_argument` unless the condition holds.
void require_tls_option(bool condition, const std::string& problem);

}  // namespace wsio::detail
