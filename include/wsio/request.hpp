#pragma once

#include <wsio/endpoint.hpp>
#include <wsio/headers.hpp>
#include <wsio/tls.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace wsio {

/// Holds an HTTP request: the one that began a WebSocket connection, or an ordinary one that a handler of
/// `http_server` answers. Thread safety: distinct objects safe, shared objects safe while nobody changes them.
class request {
public:
    request() = default;

    /// Makes a request from its parts. `target` is the request target as it stood in the request line.
    request(std::string method, std::string target, headers fields = {})
        : method_(std::move(method)), target_(std::move(target)), headers_(std::move(fields)) {}

    /// Gives the method, such as "GET".
    [[nodiscard]] std::string_view method() const noexcept { return method_; }

    /// Gives the request target as it was sent, such as "/chat?room=1".
    [[nodiscard]] std::string_view target() const noexcept { return target_; }

    /// Gives the target's part before the query, such as "/chat", as it was sent (percent signs are not decoded).
    [[nodiscard]] std::string_view path() const noexcept {
        return std::string_view(target_).substr(0, target_.find('?'));
    }

    /// Gives the target's part behind the first question mark, such as "room=1"; empty when there is none.
    [[nodiscard]] std::string_view query() const noexcept {
        auto const mark = target_.find('?');
        return mark == std::string::npos ? std::string_view() : std::string_view(target_).substr(mark + 1);
    }

    /// Gives the value of one field of the query ("room" in "room=1&name=a%20b"), decoded (percent and plus signs);
    /// empty when the field is absent.
    [[nodiscard]] std::string query(std::string_view name) const;

    /// Gives the header fields in their order.
    [[nodiscard]] const wsio::headers& headers() const noexcept { return headers_; }
    [[nodiscard]] wsio::headers& headers() noexcept { return headers_; }

    /// Gives the value of the first header field called `name` (case does not matter), or an empty text.
    [[nodiscard]] std::string_view header(std::string_view name) const noexcept { return headers_[name]; }

    /// Gives the minor version of HTTP/1: 0 or 1.
    [[nodiscard]] unsigned http_minor() const noexcept { return http_minor_; }
    void http_minor(unsigned minor) noexcept { http_minor_ = static_cast<unsigned char>(minor); }

    /// Gives the body; always empty for a WebSocket handshake.
    [[nodiscard]] std::string_view body() const noexcept { return body_; }
    void body(std::string bytes) { body_ = std::move(bytes); }

    /// Gives the other end of the connection; a proxy, if there is one.
    [[nodiscard]] const endpoint& remote_endpoint() const noexcept { return remote_; }
    void remote_endpoint(endpoint remote) { remote_ = std::move(remote); }

    /// Gives who sent the request: the other end of the connection, or whom trusted proxies name
    /// (`options::trusted_proxies`). Most header fields name an address only; the port is 0 then.
    [[nodiscard]] const endpoint& client_endpoint() const noexcept { return client_ ? *client_ : remote_; }
    void client_endpoint(endpoint client) { client_ = std::move(client); }

    /// Tells whether the client used TLS: on this connection, or as a trusted proxy says (`options::trusted_proxies`).
    [[nodiscard]] bool secure() const noexcept { return secure_; }
    void secure(bool value) noexcept { secure_ = value; }

    /// Gives what the client's certificate says, which was in order (`tls_options::client_verify`); null when it showed
    /// none.
    [[nodiscard]] const wsio::client_certificate* client_certificate() const noexcept { return certificate_.get(); }
    void client_certificate(std::shared_ptr<const wsio::client_certificate> shown) noexcept {
        certificate_ = std::move(shown);
    }

private:
    std::string method_;
    std::string target_;
    wsio::headers headers_;
    std::string body_;
    endpoint remote_;
    std::shared_ptr<const wsio::client_certificate> certificate_;
    std::optional<endpoint> client_;  ///< When it is another one.
    bool secure_ = false;
    unsigned char http_minor_ = 1;
};

}  // namespace wsio
