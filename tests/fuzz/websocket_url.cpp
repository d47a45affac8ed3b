#include "handshake/websocket_url.hpp"

#include "fuzz.hpp"
#include "handshake/http_grammar.hpp"

#include <string>
#include <variant>

// The URLs of the client, of its proxies, and those that it is redirected to.

namespace wsio::fuzz {
namespace {

using handshake::websocket_url;
using result = std::variant<websocket_url, std::string>;

void check_words(const std::string& problem) {
    expect(!problem.empty(), "a refusal says why");
    for (char const c : problem) expect(!handshake::is_control(c), "what is said is one line");
}

void check(const websocket_url& url) {
    expect(!url.host.empty() && url.port != 0, "there is a host and a port");
    expect(url.host.find_first_of("[]/?#@ABCDEFGHIJKLMNOPQRSTUVWXYZ") == std::string::npos,
           "the host has none of what separates, and is lower case");
    expect(url.target.starts_with('/') && url.target.find('#') == std::string::npos, "the target is a path");
    // These go into a request head as they are.
    for (auto const* part : {&url.host, &url.target, &url.authority})
        for (char const c : *part) expect(c > ' ' && c < '\x7F', "no part can split a request");
    auto const value = handshake::basic_authorization(url.credentials);
    for (char const c : value) expect(c >= ' ' && c < '\x7F', "credentials cannot split a request");

    auto const again = handshake::parse_url(url.to_string());
    auto const* same = std::get_if<websocket_url>(&again);
    expect(same != nullptr && same->secure == url.secure && same->host == url.host && same->port == url.port &&
               same->authority == url.authority && same->target == url.target && same->credentials.empty(),
           "written again it means the same, without the credentials");
    expect(url.same_origin(*same), "it has the origin that it has");
}

void check(const result& read) {
    if (auto const* problem = std::get_if<std::string>(&read)) return check_words(*problem);
    check(std::get<websocket_url>(read));
}

}  // namespace

void fuzz(std::string_view input) {
    auto const text = std::string(input);
    check(handshake::parse_url(text));
    check(handshake::parse_url("wss://" + text));
    auto const proxy = handshake::parse_proxy(text);
    if (auto const* problem = std::get_if<std::string>(&proxy)) check_words(*problem);
    auto const from = std::get<websocket_url>(handshake::parse_url("wss://user:word@example.com/a/b?c=d"));
    check(handshake::follow(from, text));
    expect(std::get<websocket_url>(handshake::follow(from, "/e")).to_string() == "wss://example.com/e",
           "a path leads to the same host");
}

}  // namespace wsio::fuzz
