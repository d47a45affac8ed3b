#pragma once

#include <wsio/client.hpp>

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <string>

namespace wsio::detail {

struct lifetime;

/// Connects as a client: the whole way from the URL to the open socket. Throws as `wsio::connect`. `noted`, if there is one,
/// is told when the connection begins and ends.
[[nodiscard]] boost::asio::awaitable<socket> connect(std::string url, client_options settings,
                                                     std::shared_ptr<lifetime> noted = {});

/// As a client on a socket that is connected to the server already, in the first version of the list; it owns `fd`.
[[nodiscard]] boost::asio::awaitable<socket> connect_over(int fd, endpoint remote, std::string url,
                                                          client_options settings);

/// Throws `std::invalid_argument` when an option makes no sense.
void validate(const client_options& settings);

}  // namespace wsio::detail
