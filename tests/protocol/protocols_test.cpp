#include <wsio/protocols.hpp>

#include "protocol/feed.hpp"

#include <algorithm>

namespace wsio::protocol::test {

BOOST_AUTO_TEST_SUITE(protocols)

BOOST_AUTO_TEST_CASE(table_gives_the_strategy_of_each_version) {
    for (auto const version : wsio::protocols) {
        auto const& strategy = wsio::protocols[version];
        BOOST_TEST((strategy.version() == version));
        BOOST_TEST(&strategy == &wsio::protocols[version]);
    }
    BOOST_TEST(std::distance(wsio::protocols.begin(), wsio::protocols.end()) == 5);
}

BOOST_AUTO_TEST_CASE(strategies_know_what_their_version_has) {
    for (auto const version : wsio::protocols) {
        auto const& strategy = wsio::protocols[version];
        bool const hybi = version >= protocol_version::hybi_7;
        BOOST_TEST(strategy.name() == (hybi ? "websocket" : "websocket-hixie"));
        BOOST_TEST(strategy.has_binary() == hybi);
        BOOST_TEST(strategy.has_closing_handshake() == (version != protocol_version::hixie_75));
    }
}

BOOST_AUTO_TEST_CASE(versions_are_found_by_name_and_by_header_value) {
    for (auto const version : wsio::protocols) BOOST_TEST((wsio::protocols.find(to_string(version)) == version));
    BOOST_TEST((wsio::protocols.find("hybi-00") == protocol_version::hixie_76));
    BOOST_TEST((wsio::protocols.find("7") == protocol_version::hybi_7));
    BOOST_TEST((wsio::protocols.find("8") == protocol_version::hybi_8));
    BOOST_TEST((wsio::protocols.find("13") == protocol_version::hybi_13));
}

BOOST_AUTO_TEST_CASE(other_names_find_nothing) {
    for (std::string_view const name :
         {"", "0", "6", "9", "12", "14", "013", "+13", "13 ", "13, 8", "75", "76", "hybi-", "HYBI-13", "hybi-10"})
        BOOST_TEST(!wsio::protocols.find(name).has_value());
}

BOOST_AUTO_TEST_CASE(what_a_server_of_any_version_encodes_its_client_decodes) {
    for (auto const version : wsio::protocols) {
        auto const& strategy = wsio::protocols[version];
        byte_buffer out;
        strategy.encode(opcode::text, "caf\xC3\xA9", out);
        seen_list expected{text("caf\xC3\xA9")};
        if (strategy.has_binary()) {
            strategy.encode(opcode::binary, "\xFF", out);
            strategy.encode(opcode::ping, "p", out);
            expected.push_back(binary("\xFF"));
            expected.push_back(ping("p"));
        }
        strategy.encode_close(close_code::going_away, "bye", out);
        if (strategy.has_binary())
            expected.push_back(closing(1001, "bye"));
        else if (strategy.has_closing_handshake())
            expected.push_back(closing(1005));
        check([&] { return strategy.make_decoder(role::client); }, out.view(), expected);
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace wsio::protocol::test
