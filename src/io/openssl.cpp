#include "io/openssl.hpp"

#include <openssl/err.h>

namespace wsio::detail {

std::string take_openssl_error() {
    // The first is the cause and the others are what it led to; but what a cipher says tells less than what TLS makes of it.
    auto const first = ERR_get_error();
    auto told = first;
    for (auto code = first; code != 0 && ERR_GET_LIB(told) != ERR_LIB_SSL; code = ERR_get_error())
        if (ERR_GET_LIB(code) == ERR_LIB_SSL) told = code;
    ERR_clear_error();
    if (told == 0) return "unknown error";
    auto const* const reason = ERR_reason_error_string(told);
    return reason != nullptr ? reason : "error " + std::to_string(told);
}

}  // namespace wsio::detail
