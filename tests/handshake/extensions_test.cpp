#include "handshake/extensions.hpp"

#include "handshake_tools.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace wsio::handshake::test {

namespace {

compression shared() { return {.mode = compression_mode::shared}; }
compression dedicated() { return {.mode = compression_mode::dedicated}; }

headers offering(std::string_view value) { return {{"Sec-WebSocket-Extensions", value}}; }

/// Writes what was read in one form, so that it can be compared.
std::string read(const headers& fields) {
    auto const offers = read_extensions(fields);
    if (!offers) return "malformed";
    std::string all;
    for (auto const& [name, parameters] : *offers) {
        all += "[" + std::string(name);
        for (auto const& parameter : parameters) {
            all += ";" + std::string(parameter.name);
            if (parameter.value) all += "=" + *parameter.value;
        }
        all += "]";
    }
    return all;
}

std::string read(std::string_view value) { return read(offering(value)); }

std::string answer(std::string_view value, const compression& settings) {
    auto const fields = offering(value);
    auto const offers = read_extensions(fields);
    BOOST_REQUIRE_MESSAGE(offers, value << " is malformed");
    auto const agreed = accept_deflate(*offers, settings);
    return agreed ? agreed->response : "declined";
}

protocol::deflate_parameters agreed(std::string_view value, const compression& settings) {
    auto const fields = offering(value);
    auto const result = accept_deflate(*read_extensions(fields), settings);
    BOOST_REQUIRE_MESSAGE(result, value << " was declined");
    return result->parameters;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(extensions)

BOOST_AUTO_TEST_CASE(extensions_are_read_by_the_grammar_of_rfc_6455) {
    BOOST_TEST(read(headers{}) == "");
    BOOST_TEST(read("foo") == "[foo]");
    BOOST_TEST(read("foo, bar; baz=2") == "[foo][bar;baz=2]");
    BOOST_TEST(read("bar; baz=2") == "[bar;baz=2]");
    BOOST_TEST(read("a;b;c=d , e;f=\"g\"") == "[a;b;c=d][e;f=g]");
    BOOST_TEST(read("a ; b = c\t;d = \"e\" ,\tf") == "[a;b=c;d=e][f]");
    BOOST_TEST(read("a;b=\"c\\d\"") == "[a;b=cd]");
    BOOST_TEST(read(",, a ,, b ,") == "[a][b]");
    BOOST_TEST(read("!#$%&'*+-.^_`|~0aZ") == "[!#$%&'*+-.^_`|~0aZ]");
}

BOOST_AUTO_TEST_CASE(several_fields_are_one_list) {
    BOOST_TEST(
        read(headers{{"Sec-WebSocket-Extensions", "a; b"}, {"X", "not this"}, {"sec-websocket-extensions", "c, d"}}) ==
        "[a;b][c][d]");
    BOOST_TEST(read(headers{{"Sec-WebSocket-Extensions", "a"}, {"Sec-WebSocket-Extensions", "b;"}}) == "malformed");
}

BOOST_AUTO_TEST_CASE(what_breaks_the_grammar_is_malformed) {
    for (auto const* value : {"",
                              " ",
                              ",",
                              " , ",
                              ";",
                              "a;",
                              "a;,b",
                              "a;;b",
                              ";a",
                              "a=b",
                              "a;=b",
                              "a;b=",
                              "a;b=,c",
                              "a;b= ;c",
                              "a b",
                              "a;b c",
                              "a;b=c d",
                              "a;b==c",
                              "a;b=\"",
                              "a;b=\"c",
                              "a;b=\"\"",
                              "a;b=\"c d\"",
                              "a;b=\"c\"d",
                              "a;b=\"c\\",
                              "a;b=\"c\\\"",
                              "a;b=\"c\\\"\"",
                              "\"a\"",
                              "a;\"b\"",
                              "a(",
                              "a;b=(",
                              "a;b=c, (",
                              "\xC3\xA4",
                              "a;b=\xC3\xA4"})
        BOOST_TEST(read(value) == "malformed", value);
}

BOOST_AUTO_TEST_CASE(a_long_list_is_read_in_one_pass) {
    std::string value;
    for (int i = 0; i < 5000; ++i) value += "permessage-deflate; x,";
    auto const fields = offering(value);
    BOOST_TEST(read_extensions(fields)->size() == 5000U);
    BOOST_TEST(answer(value + "permessage-deflate", dedicated()) == "permessage-deflate; server_max_window_bits=12");
    BOOST_TEST(read(std::string(20000, ';')) == "malformed");
    BOOST_TEST(read("a;b=\"" + std::string(20000, 'c')) == "malformed");
}

BOOST_AUTO_TEST_CASE(nothing_is_accepted_when_compression_is_off) {
    BOOST_TEST(answer("permessage-deflate", {}) == "declined");
}

BOOST_AUTO_TEST_CASE(other_extensions_are_declined) {
    for (auto const* value : {"deflate-stream", "x-webkit-deflate-frame", "deflate-frame", "permessage-bzip2",
                              "permessage-deflate2", "x; permessage-deflate", "mux; max-channels=4"})
        BOOST_TEST(answer(value, dedicated()) == "declined", value);
    BOOST_TEST(answer("deflate-stream, permessage-deflate; server_no_context_takeover", dedicated()) ==
               "permessage-deflate; server_no_context_takeover; server_max_window_bits=12");
}

BOOST_AUTO_TEST_CASE(shared_forbids_both_contexts) {
    BOOST_TEST(answer("permessage-deflate", shared()) ==
               "permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=12");
    // The client's window is not kept, so it need not be small.
    BOOST_TEST(answer("permessage-deflate; client_max_window_bits", shared()) ==
               "permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=12");
    auto const parameters = agreed("permessage-deflate; client_max_window_bits", shared());
    BOOST_TEST(parameters.server_no_context_takeover);
    BOOST_TEST(parameters.client_no_context_takeover);
    BOOST_TEST(parameters.client_max_window_bits == 15);
}

BOOST_AUTO_TEST_CASE(dedicated_takes_over_what_the_client_allows) {
    BOOST_TEST(answer("permessage-deflate", dedicated()) == "permessage-deflate; server_max_window_bits=12");
    BOOST_TEST(answer("permessage-deflate; server_no_context_takeover", dedicated()) ==
               "permessage-deflate; server_no_context_takeover; server_max_window_bits=12");
    BOOST_TEST(answer("permessage-deflate; client_no_context_takeover; client_max_window_bits", dedicated()) ==
               "permessage-deflate; client_no_context_takeover; server_max_window_bits=12");
    BOOST_TEST(answer("permessage-deflate; client_max_window_bits", dedicated()) ==
               "permessage-deflate; server_max_window_bits=12; client_max_window_bits=12");
    auto const parameters = agreed("permessage-deflate", dedicated());
    BOOST_TEST(!parameters.server_no_context_takeover);
    BOOST_TEST(!parameters.client_no_context_takeover);
    BOOST_TEST(parameters.client_max_window_bits == 15);  // nobody said that it could be less
}

BOOST_AUTO_TEST_CASE(window_sizes_are_the_smaller_of_both_ends) {
    for (int bits = 8; bits <= 15; ++bits) {
        auto const text = std::to_string(bits);
        auto const parameters =
            agreed("permessage-deflate; server_max_window_bits=" + text + "; client_max_window_bits=\"" + text + "\"",
                   dedicated());
        BOOST_TEST(parameters.server_max_window_bits == std::min(bits, 12));
        BOOST_TEST(parameters.client_max_window_bits == std::min(bits, 12));
    }
    auto large = dedicated();
    large.window_bits = large.client_window_bits = 15;
    BOOST_TEST(answer("permessage-deflate; client_max_window_bits", large) == "permessage-deflate");
    BOOST_TEST(answer("permessage-deflate; client_max_window_bits=10", large) ==
               "permessage-deflate; client_max_window_bits=10");
    // A limit that was offered has to be in the answer, even if it limits nothing (RFC 7692 7.1.2.1).
    BOOST_TEST(answer("permessage-deflate; server_max_window_bits=15", large) ==
               "permessage-deflate; server_max_window_bits=15");
}

BOOST_AUTO_TEST_CASE(an_offer_with_a_wrong_parameter_is_declined) {
    for (auto const* parameters : {"unknown",
                                   "unknown=1",
                                   "server_no_context_takeover=1",
                                   "client_no_context_takeover=1",
                                   "server_no_context_takeover=true",
                                   "server_max_window_bits",
                                   "server_max_window_bits=7",
                                   "server_max_window_bits=16",
                                   "server_max_window_bits=0",
                                   "server_max_window_bits=08",
                                   "server_max_window_bits=010",
                                   "server_max_window_bits=-9",
                                   "server_max_window_bits=+9",
                                   "server_max_window_bits=1",
                                   "server_max_window_bits=1x",
                                   "server_max_window_bits=9.0",
                                   "server_max_window_bits=100",
                                   "server_max_window_bits=4294967304",
                                   "client_max_window_bits=7",
                                   "client_max_window_bits=16",
                                   "client_max_window_bits=08",
                                   "client_max_window_bits=x",
                                   "Server_Max_Window_Bits=10"})
        BOOST_TEST(answer("permessage-deflate; " + std::string(parameters), dedicated()) == "declined", parameters);
}

BOOST_AUTO_TEST_CASE(an_offer_with_a_parameter_twice_is_declined) {
    for (auto const* parameters :
         {"server_no_context_takeover; server_no_context_takeover",
          "client_no_context_takeover; server_no_context_takeover; client_no_context_takeover",
          "server_max_window_bits=10; server_max_window_bits=10", "client_max_window_bits; client_max_window_bits",
          "client_max_window_bits; client_max_window_bits=10", "client_max_window_bits=10; client_max_window_bits=10"})
        BOOST_TEST(answer("permessage-deflate; " + std::string(parameters), shared()) == "declined", parameters);
}

BOOST_AUTO_TEST_CASE(the_first_valid_offer_of_several_is_accepted) {
    // RFC 7692 5.2 and 7.1.3
    BOOST_TEST(answer("permessage-deflate; server_max_window_bits=10, permessage-deflate", dedicated()) ==
               "permessage-deflate; server_max_window_bits=10");
    BOOST_TEST(answer("permessage-deflate; use_magic, permessage-deflate; server_max_window_bits=9, permessage-deflate",
                      dedicated()) == "permessage-deflate; server_max_window_bits=9");
    BOOST_TEST(answer("permessage-deflate, permessage-deflate; server_max_window_bits=9", dedicated()) ==
               "permessage-deflate; server_max_window_bits=12");
    BOOST_TEST(answer("permessage-deflate; a, permessage-deflate; b", dedicated()) == "declined");
}

// The offers of Autobahn's cases 12.1 to 12.5 and 13.1 to 13.7.
BOOST_AUTO_TEST_CASE(what_autobahn_offers_is_accepted) {
    std::string const offer = "permessage-deflate; client_no_context_takeover; client_max_window_bits";
    std::string const both = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
    std::string const clients = "permessage-deflate; client_no_context_takeover";
    BOOST_TEST(answer(offer, dedicated()) == clients + "; server_max_window_bits=12");
    BOOST_TEST(answer(offer + "; server_no_context_takeover", dedicated()) == both + "; server_max_window_bits=12");
    BOOST_TEST(answer(offer + "; server_max_window_bits=9", dedicated()) == clients + "; server_max_window_bits=9");
    BOOST_TEST(answer(offer + "; server_max_window_bits=15", dedicated()) == clients + "; server_max_window_bits=12");
    BOOST_TEST(answer(offer + "; server_no_context_takeover; server_max_window_bits=9", dedicated()) ==
               both + "; server_max_window_bits=9");
    BOOST_TEST(answer(offer + "; server_no_context_takeover; server_max_window_bits=15", dedicated()) ==
               both + "; server_max_window_bits=12");
    auto const three = offer + "; server_no_context_takeover; server_max_window_bits=9, " + offer +
                       "; server_no_context_takeover, " + offer;
    BOOST_TEST(answer(three, dedicated()) == both + "; server_max_window_bits=9");
    BOOST_TEST(answer(three, shared()) == both + "; server_max_window_bits=9");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace wsio::handshake::test
