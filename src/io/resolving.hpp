#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/address.hpp>

#include <functional>
#include <string>
#include <vector>

namespace wsio::detail {

/// The addresses of a host, or why there are none.
struct resolution {
    std::vector<boost::asio::ip::address> addresses;
    std::string problem;
};

/// Asks the system for the addresses of a host. Nothing ends getaddrinfo before its time, so it runs on threads that belong
/// to the process: a few at most, each for one name, and nobody waits for their end. Asio has one for each `io_context`, on
/// which a name server that is silent keeps all names waiting, and which the context's end waits for.
/// Thread safety: distinct objects safe, shared objects unsafe.
class question {
public:
    using listener = std::function<void(const resolution&)>;

    /// `listen` is called on `executor`, whose context may go away meanwhile.
    question(const boost::asio::any_io_executor& executor, const std::string& host, listener listen);
    question(const question&) = delete;
    question& operator=(const question&) = delete;
    /// Forgets the question. An answer that is under way may still be told.
    ~question();
};

}  // namespace wsio::detail
