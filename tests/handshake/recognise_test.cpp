#include "handshake_tools.hpp"

#include <chrono>
#include <string>

BOOST_AUTO_TEST_SUITE(handshake_recognise)

using namespace wsio::handshake::test;
using namespace wsio::handshake;
using wsio::protocol_set;
using wsio::protocol_version;

BOOST_AUTO_TEST_CASE(each_version_is_recognised) {
    BOOST_TEST((accepted(get(hybi_fields("13"))).version == protocol_version::hybi_13));
    BOOST_TEST((accepted(get(hybi_fields("8"))).version == protocol_version::hybi_8));
    BOOST_TEST((accepted(get(hybi_fields("7"))).version == protocol_version::hybi_7));
    BOOST_TEST((accepted(get(hixie_76_fields())).version == protocol_version::hixie_76));
    BOOST_TEST((accepted(get(hixie_75_fields())).version == protocol_version::hixie_75));
}

BOOST_AUTO_TEST_CASE(upgrade_and_connection_are_compared_without_case) {
    auto fields = replaced(replaced(hybi_fields(), "Upgrade", "WebSocket"), "Connection", "foo,\tUPGRADE , bar");
    BOOST_TEST((accepted(get(fields)).version == protocol_version::hybi_13));
    fields = with(replaced(hybi_fields(), "Connection", "keep-alive"), "connection", "upgrade");
    BOOST_TEST((accepted(get(fields)).version == protocol_version::hybi_13));
    fields = replaced(replaced(hixie_76_fields(), "Upgrade", "websocket"), "Connection", "upgrade, keep-alive");
    BOOST_TEST((accepted(get(fields)).version == protocol_version::hixie_76));
}

BOOST_AUTO_TEST_CASE(upgrade_may_be_a_list_on_the_hybi_versions) {
    for (auto const* version : {"13", "8", "7"}) {
        for (auto const* value : {"websocket, foo/2", "h2c, WebSocket", " , foo/2 ,\twebsocket,"})
            BOOST_TEST(is_hybi(accepted(get(replaced(hybi_fields(version), "Upgrade", value))).version), value);
        BOOST_TEST(is_hybi(accepted(get(with(hybi_fields(version), "upgrade", "foo/2"))).version));
        BOOST_TEST(is_hybi(accepted(get(with(hybi_fields(version), "Upgrade", "websocket"))).version));
    }
}

BOOST_AUTO_TEST_CASE(only_requests_that_name_websocket_want_it) {
    BOOST_TEST(wants_websocket(get(hybi_fields())));
    BOOST_TEST(wants_websocket(get({{"Upgrade", "h2c, WebSocket"}})));
    BOOST_TEST(wants_websocket(get({{"Upgrade", "nonsense"}, {"Sec-WebSocket-Key", ""}})));
    BOOST_TEST(wants_websocket(get({{"Upgrade", "nonsense"}, {"Sec-WebSocket-Key1", ""}})));
    BOOST_TEST(wants_websocket(get({{"Upgrade", "nonsense"}, {"Sec-WebSocket-Version", ""}})));
    BOOST_TEST(!wants_websocket(get({{"Upgrade", "h2c"}})));
    BOOST_TEST(!wants_websocket(get({{"Upgrade", "websockets"}})));
    BOOST_TEST(!wants_websocket(get({{"Sec-WebSocket-Key", "a"}, {"Sec-WebSocket-Version", "13"}})));
    BOOST_TEST(!wants_websocket(get({})));
}

BOOST_AUTO_TEST_CASE(another_method_than_get_is_refused_with_405) {
    for (std::string const method : {"POST", "get", "HEAD", "CONNECT"}) {
        wsio::headers fields;
        for (auto const& [name, value] : hybi_fields()) fields.add(name, value);
        wsio::request const request(method, "/chat", fields);
        check_refused(request, 405, "GET");
        BOOST_TEST(refused(request).fields["Allow"] == "GET");
    }
}

BOOST_AUTO_TEST_CASE(odd_upgrade_fields_are_refused) {
    check_refused(get(without(hybi_fields(), "Upgrade")), 400, "Upgrade field is missing");
    for (auto const* value : {"", "websockets", "h2c", "h2c, foo/2", "websocket/13", "\"websocket\"", "foo websocket"})
        check_refused(get(replaced(hybi_fields(), "Upgrade", value)), 400, "does not contain \"websocket\"");
    for (auto const& fields : {hixie_76_fields(), hixie_75_fields(), without(hybi_fields(), "Sec-WebSocket-Version")}) {
        check_refused(get(without(fields, "Upgrade")), 400, "Upgrade field is missing");
        check_refused(get(with(fields, "Upgrade", "websocket")), 400, "Upgrade field came more than once");
        for (auto const* value : {"", "websockets", "WebSocket, foo/2", "websocket, h2c", "\"WebSocket\""})
            check_refused(get(replaced(fields, "Upgrade", value)), 400, "the Upgrade field must be");
    }
    check_refused(get(without(hybi_fields(), "Connection")), 400, "Connection");
    for (auto const* value : {"", "keep-alive", "upgraded", "Upgrade;x", "up grade"})
        check_refused(get(replaced(hybi_fields(), "Connection", value)), 400, "Connection");
}

BOOST_AUTO_TEST_CASE(the_host_must_be_there_once_and_sane) {
    for (auto const& fields : {hybi_fields(), hixie_76_fields(), hixie_75_fields()}) {
        check_refused(get(without(fields, "Host")), 400, "Host field is missing");
        check_refused(get(with(fields, "host", "example.com")), 400, "more than one Host");
        check_refused(get(replaced(fields, "Host", "")), 400, "Host field is missing or empty");
        check_refused(get(replaced(fields, "Host", "exa mple.com")), 400, "Host field is malformed");
        check_refused(get(replaced(fields, "Host", "a\tb")), 400, "Host field is malformed");
    }
}

BOOST_AUTO_TEST_CASE(http_1_0_is_let_in_on_hixie_76_only) {
    auto const older = [](const field_list& fields) {
        auto request = get(fields);
        request.http_minor(0);
        return request;
    };
    check_refused(older(hybi_fields()), 400, "HTTP/1.1");
    check_refused(older(hixie_75_fields()), 400, "HTTP/1.1");
    BOOST_TEST((accepted(older(hixie_76_fields())).version == protocol_version::hixie_76));
    check_refused(older(without(hixie_76_fields(), "Host")), 400, "Host");
}

BOOST_AUTO_TEST_CASE(a_target_that_is_no_path_is_refused) {
    for (std::string const target : {"*", "chat", "example.com:80", "", "ftp://example.com/", "http:/a"})
        check_refused(get(hybi_fields(), target), 400, "request target");
    for (std::string const target : {"/", "http://example.com/chat", "WS://example.com?x"}) {
        auto const request = get(hybi_fields(), target);
        BOOST_TEST((accepted(request).version == protocol_version::hybi_13), target);
    }
}

BOOST_AUTO_TEST_CASE(versions_that_are_not_spoken_get_426_with_the_list) {
    for (auto const* version : {"0", "1", "2", "3", "4", "5", "6", "9", "10", "11", "12", "14", "25", "130", "255",
                                "256", "99999999999999999999999"}) {
        auto const request = get(hybi_fields(version));
        check_refused(request, 426, "13, 8, 7");
        auto const fields = refused(request).fields;
        BOOST_TEST(fields["Sec-WebSocket-Version"] == "13, 8, 7");
        BOOST_TEST(fields["Upgrade"] == "websocket");
    }
}

BOOST_AUTO_TEST_CASE(a_malformed_version_is_refused_with_400) {
    for (auto const* version :
         {"", "013", "+13", "-13", "13, 8", "13 8", "13.0", "0x0d", "13a", "thirteen", "00", "08"})
        check_refused(get(hybi_fields(version)), 400, "Sec-WebSocket-Version");
    check_refused(get(with(hybi_fields(), "sec-websocket-version", "13")), 400, "more than once");
    check_refused(get(with(hybi_fields(), "sec-websocket-version", "8")), 400, "more than once");
}

BOOST_AUTO_TEST_CASE(a_disabled_version_is_refused) {
    using enum protocol_version;
    check_refused(get(hybi_fields("7")), 426, "one of: 13, 8", {hybi_13, hybi_8, hixie_76});
    BOOST_TEST(refused(get(hybi_fields("13")), {hybi_7}).fields["Sec-WebSocket-Version"] == "7");
    check_refused(get(hybi_fields("13")), 400, "switched off", {hixie_75, hixie_76});
    check_refused(get(hybi_fields("14")), 400, "switched off", protocol_set{hixie_75});
    check_refused(get(hixie_76_fields()), 400, "hixie-76 is switched off", {hixie_75, hybi_13});
    check_refused(get(hixie_75_fields()), 400, "hixie-75 is switched off", {hixie_76, hybi_13});
}

BOOST_AUTO_TEST_CASE(the_version_field_wins_over_hixie_keys) {
    auto const fields = with(with(hybi_fields(), "Sec-WebSocket-Key1", "x"), "Sec-WebSocket-Draft", "2");
    BOOST_TEST((accepted(get(fields)).version == protocol_version::hybi_13));
    auto const no_key = with(with(hixie_76_fields(), "Sec-WebSocket-Version", "13"), "X", "y");
    check_refused(get(no_key), 400, "Sec-WebSocket-Key field is missing");
}

BOOST_AUTO_TEST_CASE(a_malformed_newer_request_never_passes_as_an_older_one) {
    auto const exact = hixie_75_fields();
    check_refused(get(with(exact, "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")), 400, "Sec-WebSocket-Version");
    check_refused(get(with(exact, "Sec-WebSocket-Key1", "4 @1  46546xW%0l 1 5")), 400,
                  "Sec-WebSocket-Key2 field is missing");
    check_refused(get(with(exact, "Sec-WebSocket-Key2", "4 @1  46546xW%0l 1 5")), 400,
                  "Sec-WebSocket-Key1 field is missing");
    check_refused(get(with(exact, "Sec-WebSocket-Draft", "0")), 400, "Sec-WebSocket-Key1 field is missing");
    check_refused(get(with(exact, "Sec-WebSocket-Version", "0")), 426, "not supported");
}

BOOST_AUTO_TEST_CASE(drafts_between_76_and_7_are_refused) {
    for (auto const* draft : {"1", "2", "3", "00", "", "0, 0", "x"})
        check_refused(get(with(hixie_76_fields(), "Sec-WebSocket-Draft", draft)), 400, "Sec-WebSocket-Draft");
    auto const twice = with(with(hixie_76_fields(), "Sec-WebSocket-Draft", "0"), "Sec-WebSocket-Draft", "0");
    check_refused(get(twice), 400, "Sec-WebSocket-Draft");
    auto const zero = with(hixie_76_fields(), "Sec-WebSocket-Draft", "0");
    BOOST_TEST((accepted(get(zero)).version == protocol_version::hixie_76));
}

BOOST_AUTO_TEST_CASE(hixie_75_wants_its_exact_values) {
    check_refused(get(replaced(hixie_75_fields(), "Upgrade", "websocket")), 400, "Sec-WebSocket-Version");
    check_refused(get(replaced(hixie_75_fields(), "Connection", "upgrade")), 400, "Sec-WebSocket-Version");
    check_refused(get(replaced(hixie_75_fields(), "Connection", "keep-alive, Upgrade")), 400, "Sec-WebSocket-Version");
}

BOOST_AUTO_TEST_CASE(a_key_is_strict_on_13_and_lenient_before) {
    auto const with_key = [](std::string_view version, std::string_view key) {
        return replaced(hybi_fields(version), "Sec-WebSocket-Key", key);
    };
    for (auto const* key : {"", "short", "OC0xNzk1NDIxMjY4NDg1", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZ!=="})
        check_refused(get(with_key("13", key)), 400, "Sec-WebSocket-Key");
    for (auto const* version : {"7", "8"}) {
        auto const request = get(with_key(version, "OC0xNzk1NDIxMjY4NDg1"));
        BOOST_TEST(accepted(request).key == "OC0xNzk1NDIxMjY4NDg1");
        check_refused(get(with_key(version, "")), 400, "Sec-WebSocket-Key");
        check_refused(get(with_key(version, "a\tb")), 400, "Sec-WebSocket-Key");
    }
    for (auto const* version : {"7", "8", "13"}) {
        check_refused(get(without(hybi_fields(version), "Sec-WebSocket-Key")), 400,
                      "Sec-WebSocket-Key field is missing");
        check_refused(get(with(hybi_fields(version), "Sec-WebSocket-Key", "a")), 400, "more than once");
    }
}

BOOST_AUTO_TEST_CASE(a_handshake_with_a_body_is_refused) {
    for (auto const& fields : {hybi_fields(), hybi_fields("7"), hixie_75_fields()}) {
        check_refused(get(with(fields, "Content-Length", "8")), 400, "Content-Length");
        check_refused(get(with(with(fields, "Content-Length", "0"), "Content-Length", "8")), 400, "Content-Length");
        auto const empty = get(with(fields, "Content-Length", "0"));
        BOOST_TEST(accepted(empty).part_1 == 0U);
    }
    for (auto const& fields : {hybi_fields(), hixie_76_fields(), hixie_75_fields()})
        check_refused(get(with(fields, "Transfer-Encoding", "chunked")), 400, "Transfer-Encoding");
    for (auto const* length : {"0", "8", "999999"}) {
        auto const request = get(with(hixie_76_fields(), "Content-Length", length));
        BOOST_TEST(accepted(request).part_1 == 829309203U);
    }
}

BOOST_AUTO_TEST_CASE(the_origin_comes_from_the_field_of_the_version) {
    auto const both = [](std::string_view version) {
        return get(with(with(hybi_fields(version), "Origin", "http://new"), "Sec-WebSocket-Origin", "http://old"));
    };
    BOOST_TEST(accepted(both("13")).origin == "http://new");
    BOOST_TEST(accepted(both("8")).origin == "http://old");
    BOOST_TEST(accepted(both("7")).origin == "http://old");
    auto const eight = get(with(hybi_fields("8"), "Origin", "http://new"));
    BOOST_TEST(accepted(eight).origin == "http://new");
    auto const seven = get(with(hybi_fields("7"), "Origin", "http://new"));
    BOOST_TEST(accepted(seven).origin == "http://new");
    auto const thirteen = get(with(hybi_fields("13"), "Sec-WebSocket-Origin", "http://old"));
    BOOST_TEST(!accepted(thirteen).has_origin);
    auto const empty = get(with(hybi_fields("13"), "Origin", ""));
    BOOST_TEST(accepted(empty).has_origin);
    auto const hixie = get(with(hixie_76_fields(), "Sec-WebSocket-Origin", "http://old"));
    BOOST_TEST(accepted(hixie).origin == "http://example.com");
}

BOOST_AUTO_TEST_CASE(a_second_origin_is_refused) {
    for (auto const& fields : {hybi_fields(), hybi_fields("8"), hixie_76_fields(), hixie_75_fields()})
        for (auto const* name : {"Origin", "Sec-WebSocket-Origin"})
            check_refused(get(with(with(fields, name, "http://a"), name, "http://a")), 400, "more than once");
}

BOOST_AUTO_TEST_CASE(hixie_drafts_require_an_origin_that_can_be_echoed) {
    for (auto const& fields : {hixie_76_fields(), hixie_75_fields()}) {
        check_refused(get(without(fields, "Origin")), 400, "Origin field is missing");
        check_refused(get(replaced(fields, "Origin", "")), 400, "Origin");
        check_refused(get(replaced(fields, "Origin", "http://a b")), 400, "Origin");
        check_refused(get(replaced(fields, "Origin", "http://a\tb")), 400, "Origin");
        for (auto const* origin : {"null", "file://"}) {
            auto const request = get(replaced(fields, "Origin", origin));
            BOOST_TEST(accepted(request).origin == origin);
        }
    }
}

BOOST_AUTO_TEST_CASE(hixie_76_keys_give_their_parts) {
    auto const offer = accepted(get(hixie_76_fields()));
    BOOST_TEST(offer.part_1 == 829309203U);
    BOOST_TEST(offer.part_2 == 259970620U);
}

BOOST_AUTO_TEST_CASE(bad_hixie_76_keys_are_refused_before_anything_is_sent) {
    for (auto const* key :
         {"4@146546xW%0l15", "4 @1  46546xW%0l 1 6", "429496729 6", "4 2 9 4 9 6 7 2 9 6 0          z", "ab cd", "",
          "4 @1  46546xW%0l 1 5\xC3\xA9", "4\t@1  46546xW%0l 1 5"})
        for (auto const* name : {"Sec-WebSocket-Key1", "Sec-WebSocket-Key2"})
            check_refused(get(replaced(hixie_76_fields(), name, key)), 400, name);
    check_refused(get(with(hixie_76_fields(), "Sec-WebSocket-Key1", "1 ")), 400, "Sec-WebSocket-Key1 field came more");
    check_refused(get(without(hixie_76_fields(), "Sec-WebSocket-Key1")), 400, "Sec-WebSocket-Key1 field is missing");
    check_refused(get(without(hixie_76_fields(), "Sec-WebSocket-Key2")), 400, "Sec-WebSocket-Key2 field is missing");
}

BOOST_AUTO_TEST_CASE(subprotocols_are_read_in_the_way_of_each_version) {
    std::vector<std::string_view> const three{"chat", "super.chat", "v1"};
    auto const hybi =
        get(with(with(hybi_fields(), "Sec-WebSocket-Protocol", "chat,super.chat"), "sec-websocket-protocol", " v1"));
    BOOST_TEST((accepted(hybi).subprotocols == three));
    auto const hixie_76 = get(with(hixie_76_fields(), "Sec-WebSocket-Protocol", "chat super.chat  v1"));
    BOOST_TEST((accepted(hixie_76).subprotocols == three));
    auto const hixie_75 = get(with(hixie_75_fields(), "WebSocket-Protocol", "chat super.chat, v1"));
    BOOST_TEST((accepted(hixie_75).subprotocols == std::vector<std::string_view>{"chat super.chat, v1"}));
    auto const other_name = get(with(hixie_75_fields(), "Sec-WebSocket-Protocol", "chat"));
    BOOST_TEST(accepted(other_name).subprotocols.empty());
}

BOOST_AUTO_TEST_CASE(malformed_and_repeated_subprotocols_are_refused) {
    for (auto const* list : {"", ",", " , ,", "a b", "a, b c", "a/b", "\"a\"", "a;b", "\xC3\xA9"})
        check_refused(get(with(hybi_fields(), "Sec-WebSocket-Protocol", list)), 400, "rotocol");
    check_refused(get(with(hybi_fields(), "Sec-WebSocket-Protocol", "a, b, a")), 400, "twice");
    auto const across = with(with(hybi_fields(), "Sec-WebSocket-Protocol", "a"), "Sec-WebSocket-Protocol", "a");
    check_refused(get(across), 400, "twice");
    auto const gaps = get(with(hybi_fields(), "Sec-WebSocket-Protocol", ",a,, ,b,"));
    BOOST_TEST((accepted(gaps).subprotocols == std::vector<std::string_view>{"a", "b"}));
    auto const cases = get(with(hybi_fields(), "Sec-WebSocket-Protocol", "a, A"));
    BOOST_TEST(accepted(cases).subprotocols.size() == 2U);

    for (auto const* list : {"", " ", "a\tb", "\xC3\xA9"})
        check_refused(get(with(hixie_76_fields(), "Sec-WebSocket-Protocol", list)), 400, "rotocol");
    check_refused(get(with(hixie_76_fields(), "Sec-WebSocket-Protocol", "a b a")), 400, "twice");
    auto const repeated = with(with(hixie_76_fields(), "Sec-WebSocket-Protocol", "a"), "Sec-WebSocket-Protocol", "b");
    check_refused(get(repeated), 400, "more than once");

    for (auto const* name : {"", "a\tb", "\xC3\xA9"})
        check_refused(get(with(hixie_75_fields(), "WebSocket-Protocol", name)), 400, "WebSocket-Protocol");
    auto const two = with(with(hixie_75_fields(), "WebSocket-Protocol", "a"), "WebSocket-Protocol", "b");
    check_refused(get(two), 400, "more than once");
}

BOOST_AUTO_TEST_CASE(thousands_of_subprotocols_cost_little) {
    std::string list;
    for (int i = 0; i < 20000; ++i) list += std::to_string(i) + ",";
    auto const request = get(with(hybi_fields(), "Sec-WebSocket-Protocol", list));
    auto const begin = std::chrono::steady_clock::now();
    BOOST_TEST(accepted(request).subprotocols.size() == 20000U);
    BOOST_TEST((std::chrono::steady_clock::now() - begin < std::chrono::milliseconds(500)));
}

BOOST_AUTO_TEST_CASE(malformed_extensions_are_left_to_others) {
    for (auto const* value : {"", ",", ";;;", "permessage-deflate; =", "\"", "constructor", "\xFF"}) {
        auto const request = get(with(hybi_fields(), "Sec-WebSocket-Extensions", value));
        BOOST_TEST((accepted(request).version == protocol_version::hybi_13));
    }
}

BOOST_AUTO_TEST_SUITE_END()
