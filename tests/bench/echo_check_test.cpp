#include "echo_check.hpp"

#include "bench_tools.hpp"

#include <wsio/protocols.hpp>

#include <boost/test/unit_test.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <vector>

using namespace wsio;
using namespace wsio::bench;

namespace {

constexpr std::uint64_t connection = 3;

/// Feeds bytes that a server sent to a check that waits for `count` messages and writes down what it finds; `cuts` says how
/// many bytes come at a time (0: all).
std::string check(const settings& wanted, std::string bytes, std::uint64_t count, std::size_t cut) {
    random_source random;
    traffic messages(wanted, 1, random);
    echo_check check;
    std::uint64_t echoed = 0;
    std::string found;
    for (std::size_t at = 0; at < bytes.size();) {
        auto const size = std::min(cut == 0 ? bytes.size() : cut, bytes.size() - at);
        std::span<char> input(&bytes[at], size);
        at += size;
        while (!input.empty()) {
            auto const echoes =
                check.take_echoes(messages, wanted.version, {connection, echoed, count - echoed}, input);
            for (std::size_t i = 0; i < echoes; ++i) found += "echo ";
            echoed += echoes;
            if (input.empty()) break;
            auto const event = check.next(input);
            switch (event.kind) {
                case protocol::event_kind::need_more: break;
                case protocol::event_kind::part: found += "part "; break;
                case protocol::event_kind::ping: found += fmt::format("ping({}) ", event.data); break;
                case protocol::event_kind::pong: found += "pong "; break;
                case protocol::event_kind::closing: found += fmt::format("closing({}) ", to_number(event.code)); break;
                case protocol::event_kind::failed: found += "failed "; break;
                case protocol::event_kind::message: {
                    bool const right =
                        echoed < count && event.data == messages.payload(traffic::number_of(connection, echoed));
                    found += right ? "echo " : fmt::format("other({}) ", event.data.size());
                    ++echoed;
                }
            }
        }
    }
    return found;
}

/// Checks that bytes give these findings, however they are cut.
void gives(const settings& wanted, const std::string& bytes, std::uint64_t count, std::string_view findings) {
    BOOST_TEST(check(wanted, bytes, count, 0) == findings);
    for (std::size_t cut = 1; cut < std::min<std::size_t>(bytes.size(), 70); ++cut) {
        BOOST_TEST_CONTEXT("cut into " << cut << " bytes") BOOST_TEST(check(wanted, bytes, count, cut) == findings);
    }
}

/// Gives the right echoes of the first messages.
std::vector<std::string> echoes(const settings& wanted, std::uint64_t count) {
    random_source random;
    traffic messages(wanted, 1, random);
    std::vector<std::string> frames;
    for (std::uint64_t i = 0; i < count; ++i) frames.emplace_back(messages.expected(traffic::number_of(connection, i)));
    return frames;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(echo_check_)

BOOST_AUTO_TEST_CASE(right_echoes_are_counted_in_every_version) {
    for (auto const version : all_protocol_versions)
        for (std::size_t const size : {0U, 4U, 16U, 300U}) {
            BOOST_TEST_CONTEXT(to_string(version) << ", " << size << " bytes") {
                auto const wanted = settings_for(version, size);
                auto const frames = echoes(wanted, 3);
                gives(wanted, frames[0] + frames[1] + frames[2], 3, "echo echo echo ");
            }
        }
}

BOOST_AUTO_TEST_CASE(control_frames_between_echoes_are_told) {
    auto const wanted = settings_for(protocol_version::hybi_13, 16);
    auto const frames = echoes(wanted, 3);
    gives(wanted, "\x89\x02hi" + frames[0] + "\x8A\x01x" + frames[1] + frames[2], 3, "ping(hi) echo pong echo echo ");
    gives(wanted, frames[0] + "\x88\x02\x03\xE9", 3, "echo closing(1001) ");
}

BOOST_AUTO_TEST_CASE(fragmented_echoes_are_right) {
    auto const wanted = settings_for(protocol_version::hybi_13, 16);
    auto const frames = echoes(wanted, 3);
    auto const fragmented = "\x01\x06" + frames[0].substr(2, 6) + "\x89\x01p" + "\x80\x0A" + frames[0].substr(8);
    gives(wanted, fragmented + frames[1] + frames[2], 3, "ping(p) echo echo echo ");
}

BOOST_AUTO_TEST_CASE(wrong_echoes_are_found_wherever_they_differ) {
    for (auto const version : {protocol_version::hybi_13, protocol_version::hixie_76}) {
        auto const wanted = settings_for(version, 16);
        auto const frames = echoes(wanted, 2);
        auto const begin = frames[1].size() - 16 - (is_hybi(version) ? 0U : 1U);
        for (std::size_t at = 0; at < 16; ++at) {
            auto wrong = frames[1];
            wrong[begin + at] = '!';
            gives(wanted, frames[0] + wrong, 2, "echo other(16) ");
        }
    }
}

BOOST_AUTO_TEST_CASE(echoes_in_the_wrong_order_are_found) {
    auto const wanted = settings_for(protocol_version::hybi_13, 16);
    auto const frames = echoes(wanted, 2);
    gives(wanted, frames[1] + frames[0], 2, "other(16) other(16) ");
}

BOOST_AUTO_TEST_CASE(a_message_more_than_was_sent_is_found) {
    auto const wanted = settings_for(protocol_version::hybi_13, 16);
    auto const frames = echoes(wanted, 2);
    gives(wanted, frames[0] + frames[1], 1, "echo other(16) ");
}

BOOST_AUTO_TEST_CASE(shorter_and_longer_echoes_are_found) {
    auto const wanted = settings_for(protocol_version::hybi_13, 16);
    auto const frames = echoes(wanted, 1);
    gives(wanted, "\x81\x0F" + frames[0].substr(2, 15), 1, "other(15) ");
    gives(wanted, "\x81\x11" + frames[0].substr(2) + "x", 1, "other(17) ");
}

BOOST_AUTO_TEST_CASE(broken_frames_are_told) {
    auto const wanted = settings_for(protocol_version::hybi_13, 16);
    gives(wanted, "HTTP/1.1 500", 1, "failed ");
}

BOOST_AUTO_TEST_CASE(a_difference_is_described) {
    BOOST_TEST(describe_difference("abcd", "abXd") == "byte 2 is 0x58, expected 0x63");
    BOOST_TEST(describe_difference("abcd", "abc") == "it has 3 bytes instead of 4");
    BOOST_TEST(describe_difference("abcd", "abcde") == "it has 5 bytes instead of 4");
    BOOST_TEST(describe_difference("abcd", "Xbc") == "byte 0 is 0x58, expected 0x61, and it has 3 bytes instead of 4");
}

BOOST_AUTO_TEST_SUITE_END()
