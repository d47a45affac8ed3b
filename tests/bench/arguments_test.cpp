#include "arguments.hpp"
#include "failure.hpp"

#include <boost/test/unit_test.hpp>

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

using namespace wsio::bench;

namespace {

constexpr auto server_url = "ws://localhost:3000/";

settings parse(std::initializer_list<const char*> words) { return parse_arguments(std::vector<const char*>(words)); }

settings parse_with_url(std::vector<const char*> words) {
    words.push_back(server_url);
    return parse_arguments(words);
}

void is_refused(std::vector<const char*> words, std::string_view why) {
    BOOST_TEST_CONTEXT(words.front()) {
        BOOST_CHECK_EXCEPTION(parse_with_url(words), failure, [&](const failure& refusal) {
            BOOST_TEST_MESSAGE(refusal.what());
            return refusal.code() == exit_code::usage &&
                   std::string_view(refusal.what()).find(why) != std::string::npos;
        });
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(arguments_)

BOOST_AUTO_TEST_CASE(a_url_alone_is_enough) {
    auto const wanted = parse({server_url});
    BOOST_TEST(wanted.target.port == "3000");
    BOOST_TEST(wanted.connections == 100U);
    BOOST_TEST(wanted.size == 16U);
    BOOST_TEST(wanted.depth == 1U);
    BOOST_TEST(wanted.duration == 10 * second);
    BOOST_TEST(wanted.warmup == second);
    BOOST_TEST(wanted.threads == 1U);
    BOOST_TEST(wanted.rate == 0.0);
    BOOST_TEST(!wanted.binary);
    BOOST_TEST(!wanted.json);
    BOOST_TEST((wanted.mode == measurement::echo));
    BOOST_TEST((wanted.version == wsio::protocol_version::hybi_13));
}

BOOST_AUTO_TEST_CASE(options_may_stand_before_and_behind_the_url) {
    auto const wanted = parse({"--connections", "7", server_url, "--depth", "3", "--binary", "--json"});
    BOOST_TEST(wanted.connections == 7U);
    BOOST_TEST(wanted.depth == 3U);
    BOOST_TEST(wanted.binary);
    BOOST_TEST(wanted.json);
}

BOOST_AUTO_TEST_CASE(sizes_may_be_given_in_kilobytes_and_megabytes) {
    BOOST_TEST(parse_with_url({"--size", "0"}).size == 0U);
    BOOST_TEST(parse_with_url({"--size", "64k"}).size == 65536U);
    BOOST_TEST(parse_with_url({"--size", "1M"}).size == 1048576U);
    for (auto const* wrong : {"", "k", "-1", "1.5k", "1g", "16 ", "2000M"})
        is_refused({"--size", wrong}, "--size takes");
}

BOOST_AUTO_TEST_CASE(durations_may_be_given_in_several_units) {
    BOOST_TEST(parse_with_url({"--duration", "3"}).duration == 3 * second);
    BOOST_TEST(parse_with_url({"--duration", "0.5"}).duration == second / 2);
    BOOST_TEST(parse_with_url({"--duration", "3s"}).duration == 3 * second);
    BOOST_TEST(parse_with_url({"--duration", "250ms"}).duration == second / 4);
    BOOST_TEST(parse_with_url({"--duration", "2m"}).duration == 120 * second);
    BOOST_TEST(parse_with_url({"--warmup", "0"}).warmup == 0U);
    for (auto const* wrong : {"", "s", "-1", "3h", "1e3", "nan", "inf", "1 s"})
        is_refused({"--duration", wrong}, "--duration takes a time");
    is_refused({"--duration", "0"}, "must not be 0");
}

BOOST_AUTO_TEST_CASE(every_protocol_has_its_names) {
    using enum wsio::protocol_version;
    for (auto const& [name, version] : {std::pair{"13", hybi_13},
                                        {"8", hybi_8},
                                        {"7", hybi_7},
                                        {"76", hixie_76},
                                        {"75", hixie_75},
                                        {"hybi-13", hybi_13},
                                        {"hixie-76", hixie_76},
                                        {"hybi-00", hixie_76}})
        BOOST_TEST((parse_with_url({"--protocol", name}).version == version), name);
    is_refused({"--protocol", "14"}, "--protocol takes 13, 8, 7, 76 or 75");
}

BOOST_AUTO_TEST_CASE(modes_and_payloads_are_read) {
    BOOST_TEST((parse_with_url({"--mode", "connect"}).mode == measurement::connect));
    BOOST_TEST((parse_with_url({"--mode", "idle"}).mode == measurement::idle));
    BOOST_TEST((parse_with_url({"--chinese"}).payload == payload_kind::chinese));
    BOOST_TEST((parse_with_url({"--payload", "chinese"}).payload == payload_kind::chinese));
    BOOST_TEST((parse_with_url({"--payload", "random", "--binary"}).payload == payload_kind::random));
    BOOST_TEST((parse_with_url({"--payload", "json"}).payload == payload_kind::json));
    BOOST_TEST(parse_with_url({"--compress"}).compress);
    BOOST_TEST(!parse_with_url({}).compress);
    BOOST_TEST(parse_with_url({"--rate", "1500.5"}).rate == 1500.5);
    BOOST_TEST(parse_with_url({"--server-pid", "42"}).server_pid == 42);
    is_refused({"--mode", "fast"}, "--mode takes echo, connect or idle");
    is_refused({"--payload", "klingon"}, "--payload takes ascii, chinese, json or random");
}

BOOST_AUTO_TEST_CASE(headers_are_collected) {
    auto const wanted = parse_with_url({"--header", "Origin: http://a", "--header", "Cookie: b=c"});
    BOOST_TEST(wanted.headers == "Origin: http://a\r\nCookie: b=c\r\n");
    for (auto const* wrong : {"", "Origin", ": x", "A: b\r\nC: d"}) is_refused({"--header", wrong}, "--header takes");
}

BOOST_AUTO_TEST_CASE(wrong_words_are_refused) {
    is_refused({"--conections", "1"}, "unknown option --conections");
    is_refused({"-c", "1"}, "unknown option -c");
    is_refused({"ws://other/"}, "one URL is enough");
    is_refused({"--connections", "0"}, "--connections takes a number from 1 to");
    is_refused({"--connections", "1e3"}, "--connections takes");
    is_refused({"--connections", "99999999999999999999"}, "--connections takes");
    is_refused({"--depth", "0"}, "--depth takes");
    is_refused({"--threads", "0"}, "--threads takes");
    is_refused({"--rate", "0"}, "--rate takes");
    is_refused({"--rate", "fast"}, "--rate takes");
    BOOST_CHECK_THROW(parse({}), failure);
    BOOST_CHECK_THROW(parse({server_url, "--size"}), failure);
}

BOOST_AUTO_TEST_CASE(what_does_not_go_together_is_refused) {
    is_refused({"--protocol", "76", "--binary"}, "hixie-76 cannot carry binary");
    is_refused({"--protocol", "8", "--compress"}, "hybi-8 has no compression");
    is_refused({"--payload", "random"}, "--binary only");
    is_refused({"--mode", "connect", "--rate", "5"}, "--mode echo only");
    is_refused({"--connections", "2", "--threads", "3"}, "3 threads need");
}

BOOST_AUTO_TEST_CASE(help_is_given_whatever_else_is_there) {
    BOOST_TEST(parse({"--help"}).help);
    BOOST_TEST(parse({"nonsense", "-h", "--more"}).help);
    for (auto const* option :
         {"--connections", "--size", "--depth", "--duration", "--text", "--binary", "--protocol", "--rate", "--threads",
          "--mode", "--warmup", "--json", "--payload", "--chinese", "--compress", "--header", "--server-pid"})
        BOOST_TEST(help_text("wsio-bench").find(option) != std::string_view::npos, option);
}

BOOST_AUTO_TEST_SUITE_END()
