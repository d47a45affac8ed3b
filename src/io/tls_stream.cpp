#include "io/tls_stream.hpp"

#include <openssl/err.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

namespace wsio::detail {

namespace {

constexpr std::size_t largest_record = SSL3_RT_MAX_PLAIN_LENGTH;

// What is read from the socket at once when data flows: OpenSSL's default holds one record, a system call for each.
constexpr std::size_t read_buffer = 4 * largest_record;

// Records that carry nothing for the application (key updates, say) could keep one call busy for as long as they come.
constexpr int receives_at_once = 32;

std::string hexadecimal(std::span<const unsigned char> bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (auto const byte : bytes) (text += digits[byte >> 4]) += digits[byte & 15];
    return text;
}

std::string text_of(const ASN1_STRING* text) {
    unsigned char* utf8 = nullptr;
    int const size = ASN1_STRING_to_UTF8(&utf8, text);
    if (size < 0) return {};
    std::string result(reinterpret_cast<const char*>(utf8), static_cast<std::size_t>(size));
    OPENSSL_free(utf8);
    return result;
}

std::string name_of(const X509_NAME* name) {
    bio_ptr const out(BIO_new(BIO_s_mem()));
    if (!out) throw std::bad_alloc();
    // As RFC 4514 writes it, but letters beyond ASCII as UTF-8 and not as escapes.
    X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253 & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB));
    char* data = nullptr;
    auto const size = BIO_get_mem_data(out.get(), &data);
    return {data, static_cast<std::size_t>(size)};
}

std::vector<std::string> alternative_names_of(X509* certificate) {
    std::vector<std::string> names;
    names_ptr const extension(
        static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
    for (int i = 0; i < sk_GENERAL_NAME_num(extension.get()); ++i) {
        auto const* const name = sk_GENERAL_NAME_value(extension.get(), i);
        if (name->type == GEN_DNS) names.push_back("DNS:" + text_of(name->d.dNSName));
        if (name->type == GEN_EMAIL) names.push_back("email:" + text_of(name->d.rfc822Name));
        if (name->type == GEN_URI) names.push_back("URI:" + text_of(name->d.uniformResourceIdentifier));
    }
    return names;
}

std::string common_name_of(X509* certificate) {
    auto* const subject = X509_get_subject_name(certificate);
    int const at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    return at < 0 ? std::string() : text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
}

}  // namespace

// OpenSSL's own transport for sockets uses write(), which raises SIGPIPE when the peer has gone. It also asks a socket
// that it has just emptied once more.
struct tls_stream::transport {
    static tls_stream& of(BIO* bio) { return *static_cast<tls_stream*>(BIO_get_data(bio)); }

    static int read(BIO* bio, char* data, int size) {
        auto& self = of(bio);
        BIO_clear_retry_flags(bio);
        if (size <= 0) return 0;
        if (!self.early_.empty()) return static_cast<int>(self.take_early(data, static_cast<std::size_t>(size)));
        if (self.receives_left_ > 0) {
            --self.receives_left_;
            ssize_t count;
            do {
                count = ::recv(self.fd_, data, static_cast<std::size_t>(size), MSG_DONTWAIT);
            } while (count < 0 && errno == EINTR);
            if (count > 0) self.progress_ = true;
            self.socket_empty_ = count < size;
            if (self.socket_empty_) self.receives_left_ = 0;
            self.socket_ended_ = count == 0;
            if (count >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK)) return static_cast<int>(count);
        }
        BIO_set_retry_read(bio);
        return -1;
    }

    static int write(BIO* bio, const char* data, int size) {
        BIO_clear_retry_flags(bio);
        ssize_t count;
        do {
            count = ::send(of(bio).fd_, data, static_cast<std::size_t>(size), MSG_NOSIGNAL | MSG_DONTWAIT);
        } while (count < 0 && errno == EINTR);
        if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) BIO_set_retry_write(bio);
        return static_cast<int>(count);
    }

    static long control(BIO* bio, int command, long, void*) {
        if (command == BIO_CTRL_EOF) return of(bio).socket_ended_ ? 1 : 0;
        return command == BIO_CTRL_FLUSH ? 1 : 0;  // nothing is held back here
    }

    static int create(BIO* bio) {
        BIO_set_init(bio, 1);
        return 1;
    }

    static const BIO_METHOD* method() {
        static BIO_METHOD* const only = [] {
            auto* const made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "wsio socket");
            if (made == nullptr) throw std::bad_alloc();
            BIO_meth_set_read(made, read);
            BIO_meth_set_write(made, write);
            BIO_meth_set_ctrl(made, control);
            BIO_meth_set_create(made, create);
            return made;
        }();
        return only;
    }
};

tls_stream::tls_stream(std::shared_ptr<const tls_identities> identities, int fd, std::string_view early)
    : held_(identities), fd_(fd), ssl_(SSL_new(identities->first())) {
    early_.append(early);
    attach();
    SSL_set_accept_state(ssl_.get());
}

tls_stream::tls_stream(std::shared_ptr<tls_expectation> expectation, int fd, std::string_view early)
    : held_(expectation), expectation_(expectation.get()), fd_(fd), ssl_(expectation->begin()) {
    early_.append(early);
    attach();
}

void tls_stream::attach() {
    auto* const bio = ssl_ ? BIO_new(transport::method()) : nullptr;
    if (bio == nullptr) throw std::bad_alloc();
    BIO_set_data(bio, this);
    SSL_set_bio(ssl_.get(), bio, bio);
}

std::size_t tls_stream::take_early(char* to, std::size_t size) noexcept {
    auto const taken = early_.view().copy(to, size);
    early_.drop_front(taken);
    if (early_.empty()) early_.release();
    progress_ = true;
    return taken;
}

tls_stream::received tls_stream::receive(std::span<char> room) {
    if (!failure_.empty()) return {outcome::failed};
    received got{outcome::data};
    socket_empty_ = progress_ = false;
    receives_left_ = receives_at_once;
    while (got.count < room.size() && got.result == outcome::data) {
        ERR_clear_error();
        std::size_t count = 0;
        int const done = SSL_read_ex(ssl_.get(), room.data() + got.count, room.size() - got.count, &count);
        int const error = errno;
        got.count += count;
        if (done != 1) got.result = outcome_of_failure(error);
        if (!established_ && SSL_is_init_finished(ssl_.get()) != 0) {
            established_ = true;
            SSL_set_default_read_buffer_len(ssl_.get(), read_buffer);
        }
    }
    got.progress = progress_;
    got.more = got.result == outcome::would_block ? !socket_empty_ : got.count != 0;
    if (got.count != 0) got.result = outcome::data;
    return got;
}

tls_stream::outcome tls_stream::outcome_of_failure(int error) {
    switch (SSL_get_error(ssl_.get(), 0)) {
        case SSL_ERROR_WANT_READ: return outcome::would_block;
        case SSL_ERROR_WANT_WRITE: return outcome::wants_to_write;
        case SSL_ERROR_ZERO_RETURN: return outcome::ended;
        case SSL_ERROR_SYSCALL:
            failure_ = std::strerror(error);
            ERR_clear_error();
            break;
        default: {
            auto const reason = ERR_GET_REASON(ERR_peek_error());
            plain_http_ = !established_ && (reason == SSL_R_HTTP_REQUEST || reason == SSL_R_HTTPS_PROXY_REQUEST);
            failure_ = "TLS: " + take_openssl_error();
            if (expectation_ != nullptr) expectation_->verify_result = SSL_get_verify_result(ssl_.get());
        }
    }
    return outcome::failed;
}

std::ptrdiff_t tls_stream::write(std::string_view a, std::string_view b, std::string_view c, std::string_view d) {
    std::array<std::string_view, 4> pieces{a, b, c, d};
    std::size_t left = a.size() + b.size() + c.size() + d.size();
    std::size_t written = 0;
    write_wants_to_read_ = false;
    std::array<char, largest_record> record;
    while (left != 0 && failure_.empty()) {
        // OpenSSL insists that a write is repeated with the length that it had.
        auto const size = unfinished_ != 0 ? unfinished_ : std::min(left, largest_record);
        auto first = std::ranges::find_if(pieces, [](auto piece) { return !piece.empty(); });
        auto const* from = first->data();
        if (first->size() < size) {
            std::size_t filled = 0;
            for (auto at = first; filled < size; ++at) filled += at->copy(record.data() + filled, size - filled);
            from = record.data();
        }
        ERR_clear_error();
        std::size_t count = 0;
        int const done = SSL_write_ex(ssl_.get(), from, size, &count);
        int const error = errno;
        if (done != 1) {
            unfinished_ = size;
            auto const result = outcome_of_failure(error);
            // When the peer has said that it ends, OpenSSL 3.0 says that of a write that failed, too.
            if (result == outcome::ended) failure_ = std::strerror(error);
            write_wants_to_read_ = result == outcome::would_block;
            break;
        }
        unfinished_ = 0;
        written += count;
        left -= count;
        for (auto& piece : pieces) {
            auto const gone = std::min(count, piece.size());
            piece.remove_prefix(gone);
            count -= gone;
        }
    }
    if (written == 0 && !failure_.empty()) return -1;
    return static_cast<std::ptrdiff_t>(written);
}

bool tls_stream::end() {
    if (!failure_.empty() || !established_) return true;
    ERR_clear_error();
    int const done = SSL_shutdown(ssl_.get());
    bool const blocked = done < 0 && SSL_get_error(ssl_.get(), done) == SSL_ERROR_WANT_WRITE;
    ERR_clear_error();
    return !blocked;
}

std::shared_ptr<const client_certificate> tls_stream::peer_certificate() const {
    auto* const certificate = SSL_get0_peer_certificate(ssl_.get());
    if (certificate == nullptr) return nullptr;
    client_certificate result;
    result.subject = name_of(X509_get_subject_name(certificate));
    result.common_name = common_name_of(certificate);
    result.alternative_names = alternative_names_of(certificate);
    result.issuer = name_of(X509_get_issuer_name(certificate));
    auto const* const serial = X509_get0_serialNumber(certificate);
    result.serial = hexadecimal({ASN1_STRING_get0_data(serial), static_cast<std::size_t>(ASN1_STRING_length(serial))});
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    if (X509_digest(certificate, EVP_sha256(), digest.data(), &size) != 1) throw std::bad_alloc();
    result.fingerprint = hexadecimal(std::span(digest).first(size));
    ERR_clear_error();
    return std::make_shared<const client_certificate>(std::move(result));
}

}  // namespace wsio::detail
