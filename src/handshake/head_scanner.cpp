#include "handshake/head_scanner.hpp"

#include "handshake/http_grammar.hpp"

#include <algorithm>

namespace wsio::handshake {

head_scanner::state head_scanner::scan(std::string_view bytes) {
    auto const available = std::min(bytes.size(), size_limit_);
    while (state_ == state::open) {
        while (at_ < available && (!is_control(bytes[at_]) || bytes[at_] == '\t')) ++at_;
        if (at_ == available) break;
        if (bytes[at_] == '\n') {
            fail(400, " is malformed: a line ends with a bare LF; end lines with CR LF");
        } else if (bytes[at_] != '\r') {
            fail(400, " is malformed: it holds a control character");
        } else if (at_ + 1 == available) {
            break;
        } else if (bytes[at_ + 1] != '\n') {
            fail(400, " is malformed: a CR is not followed by LF");
        } else {
            auto const line = bytes.substr(line_, at_ - line_);
            at_ += 2;
            end_line(line);
        }
    }
    if (state_ == state::open && available == size_limit_) {
        if (in_first_line())
            fail(414, " line is longer than " + std::to_string(size_limit_) + " bytes");
        else
            fail(431, " head is larger than " + std::to_string(size_limit_) + " bytes");
    }
    return state_;
}

void head_scanner::end_line(std::string_view line) {
    if (in_first_line()) {
        // Some clients send an empty line behind the body of the request before (RFC 9112 2.2).
        if (line.empty()) begin_ = at_;
    } else if (line.empty()) {
        state_ = state::complete;
    } else if (line.front() == ' ' || line.front() == '\t') {
        // Whoever reads an answer has to take it (RFC 9112 5.2); it belongs to the field before.
        if (kind_ == message::request)
            return fail(400, " is malformed: a header line begins with white space; folded lines are obsolete");
    } else if (++fields_ > count_limit_) {
        return fail(431, " has more than " + std::to_string(count_limit_) + " header fields");
    }
    line_ = at_;
}

void head_scanner::fail(unsigned status, std::string_view reason) {
    state_ = state::failed;
    error_.status = status;
    error_.reason = (kind_ == message::request ? "the request" : "the answer") + std::string(reason);
}

}  // namespace wsio::handshake
