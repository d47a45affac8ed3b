#include "handshake/response_reader.hpp"

#include "handshake/http_grammar.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace wsio::handshake {
namespace {

std::optional<std::size_t> read_number(std::string_view text, int base) {
    std::size_t value = 0;
    auto const [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (ec != std::errc() || end == text.data()) return std::nullopt;
    return value;
}

/// Puts chunks together (RFC 9112 7.1), as far as they are there; tells whether the last one was met, or something that is
/// no chunk.
bool join_chunks(std::string_view bytes, std::string& body) {
    for (;;) {
        auto const line_end = bytes.find("\r\n");
        if (line_end == std::string_view::npos) return false;
        auto const size = read_number(bytes.substr(0, line_end), 16);
        if (!size || *size == 0) return true;
        bytes.remove_prefix(line_end + 2);
        body.append(bytes.substr(0, *size));
        if (bytes.size() < 2 || bytes.size() - 2 < *size) return false;
        bytes.remove_prefix(*size + 2);
    }
}

/// Tells whether another answer follows (RFC 9110 15.2). Behind 101 there is none: it changes the protocol.
bool is_interim(unsigned status) noexcept { return status >= 100 && status <= 199 && status != 101; }

/// Takes one line off a head.
std::string_view take_line(std::string_view& head) {
    auto const line = head.substr(0, head.find("\r\n"));
    head.remove_prefix(line.size() + 2);
    return line;
}

/// Takes a header line off a head, and what it goes on with in folded lines; a space stands for each fold (RFC 9112 5.2).
std::string take_header_line(std::string_view& head) {
    std::string line(take_line(head));
    while (head.starts_with(' ') || head.starts_with('\t')) line.append(" ").append(trimmed(take_line(head)));
    return line;
}

}  // namespace

std::string first_line(std::string_view text) {
    constexpr std::size_t longest = 200;
    std::string line(trimmed(text.substr(0, std::min(text.find_first_of("\r\n"), longest))));
    std::replace_if(line.begin(), line.end(), is_control, '?');
    return line;
}

response_reader::state response_reader::put(std::string_view bytes) {
    while (state_ == state::open) {
        // Whatever else it is, it is not HTTP: there is no point in waiting for the end of its head.
        constexpr std::string_view start = "HTTP/";
        auto const beginning = bytes.substr(begin_, start.size());
        if (beginning != start.substr(0, beginning.size())) {
            problem_ = "the answer is not HTTP";
            state_ = state::failed;
            break;
        }
        auto const scanned = scanner_.scan(bytes);
        if (scanned == head_scanner::state::open) break;
        if (scanned == head_scanner::state::failed) {
            problem_ = scanner_.error().reason;
            state_ = state::failed;
            break;
        }
        read_head(bytes.substr(scanner_.begin(), scanner_.end() - scanner_.begin()));
        if (state_ == state::complete && is_interim(status_)) skip_head();
    }
    return state_;
}

void response_reader::skip_head() {
    begin_ = scanner_.end();
    scanner_.next_head();
    status_ = 0;
    reason_.clear();
    fields_ = headers();
    state_ = state::open;
}

void response_reader::read_head(std::string_view head) {
    state_ = state::failed;
    if (auto const line = take_line(head); !read_status_line(line)) {
        problem_ = "the answer's status line is malformed: \"" + first_line(line) + '"';
        return;
    }
    for (auto line = take_header_line(head); !line.empty(); line = take_header_line(head)) {
        if (read_field(line)) continue;
        problem_ = "the answer has a malformed header line: \"" + first_line(line) + '"';
        return;
    }
    state_ = state::complete;
}

// RFC 9112 4; the reason phrase is optional, and some servers leave out the space before it, too.
bool response_reader::read_status_line(std::string_view line) {
    if (line.size() < 12 || !line.starts_with("HTTP/1.") || !is_digit(line[7]) || line[8] != ' ') return false;
    if (!std::all_of(line.begin() + 9, line.begin() + 12, is_digit)) return false;
    if (line.size() > 12 && line[12] != ' ') return false;
    http_minor_ = static_cast<unsigned>(line[7] - '0');
    status_ = static_cast<unsigned>(*read_number(line.substr(9, 3), 10));
    if (line.size() > 13) reason_ = first_line(line.substr(13));
    return status_ >= 100;
}

// RFC 9112 5: a name, a colon with no space before it, a value.
bool response_reader::read_field(std::string_view line) {
    auto const colon = line.find(':');
    if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) return false;
    fields_.add(line.substr(0, colon), trimmed(line.substr(colon + 1)));
    return true;
}

bool response_reader::put_body(std::string_view bytes) {
    bool ended = false;
    body_.clear();
    if (list_contains(fields_, "Transfer-Encoding", "chunked")) {
        ended = join_chunks(bytes.substr(0, 2 * longest_body), body_) || bytes.size() >= 2 * longest_body;
    } else {
        auto const announced = fields_.find("Content-Length");
        auto const size = announced ? read_number(*announced, 10) : std::nullopt;
        ended = size && bytes.size() >= *size;
        body_ = bytes.substr(0, std::min<std::uint64_t>(size.value_or(longest_body), longest_body));
    }
    if (status_ == 204 || status_ == 304) ended = true;
    if (body_.size() >= longest_body) ended = true;
    body_.resize(std::min(body_.size(), longest_body));
    return ended;
}

std::string response_reader::to_string() const {
    auto text = std::to_string(status_);
    if (!reason_.empty()) text += ' ' + reason_;
    auto const line = first_line(body_);
    // A page says in its markup what the status says better.
    if (!line.empty() && line.front() != '<') text += ": " + line;
    return text;
}

}  // namespace wsio::handshake
