#include "io/tls_context.hpp"

#include "io/tls_tools.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

using namespace wsio::test;
using wsio::client_verification;
using wsio::tls;
using wsio::tls_options;
using wsio::detail::tls_identities;

namespace {

/// Files of a server, and what is wrong with them if anything is.
struct files {
    temporary_folder folder;
    authority ca;
    wsio::tls_certificate server = ca.issue("localhost").save(folder, "server");

    /// Gives what is said about options that cannot be used.
    template <typename Exception = std::runtime_error>
    static std::string refusal(const tls_options& options) {
        try {
            tls const made(options);
        } catch (const Exception& e) {
            return e.what();
        }
        return "nothing was wrong";
    }
    std::string refusal(const std::string& certificate, const std::string& key) const {
        return refusal({.certificate = certificate, .key = key});
    }
};

std::string name_of(SSL_CTX* context) {
    if (context == nullptr) return "none";
    char name[100] = {};
    X509_NAME_get_text_by_NID(X509_get_subject_name(SSL_CTX_get0_certificate(context)), NID_commonName, name,
                              sizeof name);
    return name;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(io_tls_context)

BOOST_AUTO_TEST_CASE(an_empty_handle_means_no_tls) {
    tls const none;
    BOOST_TEST(!none);
    none.reload();
    BOOST_TEST(!none);
}

BOOST_FIXTURE_TEST_CASE(a_certificate_and_its_key_are_taken, files) {
    tls const made({.certificate = server.certificate, .key = server.key});
    BOOST_TEST(static_cast<bool>(made));
    BOOST_TEST(name_of(made.context()->current()->first()) == "localhost");
}

BOOST_FIXTURE_TEST_CASE(files_that_are_missing_are_named, files) {
    auto const missing = folder.file("missing.pem");
    BOOST_TEST(refusal(missing, server.key) ==
               "wsio: cannot read the certificate " + missing + ": No such file or directory");
    BOOST_TEST(refusal(server.certificate, missing) ==
               "wsio: cannot read the key " + missing + ": No such file or directory");
    BOOST_TEST(refusal({.certificate = server.certificate,
                        .key = server.key,
                        .client_ca = missing,
                        .client_verify = client_verification::required}) ==
               "wsio: cannot read the client CA " + missing + ": No such file or directory");
}

BOOST_FIXTURE_TEST_CASE(files_that_hold_something_else_are_named, files) {
    auto const empty = folder.write("empty.pem", "");
    auto const text = folder.write("text.pem", "no certificate\n");
    for (auto const& file : {empty, text, server.key})
        BOOST_TEST(refusal(file, server.key) ==
                   "wsio: the certificate " + file + " holds no certificate in PEM format");
    for (auto const& file : {empty, text, server.certificate})
        BOOST_TEST(refusal(server.certificate, file) ==
                   "wsio: the key " + file + " holds no private key in PEM format without a passphrase");
    BOOST_TEST(refusal({.certificate = server.certificate,
                        .key = server.key,
                        .client_ca = text,
                        .client_verify = client_verification::optional}) ==
               "wsio: the client CA " + text + " holds no certificate in PEM format");
}

BOOST_FIXTURE_TEST_CASE(a_certificate_that_is_cut_short_or_altered_is_named, files) {
    auto const whole = ca.issue("localhost").certificate_pem();
    auto const cut = folder.write("cut.pem", whole.substr(0, whole.size() / 2));
    BOOST_TEST(refusal(cut, server.key).starts_with("wsio: the certificate " + cut + " is damaged: "));
    auto altered = whole;
    altered[whole.find('\n') + 1] = 'A';
    auto const broken = folder.write("altered.pem", altered);
    BOOST_TEST(refusal(broken, server.key).starts_with("wsio: the certificate " + broken + " is damaged: "));
    // What follows a good one counts too.
    auto const chain = folder.write("chain.pem", whole + altered);
    BOOST_TEST(refusal(chain, server.key).starts_with("wsio: the certificate " + chain + " is damaged: "));
}

BOOST_FIXTURE_TEST_CASE(a_key_that_does_not_fit_the_certificate_is_named, files) {
    auto const other = ca.issue("localhost").save(folder, "other");
    BOOST_TEST(refusal(server.certificate, other.key) ==
               "wsio: the key " + other.key + " does not belong to the certificate " + server.certificate);
}

BOOST_FIXTURE_TEST_CASE(options_that_make_no_sense_are_refused, files) {
    auto const why = [](const tls_options& options) { return refusal<std::invalid_argument>(options); };
    BOOST_TEST(why({}) == "wsio: tls_options.certificate must name a file");
    BOOST_TEST(why({.certificate = server.certificate}) == "wsio: tls_options.key must name a file");
    auto options = tls_options{.certificate = server.certificate, .key = server.key};
    options.client_verify = client_verification::required;
    BOOST_TEST(why(options) == "wsio: tls_options.client_ca and tls_options.client_verify belong together");
    options.client_verify = client_verification::none;
    options.client_ca = server.certificate;
    BOOST_TEST(why(options) == "wsio: tls_options.client_ca and tls_options.client_verify belong together");
    options.client_ca.clear();
    options.ciphers = "ROT13";
    BOOST_TEST(why(options) == "wsio: tls_options.ciphers: OpenSSL knows nothing of \"ROT13\"");
    options.ciphers = tls_options().ciphers;
    options.cipher_suites = "TLS_ROT13";
    BOOST_TEST(why(options) == "wsio: tls_options.cipher_suites: OpenSSL knows not all of \"TLS_ROT13\"");
    options.cipher_suites.clear();
    options.more_certificates = {{server.certificate, ""}};
    BOOST_TEST(why(options) == "wsio: tls_options.more_certificates: each must name a certificate and its key");
}

BOOST_FIXTURE_TEST_CASE(a_name_finds_the_first_certificate_that_has_it, files) {
    auto const one = ca.issue("one", "DNS:one.example,DNS:*.wild.example").save(folder, "one");
    auto const two = ca.issue("two.example", "").save(folder, "two");
    auto const three = ca.issue("three", "DNS:ONE.example,DNS:deep.wild.example,IP:127.0.0.1").save(folder, "three");
    tls_identities const all(
        {.certificate = server.certificate, .key = server.key, .more_certificates = {one, two, three}});
    BOOST_TEST(name_of(all.first()) == "localhost");
    BOOST_TEST(name_of(all.find("localhost")) == "localhost");
    BOOST_TEST(name_of(all.find("one.example")) == "one");
    BOOST_TEST(name_of(all.find("One.Example")) == "one");
    BOOST_TEST(name_of(all.find("two.example")) == "two.example");
    BOOST_TEST(name_of(all.find("a.wild.example")) == "one");
    BOOST_TEST(name_of(all.find("deep.wild.example")) == "three");  // the exact name before the pattern
    for (auto const* name : {"a.b.wild.example", "wild.example", ".wild.example.", "three", "*", "", ".", "127.0.0.1"})
        BOOST_TEST(name_of(all.find(name)) == "none", name);
}

BOOST_FIXTURE_TEST_CASE(a_reload_gives_what_the_files_hold_now, files) {
    tls const made({.certificate = server.certificate, .key = server.key});
    auto const copy = made;
    auto const before = made.context()->current();
    ca.issue("renewed").save(folder, "server");
    BOOST_TEST(name_of(made.context()->current()->first()) == "localhost");
    made.reload();
    BOOST_TEST(name_of(copy.context()->current()->first()) == "renewed");
    BOOST_TEST(name_of(before->first()) == "localhost");  // for the connections that have it
}

BOOST_FIXTURE_TEST_CASE(a_reload_that_fails_changes_nothing_and_says_why, files) {
    tls const made({.certificate = server.certificate, .key = server.key});
    auto const before = made.context()->current();
    ca.issue("renewed").save(folder, "other");
    folder.write("server.key", ca.issue("renewed").key_pem());
    BOOST_CHECK_EXCEPTION(made.reload(), std::runtime_error, [&](const std::runtime_error& e) {
        return e.what() == "wsio: the key " + server.key + " does not belong to the certificate " + server.certificate;
    });
    BOOST_TEST(made.context()->current() == before);
}

BOOST_AUTO_TEST_SUITE_END()
