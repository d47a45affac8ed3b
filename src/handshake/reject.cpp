#include "handshake/http_grammar.hpp"
#include "handshake/negotiation.hpp"
#include "handshake/response.hpp"

#include <algorithm>
#include <array>

namespace wsio::handshake {
namespace {

struct named_status {
    unsigned status;
    std::string_view phrase;
};

// RFC 9110 15, RFC 6585 and RFC 7725.
constexpr std::array phrases{
    named_status{100, "Continue"},
    named_status{101, "Switching Protocols"},
    named_status{200, "OK"},
    named_status{201, "Created"},
    named_status{202, "Accepted"},
    named_status{203, "Non-Authoritative Information"},
    named_status{204, "No Content"},
    named_status{205, "Reset Content"},
    named_status{206, "Partial Content"},
    named_status{300, "Multiple Choices"},
    named_status{301, "Moved Permanently"},
    named_status{302, "Found"},
    named_status{303, "See Other"},
    named_status{304, "Not Modified"},
    named_status{307, "Temporary Redirect"},
    named_status{308, "Permanent Redirect"},
    named_status{400, "Bad Request"},
    named_status{401, "Unauthorized"},
    named_status{402, "Payment Required"},
    named_status{403, "Forbidden"},
    named_status{404, "Not Found"},
    named_status{405, "Method Not Allowed"},
    named_status{406, "Not Acceptable"},
    named_status{407, "Proxy Authentication Required"},
    named_status{408, "Request Timeout"},
    named_status{409, "Conflict"},
    named_status{410, "Gone"},
    named_status{411, "Length Required"},
    named_status{412, "Precondition Failed"},
    named_status{413, "Content Too Large"},
    named_status{414, "URI Too Long"},
    named_status{415, "Unsupported Media Type"},
    named_status{416, "Range Not Satisfiable"},
    named_status{417, "Expectation Failed"},
    named_status{421, "Misdirected Request"},
    named_status{422, "Unprocessable Content"},
    named_status{426, "Upgrade Required"},
    named_status{428, "Precondition Required"},
    named_status{429, "Too Many Requests"},
    named_status{431, "Request Header Fields Too Large"},
    named_status{451, "Unavailable For Legal Reasons"},
    named_status{500, "Internal Server Error"},
    named_status{501, "Not Implemented"},
    named_status{502, "Bad Gateway"},
    named_status{503, "Service Unavailable"},
    named_status{504, "Gateway Timeout"},
    named_status{505, "HTTP Version Not Supported"},
    named_status{511, "Network Authentication Required"},
};

}  // namespace

std::string_view reason_phrase(unsigned status) noexcept {
    auto const at = std::lower_bound(phrases.begin(), phrases.end(), status,
                                     [](const named_status& entry, unsigned wanted) { return entry.status < wanted; });
    return at != phrases.end() && at->status == status ? at->phrase : "Unknown";
}

std::string reject_response(const rejection& rejection) {
    std::string response = "HTTP/1.1 " + std::to_string(rejection.status) + ' ';
    response.append(reason_phrase(rejection.status)).append("\r\n");
    if (!rejection.fields.contains("Date")) response.append("Date: ").append(http_date()).append("\r\n");
    for (auto const& [name, value] : rejection.fields)
        if (!is_framing(name)) response.append(name).append(": ").append(value).append("\r\n");
    // Whoever sends Upgrade says so in Connection (RFC 9110 7.8).
    response += rejection.fields.contains("Upgrade") ? "Connection: close, Upgrade\r\n" : "Connection: close\r\n";
    // An authorize hook may send another kind of body.
    if (!rejection.fields.contains("Content-Type")) response += "Content-Type: text/plain; charset=utf-8\r\n";
    response += "Content-Length: " + std::to_string(rejection.reason.size() + 1) + "\r\n\r\n";
    if (!rejection.to_head) response.append(rejection.reason).append("\n");
    return response;
}

}  // namespace wsio::handshake
