#include "bench_tools.hpp"
#include "protocol/hybi_decoder.hpp"

#include <wsio/protocols.hpp>

#include <boost/test/unit_test.hpp>

#include <set>
#include <span>
#include <string>

using namespace wsio;
using namespace wsio::bench;

namespace {

std::string joined(const traffic::parts& parts) {
    return std::string(parts.head.data(), parts.head_size) + std::string(parts.tail);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(traffic_)

BOOST_AUTO_TEST_CASE(a_server_understands_what_is_sent) {
    random_source random;
    for (auto const version : all_protocol_versions)
        for (std::size_t const size : {0U, 1U, 7U, 8U, 16U, 125U, 126U, 65535U, 65536U, 100'000U}) {
            BOOST_TEST_CONTEXT(to_string(version) << ", " << size << " bytes") {
                traffic messages(settings_for(version, size), 3, random);
                auto const decoder = protocols[version].make_decoder(protocol::role::server);
                for (std::size_t index = 0; index < 3; ++index) {
                    auto const number = traffic::number_of(index, 1000 + index);
                    auto frame = sent(messages, index, number);
                    std::span<char> input(frame);
                    auto const event = decoder->next(input);
                    BOOST_TEST((event.kind == protocol::event_kind::message));
                    BOOST_TEST((event.type == protocol::opcode::text));
                    BOOST_TEST(event.data == messages.payload(number));
                    BOOST_TEST(event.data.size() == size);
                    BOOST_TEST(input.empty());
                }
            }
        }
}

BOOST_AUTO_TEST_CASE(a_server_understands_what_is_sent_compressed) {
    random_source random;
    for (std::size_t const size : {0U, 1U, 7U, 8U, 9U, 200U, 3000U, 70'000U, 1'000'000U}) {
        BOOST_TEST_CONTEXT(size << " bytes") {
            auto wanted = settings_for(protocol_version::hybi_13, size);
            wanted.payload = payload_kind::json;
            wanted.compress = true;
            traffic messages(wanted, 3, random);
            if (size >= 3000) BOOST_TEST(messages.sent_size() < size / 2);
            protocol::deflate_engines engines;
            protocol::permessage_deflate codec(engines, protocol::role::server, {true, true}, {}, 0);
            protocol::hybi_decoder decoder(protocol::rules_of(wanted.version), protocol::role::server, {});
            decoder.inflate_with(codec.share());
            for (std::size_t index = 0; index < 3; ++index) {
                auto const number = traffic::number_of(index, 1000 + index);
                auto frame = sent(messages, index, number);
                BOOST_TEST(joined(messages.split(index, number)) == frame);
                std::span<char> input(frame);
                auto const event = after_steps(decoder, decoder.next(input), input);
                BOOST_TEST((event.kind == protocol::event_kind::message));
                BOOST_TEST((event.data == messages.payload(number)));
                BOOST_TEST(input.empty());
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(what_is_expected_is_what_a_server_sends) {
    random_source random;
    for (auto const version : all_protocol_versions)
        for (std::size_t const size : {0U, 3U, 8U, 200U, 70'000U}) {
            traffic messages(settings_for(version, size), 1, random);
            byte_buffer frame;
            protocols[version].encode(protocol::opcode::text, std::string(messages.payload(77)), frame);
            BOOST_TEST(messages.expected(77) == frame.view());
        }
}

BOOST_AUTO_TEST_CASE(a_frame_in_parts_is_the_same_frame) {
    random_source random;
    for (auto const version : {protocol_version::hybi_13, protocol_version::hixie_76})
        for (std::size_t const size : {0U, 5U, 8U, 9U, 126U, 70'000U}) {
            traffic const messages(settings_for(version, size), 2, random);
            for (std::size_t index = 0; index < 2; ++index)
                BOOST_TEST(joined(messages.split(index, 12345)) == sent(messages, index, 12345));
        }
}

BOOST_AUTO_TEST_CASE(connections_have_masking_keys_of_their_own) {
    random_source random;
    traffic const messages(settings_for(protocol_version::hybi_13, 16), 50, random);
    std::set<std::string> keys;
    for (std::size_t index = 0; index < 50; ++index) keys.insert(sent(messages, index, 1).substr(2, 4));
    BOOST_TEST(keys.size() == 50U);
}

BOOST_AUTO_TEST_CASE(every_message_in_flight_has_its_own_number) {
    std::set<std::uint64_t> numbers;
    for (std::uint64_t connection = 0; connection < 40; ++connection)
        for (std::uint64_t sequence = 0; sequence < 40; ++sequence)
            BOOST_TEST(numbers.insert(traffic::number_of(connection, (std::uint64_t{1} << 28) - 20 + sequence)).second);
}

BOOST_AUTO_TEST_SUITE_END()
