#include "protocol/hybi.hpp"

#include "protocol/feed.hpp"

#include <wsio/protocols.hpp>

#include <cstring>

namespace wsio::protocol::test {
namespace {

constexpr std::array hybi_versions{protocol_version::hybi_7, protocol_version::hybi_8, protocol_version::hybi_13};

std::string encode(opcode type, std::string_view payload, protocol_version version = protocol_version::hybi_13) {
    byte_buffer out;
    hybi_strategy(version).encode(type, payload, out);
    return std::string(out.view());
}

std::string encode_close(protocol_version version, int code, std::string_view reason = {}) {
    byte_buffer out;
    hybi_strategy(version).encode_close(static_cast<close_code>(code), reason, out);
    return std::string(out.view());
}

/// Gives the close code on the wire.
int sent_code(protocol_version version, int code) {
    auto const bytes = encode_close(version, code);
    BOOST_REQUIRE(bytes.size() == 4);
    return static_cast<unsigned char>(bytes[2]) << 8 | static_cast<unsigned char>(bytes[3]);
}

std::string encode_masked(opcode type, std::string_view payload, std::string_view key) {
    byte_buffer out;
    std::uint32_t value;
    std::memcpy(&value, key.data(), 4);
    protocol::encode_masked(type, payload, value, out);
    return std::string(out.view());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(hybi)

BOOST_AUTO_TEST_CASE(rfc_examples_are_encoded) {
    for (auto const version : hybi_versions) {
        BOOST_TEST(encode(opcode::text, "Hello", version) == hex("81 05 48656c6c6f"));
        BOOST_TEST(encode(opcode::pong, "Hello", version) == hex("8a 05 48656c6c6f"));
        BOOST_TEST(encode(opcode::ping, "", version) == hex("89 00"));
        BOOST_TEST(encode(opcode::binary, std::string(256, 'x'), version).substr(0, 5) == hex("82 7e 0100 78"));
        BOOST_TEST(encode(opcode::binary, std::string(65536, 'x'), version).substr(0, 11) ==
                   hex("82 7f 0000000000010000 78"));
    }
    BOOST_TEST(encode_masked(opcode::text, "Hello", hex("37fa213d")) == hex("81 85 37fa213d 7f9f4d5158"));
    BOOST_TEST(encode_masked(opcode::ping, "Hello", hex("37fa213d")) == hex("89 85 37fa213d 7f9f4d5158"));
}

BOOST_AUTO_TEST_CASE(envelope_has_the_shortest_length) {
    hybi_strategy const strategy(protocol_version::hybi_13);
    auto const head = [&](std::size_t size) { return std::string(strategy.wrap(opcode::binary, size).head()); };
    BOOST_TEST(head(0) == hex("82 00"));
    BOOST_TEST(head(125) == hex("82 7d"));
    BOOST_TEST(head(126) == hex("82 7e 007e"));
    BOOST_TEST(head(127) == hex("82 7e 007f"));
    BOOST_TEST(head(65535) == hex("82 7e ffff"));
    BOOST_TEST(head(65536) == hex("82 7f 0000000000010000"));
    BOOST_TEST(head(0x7FFFFFFFFFFFFFFF) == hex("82 7f 7fffffffffffffff"));
    BOOST_TEST(strategy.wrap(opcode::text, 5).tail().empty());
    for (std::size_t const size : {5, 300, 70'000}) {
        auto masked = strategy.wrap(opcode::text, size);
        add_mask(masked, 0x01020304);
        BOOST_TEST(mask_of(masked) == 0x01020304U);
    }
}

BOOST_AUTO_TEST_CASE(what_is_encoded_is_decoded_by_the_other_role) {
    for (auto const version : hybi_versions) {
        auto const& strategy = wsio::protocols[version];
        for (std::size_t const size : {0, 1, 125, 126, 127, 1000, 65535, 65536, 100000}) {
            std::string const payload(size, 'x');
            check([&] { return strategy.make_decoder(role::client); }, encode(opcode::text, payload, version),
                  {text(payload)});
            check([&] { return strategy.make_decoder(role::server); },
                  encode_masked(opcode::binary, payload, "\x01\x02\xFE\x80"), {binary(payload)});
        }
        check([&] { return strategy.make_decoder(role::client); }, encode_close(version, 1000, "bye"),
              {closing(1000, "bye")});
        auto const payload = make_close_payload(rules_of(version), close_code{4001}, "client");
        check([&] { return strategy.make_decoder(role::server); }, encode_masked(opcode::close, payload.view(), "abcd"),
              {closing(4001, "client")});
    }
}

BOOST_AUTO_TEST_CASE(close_is_encoded_with_code_and_reason) {
    for (auto const version : hybi_versions) {
        BOOST_TEST(encode_close(version, 1000) == hex("88 02 03e8"));
        BOOST_TEST(encode_close(version, 4001, "bye") == hex("88 05 0fa1 627965"));
    }
}

BOOST_AUTO_TEST_CASE(no_status_gives_an_empty_close_and_drops_the_reason) {
    for (auto const version : hybi_versions) BOOST_TEST(encode_close(version, 1005, "reason") == hex("88 00"));
}

BOOST_AUTO_TEST_CASE(codes_that_may_be_sent_are_sent_as_they_are) {
    for (auto const version : hybi_versions)
        for (int const code : {1000, 1001, 1002, 1003, 1007, 1008, 1009, 3000, 3999, 4000, 4999})
            BOOST_TEST(sent_code(version, code) == code);
    for (int const code : {1010, 1011, 1012, 1013, 1014})
        BOOST_TEST(sent_code(protocol_version::hybi_13, code) == code);
}

BOOST_AUTO_TEST_CASE(codes_that_must_not_be_sent_are_replaced_by_the_nearest) {
    for (auto const version : hybi_versions) {
        int const internal = version == protocol_version::hybi_13 ? 1011 : 1001;
        BOOST_TEST(sent_code(version, 1004) == 1009);
        for (int const code : {0, 1, 999, 1006, 1015, 1016, 1999, 2000, 2999, 5000, 65535})
            BOOST_TEST(sent_code(version, code) == internal);
    }
    for (auto const version : {protocol_version::hybi_7, protocol_version::hybi_8}) {
        BOOST_TEST(sent_code(version, 1010) == 1002);
        for (int const code : {1011, 1012, 1013, 1014}) BOOST_TEST(sent_code(version, code) == 1001);
    }
}

BOOST_AUTO_TEST_CASE(no_code_whatever_gives_a_close_that_the_same_version_refuses) {
    for (auto const version : hybi_versions)
        for (int code = 0; code <= 65535; ++code) {
            if (code == 1005) continue;
            BOOST_REQUIRE(may_receive(rules_of(version), sendable(rules_of(version), static_cast<close_code>(code))));
        }
}

BOOST_AUTO_TEST_CASE(reason_is_cut_to_123_bytes_at_a_character_boundary) {
    auto const reason = [](std::string_view text) {
        return encode_close(protocol_version::hybi_13, 1000, text).substr(4);
    };
    std::string const a122(122, 'a');
    BOOST_TEST(reason(a122 + "b") == a122 + "b");
    BOOST_TEST(reason(a122 + "bc") == a122 + "b");
    BOOST_TEST(reason(a122 + "\xC3\xA9") == a122);
    BOOST_TEST(reason(a122 + "\xE2\x82\xAC") == a122);
    BOOST_TEST(reason(a122 + "\xF0\x9F\x98\x80") == a122);
    BOOST_TEST(reason(a122.substr(1) + "\xC3\xA9") == a122.substr(1) + "\xC3\xA9");
    BOOST_TEST(reason(a122.substr(3) + "\xF0\x9F\x98\x80zz") == a122.substr(3) + "\xF0\x9F\x98\x80");
    BOOST_TEST(reason(std::string(100000, 'x')) == std::string(123, 'x'));
}

BOOST_AUTO_TEST_CASE(reason_that_is_not_utf8_is_repaired_before_it_is_sent) {
    auto const reason = [](std::string_view text) {
        return encode_close(protocol_version::hybi_13, 1000, text).substr(4);
    };
    BOOST_TEST(reason("caf\xE9 x") == "caf\xEF\xBF\xBD x");
    // Only as much as fits is repaired; that must not make a valid character at the cut look invalid.
    std::string const a117(117, 'a');
    BOOST_TEST(reason("\xF0\x9F\x98" + a117 + "\xF0\x9F\x98\x80") == "\xEF\xBF\xBD" + a117);
    for (std::size_t size = 100; size < 140; ++size) {
        auto const bytes = encode_close(protocol_version::hybi_13, 1000, std::string(size, '\xE2'));
        check([] { return wsio::protocols[protocol_version::hybi_13].make_decoder(role::client); }, bytes,
              {closing(1000, bytes.substr(4))});
        BOOST_TEST(bytes.size() == 4 + 123U);
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace wsio::protocol::test
