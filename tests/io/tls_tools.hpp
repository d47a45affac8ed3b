#pragma once

#include <wsio/tls.hpp>

#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>

#include "io/openssl.hpp"

// What the tests of TLS share: an authority that signs certificates, and the client's end of a connection, which gives and
// takes bytes and leaves the network to whoever uses it.

namespace wsio::test {

/// A folder that is there as long as the object.
class temporary_folder {
public:
    temporary_folder();
    temporary_folder(const temporary_folder&) = delete;
    temporary_folder& operator=(const temporary_folder&) = delete;
    ~temporary_folder();

    /// Gives the name of a file in the folder.
    [[nodiscard]] std::string file(std::string_view name) const { return (path_ / name).string(); }

    /// Writes a file in the folder and gives its name.
    std::string write(std::string_view name, std::string_view content) const;

private:
    std::filesystem::path path_;
};

/// A certificate and its key, in memory and as PEM.
struct identity {
    detail::key_ptr key;
    detail::certificate_ptr certificate;

    [[nodiscard]] std::string certificate_pem() const;
    [[nodiscard]] std::string key_pem() const;

    /// Writes both as NAME.pem and NAME.key.
    tls_certificate save(const temporary_folder& folder, std::string_view name) const;
};

enum class purpose { server, client };

/// Signs certificates.
class authority {
public:
    explicit authority(std::string_view name = "Test CA");

    /// Makes a certificate. `names` are as OpenSSL writes them: "DNS:example.com".
    [[nodiscard]] identity issue(std::string_view common_name, std::string_view names = "DNS:localhost",
                                 purpose = purpose::server, long days = 2) const;

    [[nodiscard]] const identity& own() const noexcept { return own_; }

private:
    identity own_;
};

/// The client's end of a TLS connection.
class tls_peer {
public:
    struct settings {
        const authority* trusted = nullptr;  ///< Null: whatever the server shows is taken.
        const identity* certificate = nullptr;
        std::string server_name = "localhost";
        std::string protocols = "\x08http/1.1";
        int version = 0;  ///< TLS1_2_VERSION or TLS1_3_VERSION; 0 for both.
    };

    explicit tls_peer(const settings& wanted);

    /// Takes what came from the network.
    void feed(std::string_view ciphertext) { BIO_write(in_, ciphertext.data(), static_cast<int>(ciphertext.size())); }

    /// Gives what has to go to the network.
    [[nodiscard]] std::string drain();

    /// Goes on with the handshake; tells whether it is over. Throws `std::runtime_error` with the reason when it failed.
    bool shake_hands();

    /// Encrypts.
    void write(std::string_view text);

    /// Decrypts what is there.
    std::string read();

    /// Tells whether the server has said that it sends no more.
    [[nodiscard]] bool server_said_goodbye() const {
        return (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0;
    }

    /// Says that the client sends no more.
    void say_goodbye() { SSL_shutdown(ssl_.get()); }

    [[nodiscard]] SSL* ssl() const noexcept { return ssl_.get(); }
    [[nodiscard]] std::string server_common_name() const;

private:
    detail::ssl_context_ptr context_;
    detail::ssl_ptr ssl_;
    BIO* in_;   // owned by ssl_
    BIO* out_;  // owned by ssl_
};

}  // namespace wsio::test
