#include <wsio/endpoint.hpp>

namespace wsio {

std::string endpoint::to_string() const {
    if (is_unix()) return unix_name;
    auto host = address.to_string();
    if (port == 0) return host;
    return (address.is_v6() ? '[' + host + ']' : host) + ':' + std::to_string(port);
}

}  // namespace wsio
