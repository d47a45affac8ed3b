#pragma once

#include "fuzz.hpp"
#include "hybi_reference.hpp"
#include "protocol/deflate.hpp"
#include "protocol/hybi_decoder.hpp"
#include "protocol/permessage_deflate.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

// How the bytes of a fuzzing input become a connection's set-up and what comes over its wire. Plain bytes rarely get past
// the second frame, as each has lengths that fit and a key; so most inputs describe frames instead.

namespace wsio::fuzz {

struct hybi_input {
    hybi_setup setup;
    unsigned seed = 0;
    std::string wire;
};

/// Writes frames as an input describes them: mostly good ones.
class frame_writer {
public:
    frame_writer(choices& choose, bool masked) : choose_(choose), masked_(masked) {}

    std::string write() {
        // Every frame takes at least three bytes, so there are not many.
        while (!choose_.empty() && out_.size() < most) frame();
        return std::move(out_);
    }

private:
    static constexpr std::size_t most = std::size_t{256} << 10;

    void frame() {
        // The lowest bit of all is the mask's, where it is right most of the time.
        auto const shape = choose_.byte();
        auto const first = choose_.byte();
        bool const wrong_mask = shape % 64 == 63;
        auto body = payload((shape >> 3) % 8);
        if ((first & 0x08) != 0 && shape % 8 != 7) body.resize(std::min<std::size_t>(body.size(), 125));
        auto announced = body.size();
        if (shape == 0xFE) announced += choose_.pair();       // more than there is
        if (shape == 0xFC) announced = std::size_t{1} << 63;  // more than there can be
        out_ += static_cast<char>(first);
        length(announced, masked_ != wrong_mask, shape % 16 == 15);
        if (masked_ != wrong_mask) {
            std::array<char, 4> key{};
            choose_.bytes(2).copy(key.data() + 1, 2);
            out_.append(key.data(), key.size());
            for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>(body[i] ^ key[i % 4]);
        }
        out_ += body;
    }

    void length(std::size_t size, bool mask, bool longer_form) {
        unsigned const bit = mask ? 0x80 : 0;
        int const bytes = size > 65535 ? 8 : size > 125 ? longer_form ? 8 : 2 : longer_form ? 2 : 0;
        out_ += static_cast<char>(bit | (bytes == 0 ? size : bytes == 2 ? 126 : 127));
        for (int i = bytes - 1; i >= 0; --i) out_ += static_cast<char>(size >> 8 * i & 0xFF);
    }

    std::string payload(unsigned kind) {
        switch (kind) {
            case 0: return std::string(choose_.text(125));
            case 1: return std::string(choose_.text(16));
            case 2: return large();
            case 3: {  // a close code and a reason
                constexpr unsigned codes[] = {1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007, 1009,
                                              1011, 1014, 1015, 2999, 3000, 4999, 5000, 0};
                auto const code = choose_.one_of(codes);
                return std::string{static_cast<char>(code >> 8), static_cast<char>(code & 0xFF)} +
                       std::string(choose_.text(40));
            }
            case 4: return deflated(std::string(choose_.text(255)));
            case 5: return deflated(large());
            case 6: return {};
            default: return std::string(choose_.one_of(text_pieces)) + std::string(choose_.text(4));
        }
    }

    /// What is repeated has to begin and end characters in all places.
    std::string large() {
        constexpr unsigned sizes[] = {126, 127, 384, 1000, 4096, 16383, 16384, 16390, 20000, 65535, 65536, 70000};
        std::size_t const size = choose_.one_of(sizes) + choose_.below(8);
        auto text = repeated(choose_.one_of(text_pieces), size);
        auto const at = choose_.pair() % size;
        auto const change = choose_.text(8);
        return change.empty() ? text : text.replace(at, std::min(change.size(), size - at), change);
    }

    std::string deflated(std::string_view message) {
        constexpr int levels[] = {1, 6, 9};
        byte_buffer out;
        if (!deflater_) {
            auto const level = choose_.one_of(levels);
            deflater_ = std::make_unique<protocol::deflater>(protocol::deflate_settings{15, level, 8});
        }
        deflater_->deflate(message, out);
        std::string payload(out.view());
        // A byte of it may be changed.
        if (auto const change = choose_.byte(); change % 4 == 3) payload[change * 31 % payload.size()] ^= 0x10;
        return payload;
    }

    static constexpr std::string_view text_pieces[] = {
        "a",
        "wsio",
        "\xC3\xA4",
        "\xE2\x82\xAC",
        "\xF0\x9F\x98\x80",
        "x\xE2\x82\xACy",
        "\xED\x9F\xBF",
        "\xF4\x8F\xBF\xBF",
    };

    choices& choose_;
    bool masked_;
    std::string out_;
    std::unique_ptr<protocol::deflater> deflater_;
};

inline hybi_input read_hybi_input(std::string_view bytes) {
    choices choose(bytes);
    hybi_input input;
    auto const options = choose.byte();
    auto const more = choose.byte();
    input.seed = choose.byte();
    constexpr std::array versions{protocol_version::hybi_13, protocol_version::hybi_8, protocol_version::hybi_7,
                                  protocol_version::hybi_13};
    constexpr std::size_t sizes[] = {std::size_t{16} << 20, 70000, 300, 10};
    input.setup.version = versions[options & 3];
    input.setup.from_client = (options & 4) == 0;
    input.setup.deflate = (options & 8) != 0;
    input.setup.limits.message_size = sizes[options >> 4 & 3];
    input.setup.limits.fragments = (options & 0x40) != 0 ? 3 : 16384;
    if (input.setup.deflate && more % 8 != 7)
        input.setup.window = std::size_t{1} << (8 + more % 8 + (more % 8 == 0 ? 7 : 0));
    bool const described = (options & 0x80) == 0;
    input.wire = described ? frame_writer(choose, input.setup.from_client).write() : std::string(choose.rest());
    return input;
}

/// Makes decoders for a set-up; must outlive them.
class decoder_maker {
public:
    explicit decoder_maker(const hybi_setup& setup) : setup_(setup) {}

    [[nodiscard]] std::unique_ptr<protocol::decoder> operator()() {
        auto const role = setup_.from_client ? protocol::role::server : protocol::role::client;
        auto decoder =
            std::make_unique<protocol::hybi_decoder>(protocol::rules_of(setup_.version), role, setup_.limits);
        if (setup_.deflate) {
            protocol::deflate_parameters agreed;
            auto& forgets = setup_.from_client ? agreed.client_no_context_takeover : agreed.server_no_context_takeover;
            auto& bits = setup_.from_client ? agreed.client_max_window_bits : agreed.server_max_window_bits;
            forgets = setup_.window == 0;
            for (bits = 8; setup_.window > std::size_t{1} << bits;) ++bits;
            decoder->inflate_with(
                protocol::permessage_deflate::pointer(new protocol::permessage_deflate(engines_, role, agreed, {}, 0)));
        }
        return decoder;
    }

private:
    hybi_setup setup_;
    protocol::deflate_engines engines_;
};

}  // namespace wsio::fuzz
