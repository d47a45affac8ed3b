#include "client_arguments.hpp"

#include "values.hpp"

#include <fmt/format.h>

#include <chrono>
#include <stdexcept>
#include <string_view>

namespace wsio::command {

void client_arguments::add_wishes_to(command_line& to) {
    to.option("-H,--header", "'NAME: V'", "field to add to the request; may be given more than once",
              [this](const std::string& value) {
                  auto const [name, content] = bench::read_header({"--header", value});
                  try {
                      options.fields.add(name, content);
                  } catch (const std::invalid_argument& error) {
                      throw failure(exit_code::usage, error.what());
                  }
              });
    to.option("-s,--subprotocol", "NAME", "subprotocol to offer; more than one with commas, or given again",
              [this](const std::string& value) {
                  for_each_in_list(value, [this](std::string_view name) { options.subprotocols.emplace_back(name); });
              });
    to.text("-o,--origin", "ORIGIN", "origin to name, as a browser does", options.origin);
}

void client_arguments::add_way_to(command_line& to, std::chrono::milliseconds timeout) {
    options.connect_timeout = options.timeouts.handshake = timeout;
    to.group("The way to the server");
    to.option("--timeout", "TIME",
              fmt::format("how long to wait for the TCP connection, and again for the handshake ({})",
                          timeout.count() / 1000),
              [this](const std::string& value) {
                  auto const time = bench::read_milliseconds({"--timeout", value});
                  if (time.count() == 0) throw failure(exit_code::usage, "--timeout must not be 0");
                  options.connect_timeout = options.timeouts.handshake = time;
              });
    to.text("--proxy", "URL", "HTTP proxy to go through: http://[USER:PASSWORD@]HOST:PORT", options.proxy);
    to.option("--redirects", "N", "how many redirects to follow (0)", [this](const std::string& value) {
        options.redirects = static_cast<unsigned>(bench::read_count({"--redirects", value}, 0, 100));
    });
    to.text("--ca", "FILE", "authorities to trust in place of the system's (PEM); a server's own certificate will do",
            tls_.ca);
    to.text("--cert", "FILE", "certificate to show to the server (PEM)", tls_.certificate);
    to.text("--key", "FILE", "its key (PEM)", tls_.key);
    to.text("--server-name", "NAME", "name to ask for and to look for in the server's certificate", tls_.server_name);
    to.flag("-k,--insecure", "takes any certificate: anybody in between can read and change everything", insecure_);
}

void client_arguments::finish() {
    // One behind the first slash belongs to the path, or to the query.
    auto const slash = url.find_first_of("/?#");
    if (slash == std::string::npos || slash == 0 || url.compare(slash - 1, 3, "://") != 0) url.insert(0, "ws://");
    tls_.verify = !insecure_;
    if (tls_.certificate.empty() != tls_.key.empty()) throw failure(exit_code::usage, "--cert and --key go together");
    if (insecure_ && !tls_.ca.empty())
        throw failure(exit_code::usage, "--insecure takes any certificate: --ca would say nothing");
    options.tls = client_tls(tls_);
    options.timeouts.idle = {};  // whoever types may think
}

exit_code exit_code_of(error why) noexcept {
    switch (why) {
        case error::bad_url: return exit_code::usage;
        case error::unexpected_status:
        case error::bad_answer:
        case error::connection_lost:
        case error::bad_redirect:
        case error::too_many_redirects:
        case error::wrong_upgrade:
        case error::wrong_connection:
        case error::wrong_accept_key:
        case error::wrong_challenge_answer:
        case error::wrong_origin:
        case error::wrong_location:
        case error::wrong_subprotocol:
        case error::wrong_extension:
        case error::handshake_timed_out: return exit_code::no_handshake;
        default: return exit_code::no_connection;
    }
}

}  // namespace wsio::command
