#include "faults/system.hpp"
#include "io/client_tools.hpp"

#include <wsio/client.hpp>

#include <cstddef>
#include <stdexcept>
#include <string>

// Masking keys and the keys of handshakes come from OpenSSL's generator: a peer, or a script in a page, must not foresee them
// (RFC 6455 10.3).

using namespace wsio::test;
using wsio::protocol_version;

BOOST_AUTO_TEST_SUITE(faults_randomness)

BOOST_AUTO_TEST_CASE(each_masking_key_is_strong_randomness_and_none_comes_twice) {
    randomness const given;
    watched t;
    std::size_t at = 0;
    for (int i = 0; i < 3000; ++i) {  // more than a batch of keys
        t.socket.write("message");
        auto const key = read_masked(t.peer).key;
        auto const bytes = std::string(reinterpret_cast<const char*>(&key), sizeof key);
        at = given.bytes().find(bytes, at);
        BOOST_TEST_REQUIRE(at != std::string::npos, "key " << i << " is not what the generator gave");
        at += sizeof key;
    }
}

BOOST_AUTO_TEST_CASE(the_keys_of_handshakes_are_strong_randomness) {
    world w;
    raw_server server(w);
    for (auto const version : {protocol_version::hybi_13, protocol_version::hybi_7}) {
        randomness const given;
        wsio::client_options const options{.protocols = {version}};
        auto const connecting = w.start(wsio::connect(server.url(), options));
        auto const request = server.accept().read_to("\r\n\r\n");
        auto const key = request.find("Sec-WebSocket-Key: ") + 19;
        BOOST_TEST(request.substr(key, 24) == wsio::handshake::base64(given.bytes().substr(0, 16)));
        BOOST_TEST(request.substr(key + 24, 2) == "\r\n");
    }
    randomness const given;
    wsio::client_options const options{.protocols = {protocol_version::hixie_76}};
    auto const connecting = w.start(wsio::connect(server.url(), options));
    auto peer = server.accept();
    peer.read_to("\r\n\r\n");
    auto const nonce = peer.read(8);
    BOOST_TEST(given.bytes().ends_with(nonce));
}

BOOST_AUTO_TEST_CASE(without_randomness_there_is_no_connection) {
    world w;
    raw_server const server(w);
    randomness given;
    given.run_out();
    auto const connecting = w.start(wsio::connect(server.url()));
    BOOST_REQUIRE(w.until([&] { return connecting.done(); }));
    BOOST_CHECK_THROW(static_cast<void>(connecting.get()), std::runtime_error);
}

BOOST_AUTO_TEST_SUITE_END()
