#pragma once

#include <wsio/tls.hpp>

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "io/openssl.hpp"

namespace wsio::detail {

/// The certificates of a server as they were when they were read, ready for use. Never changed, so every thread may use
/// it; a connection keeps the one that it began with.
class tls_identities {
public:
    /// Reads the files. Throws as `tls` does.
    explicit tls_identities(const tls_options& settings);
    tls_identities(const tls_identities&) = delete;  // OpenSSL's callbacks have its address
    tls_identities& operator=(const tls_identities&) = delete;

    /// Gives what a connection begins with.
    [[nodiscard]] SSL_CTX* first() const noexcept { return contexts_.front().get(); }

    /// Gives what a client is shown that asks for `name`; null when no certificate has the name.
    [[nodiscard]] SSL_CTX* find(std::string_view name) const;

private:
    void add(const tls_options& settings, const tls_certificate& files);

    std::vector<ssl_context_ptr> contexts_;
    std::map<std::string, SSL_CTX*, std::less<>> by_name_;
};

/// What a `tls` handle stands for: the options, and the identities that were read last.
/// Thread safety: safe on every thread.
class tls_context {
public:
    explicit tls_context(tls_options settings)
        : settings_(std::move(settings)), current_(std::make_shared<const tls_identities>(settings_)) {}

    [[nodiscard]] std::shared_ptr<const tls_identities> current() const {
        std::lock_guard const lock(mutex_);
        return current_;
    }

    void reload() {
        auto fresh = std::make_shared<const tls_identities>(settings_);
        std::lock_guard const lock(mutex_);
        current_.swap(fresh);
    }

private:
    tls_options const settings_;
    mutable std::mutex mutex_;
    std::shared_ptr<const tls_identities> current_;
};

}  // namespace wsio::detail
