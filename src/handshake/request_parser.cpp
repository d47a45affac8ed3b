#include "handshake/request_parser.hpp"

#include "handshake/authority.hpp"
#include "handshake/head_scanner.hpp"
#include "handshake/http_grammar.hpp"
#include "handshake/negotiation.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/version.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>

namespace wsio::handshake {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using beast::error_code;

std::string_view view(beast::string_view text) noexcept { return {text.data(), text.size()}; }

/// Boost.Beast's parser, which stores what it reads straight into what a `request` is made of.
class beast_parser final : public http::basic_parser<true> {
public:
    explicit beast_parser(const request_limits& limits) : limits_(limits) {
        eager(false);
        // head_scanner and the callbacks below hold the limits: Beast's own count each line's bytes anew after a cut.
        header_limit(std::numeric_limits<std::uint32_t>::max());
        body_limit(boost::none);
    }

    std::string method;
    bool is_head = false;  ///< Stays when the method is taken.
    std::string target;
    headers fields;
    unsigned minor = 1;
    std::string body;

private:
    void on_request_impl(http::verb, beast::string_view name, beast::string_view uri, int version,
                         error_code&) override {
        method = view(name);
        is_head = method == "HEAD";
        target = view(uri);
        minor = version == 10 ? 0 : 1;
    }

    void on_field_impl(http::field, beast::string_view name, beast::string_view value, error_code& ec) override {
        // Trailer fields come this way too. They are not merged into the header (RFC 9110 6.5.1), only counted.
        if (++field_count_ > limits_.header_count)
            ec = http::error::header_limit;
        else if (!in_body_)
            fields.add(view(name), view(value));
    }

#if BOOST_VERSION >= 109000  // before, trailer fields come with the others
    void on_trailer_field_impl(http::field, beast::string_view, beast::string_view, error_code& ec) override {
        if (++field_count_ > limits_.header_count) ec = http::error::header_limit;
    }
#endif

    void on_header_impl(error_code&) override { in_body_ = true; }

    void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}

    std::size_t on_body_impl(beast::string_view bytes, error_code&) override {
        body.append(bytes.data(), bytes.size());
        return bytes.size();
    }

    void on_chunk_header_impl(std::uint64_t size, beast::string_view extension, error_code& ec) override {
        // Beast takes any byte in a quoted value. Who ends lines at a bare LF would see other chunks (RFC 9112 7.1.1).
        if (!is_field_value(view(extension)))
            ec = http::error::bad_chunk_extension;
        else if (size > limits_.body_size - body.size())
            ec = http::error::body_limit;
    }

    std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view bytes, error_code&) override {
        body.append(bytes.data(), bytes.size());
        return bytes.size();
    }

    void on_response_impl(int, beast::string_view, int, error_code&) override {}
    void on_finish_impl(error_code&) override {}

    request_limits limits_;
    std::size_t field_count_ = 0;
    bool in_body_ = false;
};

rejection body_too_large(std::size_t limit) {
    return {413, "the request body is larger than " + std::to_string(limit) + " bytes"};
}

/// Tells a version that is not served from a line that is no request line at all.
rejection bad_version(std::string_view head) {
    auto const line = head.substr(0, head.find('\r'));
    auto const last = line.substr(line.find(' ', line.find(' ') + 1) + 1);
    if (last.size() == 8 && last.starts_with("HTTP/") && is_digit(last[5]) && last[6] == '.' && is_digit(last[7]))
        return {505, "the HTTP version is not supported; use HTTP/1.1"};
    return {400,
            "the request line is malformed; it must be a method, a target and HTTP/1.1 with single spaces between"};
}

/// Gives a head of HTTP/1.2 or higher as one of HTTP/1.1, by which it is to be read (RFC 9110 2.5, RFC 6455 4.2.1) and which
/// is the highest that Beast knows; nothing for any other.
std::string as_known_version(std::string_view head) {
    auto const line = head.substr(0, head.find('\r'));
    if (line.size() < 9 || line.substr(line.size() - 9, 8) != " HTTP/1." || line.back() < '2' || line.back() > '9')
        return {};
    std::string known(head);
    known[line.size() - 1] = '1';
    return known;
}

rejection explain(error_code ec, const request_limits& limits, std::string_view head) {
    using http::error;
    if (ec == error::bad_method) return {400, "the request line is malformed: the method is not a token"};
    if (ec == error::bad_target) return {400, "the request line is malformed: the target is empty or holds a bad byte"};
    if (ec == error::bad_version) return bad_version(head);
    if (ec == error::bad_field) return {400, "a header line is malformed: it must begin with a field name and a colon"};
    if (ec == error::bad_value) return {400, "a header line is malformed: the value of the field cannot be read"};
    if (ec == error::bad_content_length)
        return {400, "the Content-Length field is malformed, or came together with Transfer-Encoding"};
    if (ec == error::multiple_content_length) return {400, "there are different Content-Length values; send one"};
    if (ec == error::bad_transfer_encoding)
        return {400, "the Transfer-Encoding field came twice or together with Content-Length; send one of them"};
    if (ec == error::bad_chunk || ec == error::bad_chunk_extension || ec == error::bad_line_ending)
        return {400, "the chunked body is malformed"};
    if (ec == error::body_limit) return body_too_large(limits.body_size);
    return ec == error::header_limit
               ? rejection{431, "the request has more than " + std::to_string(limits.header_count) +
                                    " header and trailer fields"}
               : rejection{400, "the request is malformed"};
}

/// Checks Transfer-Encoding (RFC 9112 6.1 and 6.3): the only coding read here is "chunked", alone and once. Beast would
/// decode "gzip, chunked" as if it were chunked alone, and take "chunked, gzip" for a request without a body.
std::optional<rejection> check_transfer_encoding(const request& request) {
    auto const& fields = request.headers();
    if (!fields.contains("Transfer-Encoding")) return std::nullopt;
    if (fields.contains("Content-Length"))
        return rejection{400, "Transfer-Encoding and Content-Length came together; send one of them"};

    auto const codings = fields.joined("Transfer-Encoding");
    std::size_t count = 0;
    std::size_t chunked = 0;
    bool last_is_chunked = false;
    for (std::string_view list = codings; !list.empty(); ++count) {
        last_is_chunked = equal_without_case(trimmed(take_element(list, ',')), "chunked");
        chunked += last_is_chunked ? 1 : 0;
    }
    if (count == 0 || chunked > 1 || (chunked == 1 && !last_is_chunked))
        return rejection{400, "the Transfer-Encoding field is malformed; \"chunked\" must come once and last"};
    if (chunked == 0 || count > 1)
        return rejection{501, "the transfer coding is not supported; send \"chunked\" alone, or no Transfer-Encoding"};
    // HTTP/1.0 has no chunks, so the framing is not to be trusted (RFC 9112 6.1).
    if (request.http_minor() == 0) return rejection{400, "Transfer-Encoding came with HTTP/1.0; use HTTP/1.1"};
    return std::nullopt;
}

}  // namespace

struct request_parser::implementation {
    explicit implementation(const request_limits& given)
        : limits(given), scanner(given.head_size, given.header_count), parser(given) {}

    std::size_t put_head(std::string_view bytes);
    std::size_t put_body(std::string_view bytes);
    void end_head();
    void fail(rejection why) {
        status = state::failed;
        error = std::move(why);
        error.to_head = parser.is_head;
    }

    request_limits limits;
    head_scanner scanner;
    beast_parser parser;
    request_parser::state status = state::head;
    wsio::request request;
    rejection error;
    bool upgrade = false;
    bool waits_for_continue = false;
};

std::size_t request_parser::implementation::put_head(std::string_view bytes) {
    auto const scanned = scanner.scan(bytes);
    if (scanned == head_scanner::state::open) return 0;
    if (scanned == head_scanner::state::failed) {
        fail(std::move(scanner.error()));
        return 0;
    }
    auto head = bytes.substr(scanner.begin(), scanner.end() - scanner.begin());
    auto const known = as_known_version(head);
    if (!known.empty()) head = known;
    error_code ec;
    parser.put(boost::asio::buffer(head.data(), head.size()), ec);
    if (ec)
        fail(explain(ec, limits, head));
    else
        end_head();
    return scanner.end();
}

void request_parser::implementation::end_head() {
    request = wsio::request(std::move(parser.method), std::move(parser.target), std::move(parser.fields));
    request.http_minor(parser.minor);

    if (auto const problem = host_problem(request); !problem.empty()) return fail({400, std::string(problem)});
    if (auto const problem = take_host_of_target(request); !problem.empty()) return fail({400, std::string(problem)});
    if (wants_websocket(request)) {
        // recognise() refuses what would be a body, except the 8 bytes of hixie-76.
        upgrade = true;
        status = state::complete;
        return;
    }
    if (auto problem = check_transfer_encoding(request)) return fail(std::move(*problem));
    if (parser.is_done()) {
        status = state::complete;
        return;
    }
    if (!parser.chunked() && parser.content_length().value_or(0) > limits.body_size)
        return fail(body_too_large(limits.body_size));
    status = state::body;
    waits_for_continue = request.http_minor() >= 1 && list_contains(request.headers(), "Expect", "100-continue");
}

std::size_t request_parser::implementation::put_body(std::string_view bytes) {
    // Beast 1.81 asserts that it never sees a last chunk in pieces of less than 5 bytes. No valid rest of a chunked
    // body is shorter, so waiting for so many changes nothing else.
    std::size_t const least = parser.chunked() ? 5 : 1;
    std::size_t used = 0;
    while (status == state::body && bytes.size() - used >= least) {
        // What Beast needs in one piece (a chunk's head, or the last chunk with all trailer fields) is held to the size
        // of a head.
        auto const window = bytes.substr(used, limits.head_size);
        error_code ec;
        auto const taken = parser.put(boost::asio::buffer(window.data(), window.size()), ec);
        used += taken;
        if (ec == http::error::need_more) {
            if (window.size() < limits.head_size) break;
            fail({431, "a chunk's head or the trailer is larger than " + std::to_string(limits.head_size) + " bytes"});
        } else if (ec) {
            fail(explain(ec, limits, {}));
        } else if (parser.is_done()) {
            request.body(std::move(parser.body));
            status = state::complete;
        }
    }
    return used;
}

request_parser::request_parser(request_limits limits) : implementation_(std::make_unique<implementation>(limits)) {}
request_parser::request_parser(request_parser&&) noexcept = default;
request_parser& request_parser::operator=(request_parser&&) noexcept = default;
request_parser::~request_parser() = default;

std::size_t request_parser::put(std::string_view bytes) {
    std::size_t used = 0;
    if (implementation_->status == state::head) used = implementation_->put_head(bytes);
    if (implementation_->status == state::body) used += implementation_->put_body(bytes.substr(used));
    return used;
}

request_parser::state request_parser::status() const noexcept { return implementation_->status; }

request request_parser::take() { return std::move(implementation_->request); }

bool request_parser::keep_alive() const noexcept {
    // Bytes behind a refused upgrade could be its body: never read them as a request.
    return implementation_->status == state::complete && !implementation_->upgrade &&
           implementation_->parser.keep_alive();
}

bool request_parser::expects_continue() const noexcept {
    return implementation_->status == state::body && implementation_->waits_for_continue;
}

const rejection& request_parser::error() const noexcept { return implementation_->error; }

}  // namespace wsio::handshake
