#include "resolve.hpp"

#include "failure.hpp"

#include <fmt/format.h>

#include <netdb.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstring>
#include <memory>

namespace wsio::bench {
namespace {

/// Gives the first address of a list that takes a connection, or the first of all if none does: a name such as localhost
/// may stand for an IPv6 address at which the server does not listen.
const addrinfo& choose(const addrinfo& list) {
    if (list.ai_next == nullptr) return list;
    for (auto const* each = &list; each != nullptr; each = each->ai_next) {
        int const probe = ::socket(each->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (probe < 0) continue;
        bool const answers = ::connect(probe, each->ai_addr, each->ai_addrlen) == 0;
        ::close(probe);
        if (answers) return *each;
    }
    return list;
}

}  // namespace

address resolve(const url& target) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (int const error = ::getaddrinfo(target.host.c_str(), target.port.c_str(), &hints, &found); error != 0)
        throw failure(exit_code::no_connection, fmt::format("{}: {}", target.host, ::gai_strerror(error)));
    std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> const list(found, &::freeaddrinfo);
    auto const& chosen = choose(*list);
    address result;
    std::memcpy(&result.storage, chosen.ai_addr, chosen.ai_addrlen);
    result.size = chosen.ai_addrlen;
    return result;
}

void allow_open_files(std::size_t connections) {
    constexpr rlim_t others = 64;
    auto const wanted = static_cast<rlim_t>(connections) + others;
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur >= wanted) return;
    if (limit.rlim_max < wanted)
        throw failure(exit_code::system, fmt::format("this system allows {} open files, so {} connections at most",
                                                     limit.rlim_max, limit.rlim_max - others));
    limit.rlim_cur = wanted;
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0)
        throw failure(exit_code::system, fmt::format("the limit of open files: {}", std::strerror(errno)));
}

}  // namespace wsio::bench
