#include "url.hpp"

#include "failure.hpp"
#include "fuzz.hpp"

#include <charconv>
#include <optional>

// The URLs of wsio-bench.

namespace wsio::fuzz {
namespace {

std::optional<bench::url> parsed(std::string_view text) {
    try {
        return bench::parse_url(text);
    } catch (const bench::failure& refused) {
        expect(refused.code() == bench::exit_code::usage, "a URL that is refused is a mistake in the command line");
        expect(std::string_view(refused.what()).find("is not a URL to measure: ") != std::string_view::npos,
               "a refusal says why");
        return std::nullopt;
    }
}

void check(std::string_view text) {
    auto const url = parsed(text);
    if (!url) return;
    expect(!url->host.empty(), "there is a host");
    expect(url->host.find_first_of("[]/?#@") == std::string::npos, "the host has none of what separates");
    unsigned port = 0;
    auto const [end, error] = std::from_chars(url->port.data(), url->port.data() + url->port.size(), port);
    expect(error == std::errc() && end == url->port.data() + url->port.size() && port >= 1 && port <= 65535,
           "the port is one");
    expect(url->target.starts_with('/'), "the target is a path");
    // These go into a request head as they are.
    for (auto const* part : {&url->host, &url->target, &url->authority})
        for (char const c : *part) expect(c > ' ' && c < '\x7F', "no part can split a request");
    expect(url->target.find('#') == std::string::npos, "a fragment is not sent");

    auto const again = parsed("ws://" + url->authority + url->target);
    expect(again && again->host == url->host && again->port == url->port && again->target == url->target &&
               again->authority == url->authority,
           "authority and target make a URL that means the same");
}

}  // namespace

void fuzz(std::string_view input) {
    if (input.find('\0') != std::string_view::npos) return;  // no argument of a program has one
    check(input);
    check("ws://" + std::string(input));
}

}  // namespace wsio::fuzz
