#pragma once

#include <wsio/request.hpp>

#include <any>
#include <memory>
#include <string_view>

namespace wsio::detail {

/// What the opening handshake agreed on; kept as long as the connection. The request is packed into one small piece of
/// memory, a sixth of what it takes otherwise, as most connections never look at it again; one with a client's certificate
/// is kept as it is, too.
/// Thread safety: distinct objects safe, shared objects unsafe.
class opening {
public:
    opening() noexcept = default;
    opening(const wsio::request& r, std::string_view subprotocol, std::any user_value);

    /// Gives the request, without its body. It is unpacked by the first call and lives as long as this object.
    [[nodiscard]] const wsio::request& request() const;
    [[nodiscard]] std::string_view subprotocol() const noexcept;
    [[nodiscard]] const std::any& user_value() const noexcept;

private:
    /// What few connections have.
    struct rarely {
        std::unique_ptr<wsio::request> unpacked;
        std::any user_value;
    };
    [[nodiscard]] rarely& rare() const;

    std::unique_ptr<char[]> packed_;
    mutable std::unique_ptr<rarely> rare_;
};

}  // namespace wsio::detail
