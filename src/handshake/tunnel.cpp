#include "handshake/tunnel.hpp"

#include <utility>

namespace wsio::handshake {

tunnel::tunnel(const websocket_url& to, const websocket_url& proxy, response_limits limits)
    : has_credentials_(!proxy.credentials.empty()), reader_(limits) {
    // The port is always there (RFC 9112 3.2.3).
    auto place = to.host.find(':') == std::string::npos ? to.host : '[' + to.host + ']';
    place += ':' + std::to_string(to.port);
    request_ = "CONNECT " + place + " HTTP/1.1\r\nHost: " + place + "\r\n";
    if (has_credentials_) request_ += "Proxy-Authorization: " + basic_authorization(proxy.credentials) + "\r\n";
    request_ += "\r\n";
}

std::size_t tunnel::put(std::string_view bytes) {
    if (state_ == state::head) {
        switch (reader_.put(bytes)) {
            case response_reader::state::open: return 0;
            case response_reader::state::failed:
                fail(error::proxy_failed, reader_.problem() + "; is there an HTTP proxy at that address?");
                return 0;
            case response_reader::state::complete: break;
        }
        if (reader_.status() >= 200 && reader_.status() <= 299) {  // whatever its fields say, it has no body
            state_ = state::over;
            return reader_.head_size();
        }
        state_ = state::body;
    }
    if (state_ == state::body && reader_.put_body(bytes.substr(reader_.head_size()))) refuse();
    return 0;
}

void tunnel::end() {
    if (state_ == state::body)
        refuse();
    else if (state_ == state::head)
        fail(error::proxy_failed, "the proxy ended the connection before its answer was there");
}

void tunnel::refuse() {
    auto const answered = "the proxy answered " + reader_.to_string();
    if (reader_.status() == 407)
        fail(error::proxy_unauthorized,
             answered + (has_credentials_ ? "; are the user and the password in its URL right?"
                                          : "; put http://user:password@ into the URL of the proxy"));
    else
        fail(error::proxy_refused, answered + "; may it connect to this host and port?");
}

void tunnel::fail(error why, std::string message) {
    state_ = state::over;
    problem_ = {why, std::move(message)};
}

}  // namespace wsio::handshake
