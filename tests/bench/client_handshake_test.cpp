#include "client_handshake.hpp"

#include "bench_tools.hpp"
#include "failure.hpp"
#include "handshake/keys.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <string_view>

using namespace wsio;
using namespace wsio::bench;

namespace {

/// Gives the value of a field of a request.
std::string field(std::string_view request, const std::string& name) {
    auto const begin = request.find("\r\n" + name + ": ") + name.size() + 4;
    return std::string(request.substr(begin, request.find("\r\n", begin) - begin));
}

std::string right_response(const client_handshake& client, protocol_version version) {
    auto const request = client.request();
    std::string const head = "HTTP/1.1 101 Whatever\r\nupgrade: WebSocket\r\nConnection: upgrade\r\n";
    if (version == protocol_version::hixie_75) return head + "\r\n";
    if (is_hybi(version))
        return head + "Sec-WebSocket-Accept:   " + handshake::accept_key(field(request, "Sec-WebSocket-Key")) +
               "\r\n\r\n";
    auto const part_1 = handshake::hixie_76_part(field(request, "Sec-WebSocket-Key1"));
    auto const part_2 = handshake::hixie_76_part(field(request, "Sec-WebSocket-Key2"));
    BOOST_REQUIRE(part_1);
    BOOST_REQUIRE(part_2);
    auto const answer = handshake::hixie_76_answer(*part_1, *part_2, request.substr(request.size() - 8));
    return head + "\r\n" + std::string(answer.data(), answer.size());
}

void is_refused(std::string_view response, std::string_view why) {
    random_source random;
    client_handshake client(settings_for(protocol_version::hybi_13, 16), random);
    BOOST_CHECK_EXCEPTION((void)client.receive(response), failure, [&](const failure& refusal) {
        BOOST_TEST_MESSAGE(refusal.what());
        return refusal.code() == exit_code::no_handshake &&
               std::string_view(refusal.what()).find(why) != std::string_view::npos;
    });
}

}  // namespace

BOOST_AUTO_TEST_SUITE(client_handshake_)

BOOST_AUTO_TEST_CASE(a_right_response_is_taken_however_it_is_cut) {
    random_source random;
    for (auto const version : all_protocol_versions)
        for (std::size_t cut = 1; cut < 250; ++cut) {
            client_handshake client(settings_for(version, 16), random);
            auto const response = right_response(client, version);
            auto const bytes = response + "frames";
            std::size_t taken = 0;
            std::optional<std::size_t> end;
            while (!end) {
                BOOST_REQUIRE_LT(taken, bytes.size());
                auto const piece = std::string_view(bytes).substr(taken, cut);
                end = client.receive(piece);
                taken += end.value_or(piece.size());
            }
            BOOST_REQUIRE_EQUAL(taken, response.size());
        }
}

BOOST_AUTO_TEST_CASE(hixie_keys_are_right_whatever_the_dice_say) {
    random_source random;
    for (int i = 0; i < 2000; ++i) {
        client_handshake const client(settings_for(protocol_version::hixie_76, 16), random);
        for (auto const* name : {"Sec-WebSocket-Key1", "Sec-WebSocket-Key2"}) {
            auto const key = field(client.request(), name);
            BOOST_REQUIRE_MESSAGE(handshake::hixie_76_part(key), key);
            BOOST_REQUIRE_MESSAGE(!key.starts_with(' ') && !key.ends_with(' '), key);
        }
    }
}

BOOST_AUTO_TEST_CASE(requests_carry_what_was_asked_for) {
    random_source random;
    auto wanted = settings_for(protocol_version::hybi_8, 16);
    wanted.headers = "Cookie: a=b\r\n";
    std::string const request(client_handshake(wanted, random).request());
    BOOST_TEST(request.starts_with("GET /echo HTTP/1.1\r\nHost: localhost:3000\r\n"));
    BOOST_TEST(field(request, "Sec-WebSocket-Version") == "8");
    BOOST_TEST(field(request, "Cookie") == "a=b");
    BOOST_TEST(request.find("Origin") == std::string::npos);

    wanted = settings_for(protocol_version::hixie_75, 16);
    BOOST_TEST(field(client_handshake(wanted, random).request(), "Origin") == "http://localhost:3000");
    wanted.headers = "origin: http://other\r\n";
    std::string const other(client_handshake(wanted, random).request());
    BOOST_TEST(other.find("Origin") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_refusal_shows_status_and_body) {
    is_refused("HTTP/1.1 403 Forbidden\r\nContent-Length: 14\r\n\r\nnot from here\n",
               "refused the handshake: HTTP/1.1 403 Forbidden: not from here");
    is_refused("HTTP/1.1 404 Not Found\r\n\r\n", "refused the handshake: HTTP/1.1 404 Not Found");
    is_refused("SSH-2.0-OpenSSH_9.2\r\n\r\n", "does not answer in HTTP: 'SSH-2.0-OpenSSH_9.2'");
}

BOOST_AUTO_TEST_CASE(a_body_that_was_announced_is_waited_for) {
    random_source random;
    client_handshake client(settings_for(protocol_version::hybi_13, 16), random);
    BOOST_TEST(!client.receive("HTTP/1.1 403 Forbidden\r\nContent-Length: 8\r\n\r\nnot"));
    BOOST_CHECK_THROW((void)client.receive(" you!"), failure);
}

BOOST_AUTO_TEST_CASE(wrong_responses_are_refused) {
    std::string const head = "HTTP/1.1 101 Switching Protocols\r\n";
    is_refused(head + "\r\n", "no Upgrade");
    is_refused(head + "Upgrade: h2c\r\n\r\n", "Upgrade: h2c instead of websocket");
    is_refused(head + "Upgrade: websocket\r\n\r\n", "no Connection");
    is_refused(head + "Upgrade: websocket, h2c\r\nConnection: Upgrade\r\n\r\n",
               "Upgrade: websocket, h2c instead of websocket");
    is_refused(head + "Upgrade: websocket\r\nConnection: keep-alive, Upgrades\r\n\r\n",
               "Connection: keep-alive, Upgrades instead of Upgrade");
    is_refused(head + "Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n", "no Sec-WebSocket-Accept");
    is_refused(head + "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n",
               "Sec-WebSocket-Accept: x instead of");
    is_refused(std::string(70'000, 'x'), "does not end");
}

BOOST_AUTO_TEST_CASE(a_connection_may_be_more_than_an_upgrade) {
    random_source random;
    for (auto const* const fields : {"Connection: keep-alive, Upgrade\r\n", "Connection: upgrade ,keep-alive\r\n",
                                     "Connection: keep-alive\r\nConnection: Upgrade\r\n"}) {
        client_handshake client(settings_for(protocol_version::hybi_13, 16), random);
        auto response = right_response(client, protocol_version::hybi_13);
        std::string_view const usual = "Connection: upgrade\r\n";
        response.replace(response.find(usual), usual.size(), fields);
        BOOST_TEST((client.receive(response) == response.size()), fields);
    }
}

BOOST_AUTO_TEST_CASE(an_extension_that_was_not_offered_is_refused) {
    random_source random;
    client_handshake client(settings_for(protocol_version::hybi_13, 16), random);
    auto response = right_response(client, protocol_version::hybi_13);
    response.insert(response.size() - 2, "Sec-WebSocket-Extensions: permessage-deflate\r\n");
    BOOST_CHECK_THROW((void)client.receive(response), failure);
}

BOOST_AUTO_TEST_CASE(compression_must_be_accepted_as_it_was_offered) {
    random_source random;
    auto wanted = settings_for(protocol_version::hybi_13, 16);
    wanted.compress = true;
    auto const answered = [&](const std::string& extensions) {
        client_handshake client(wanted, random);
        BOOST_TEST(
            client.request().find("\r\nSec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; "
                                  "client_no_context_takeover\r\n") != std::string_view::npos);
        auto response = right_response(client, protocol_version::hybi_13);
        if (!extensions.empty())
            response.insert(response.size() - 2, "Sec-WebSocket-Extensions: " + extensions + "\r\n");
        return client.receive(response) == response.size();
    };
    BOOST_TEST(answered("permessage-deflate; server_no_context_takeover"));
    BOOST_TEST(answered("permessage-deflate; server_max_window_bits=12; server_no_context_takeover"));
    BOOST_CHECK_THROW(answered(""), failure);
    BOOST_CHECK_THROW(answered("permessage-deflate"), failure);
    BOOST_CHECK_THROW(answered("x-webkit-deflate-frame; server_no_context_takeover"), failure);
}

BOOST_AUTO_TEST_CASE(a_wrong_hixie_answer_is_refused) {
    random_source random;
    client_handshake client(settings_for(protocol_version::hixie_76, 16), random);
    auto response = right_response(client, protocol_version::hixie_76);
    response.back() ^= 1;
    BOOST_CHECK_THROW((void)client.receive(response), failure);
}

BOOST_AUTO_TEST_SUITE_END()
