#pragma once

#include <wsio/request.hpp>

#include <any>
#include <cstddef>
#include <memory>
#include <string_view>

namespace wsio::detail {

/// What the opening handshake agreed on; kept as long as the connection. The request is packed into one piece of memory,
/// a third of what it takes otherwise, as most connections never look at it again; one with a
/// client's certificate is kept as it is, too.
/// Thread safety: distinct objects safe, shared objects unsafe.
class opening {
public:
    opening() noexcept = default;
    opening(const wsio::request& r, std::string_view subprotocol, std::any user_value);

    /// Gives the request, without its body. It is unpacked by the first call and lives as long as this object.
    [[nodiscard]] const wsio::request& request() const;
    [[nodiscard]] std::string_view subprotocol() const noexcept;
    [[nodiscard]] const std::any& user_value() const noexcept { return user_value_; }

private:
    struct layout;

    std::unique_ptr<std::byte[]> packed_;
    mutable std::unique_ptr<wsio::request> unpacked_;
    std::any user_value_;
};

}  // namespace wsio::detail
