#include <wsio/endpoint.hpp>

namespace wsio {

std::string endpoint::to_string() const {
    auto const host = address.to_string();
    return (address.is_v6() ? '[' + host + ']' : host) + ':' + std::to_string(port);
}

}  // namespace wsio
