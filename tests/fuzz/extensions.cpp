#include "handshake/extensions.hpp"

#include "fuzz.hpp"

#include <optional>
#include <set>
#include <string>
#include <vector>

// Sec-WebSocket-Extensions: the grammar, and what is agreed on about permessage-deflate.

namespace wsio::fuzz {
namespace {

using handshake::extension;

/// Writes a list as plainly as it can be.
std::string written(const std::vector<extension>& list) {
    std::string text;
    for (auto const& [name, parameters] : list) {
        if (!text.empty()) text += ',';
        text += name;
        for (auto const& [key, value] : parameters) {
            text.append(";").append(key);
            if (value) text.append("=").append(*value);
        }
    }
    return text;
}

/// Gives nothing where the list is malformed.
std::optional<std::string> read_and_written(const headers& fields) {
    auto const list = handshake::read_extensions(fields);
    return list ? std::optional(written(*list)) : std::nullopt;
}

headers one_field(std::string_view value) { return {{"Sec-WebSocket-Extensions", value}}; }

bool is_bits(const std::optional<std::string>& value) {
    static const std::set<std::string> all{"8", "9", "10", "11", "12", "13", "14", "15"};
    return value && all.contains(*value);
}

/// Tells whether an offer of permessage-deflate may be accepted (RFC 7692 7.1).
bool is_good(const extension& offer) {
    static const std::set<std::string_view> flags{"server_no_context_takeover", "client_no_context_takeover"};
    std::set<std::string_view> names;
    for (auto const& [name, value] : offer.parameters) {
        bool const good = name == "client_max_window_bits"   ? !value || is_bits(value)
                          : name == "server_max_window_bits" ? is_bits(value)
                                                             : flags.contains(name) && !value;
        if (!good || !names.insert(name).second) return false;
    }
    return offer.name == "permessage-deflate";
}

std::optional<std::string> value_of(const extension& from, std::string_view name, std::string_view without_value) {
    for (auto const& [key, value] : from.parameters)
        if (key == name) return value.value_or(std::string(without_value));
    return std::nullopt;
}

void check_agreement(const handshake::deflate_agreement& agreement, const extension& offer,
                     const compression& settings) {
    auto const fields = one_field(agreement.response);
    auto const response = handshake::read_extensions(fields);
    expect(response && response->size() == 1 && is_good(response->front()), "the response is well-formed");
    auto const& said = response->front();
    auto const& agreed = agreement.parameters;
    expect(value_of(said, "server_no_context_takeover", "").has_value() == agreed.server_no_context_takeover &&
               value_of(said, "client_no_context_takeover", "").has_value() == agreed.client_no_context_takeover &&
               value_of(said, "server_max_window_bits", "").value_or("15") ==
                   std::to_string(agreed.server_max_window_bits) &&
               value_of(said, "client_max_window_bits", "").value_or("15") ==
                   std::to_string(agreed.client_max_window_bits),
           "the response says what was agreed on");

    bool const shared = settings.mode == compression_mode::shared;
    expect(agreed.server_no_context_takeover == (shared || value_of(offer, "server_no_context_takeover", "")),
           "the server gives its context up when asked to, or when it keeps none");
    expect(!value_of(offer, "client_no_context_takeover", "") || agreed.client_no_context_takeover,
           "what a client gives up is given up");
    auto const server_bits = value_of(offer, "server_max_window_bits", "15");
    expect(agreed.server_max_window_bits <= std::stoi(server_bits.value_or("15")) &&
               agreed.server_max_window_bits <= settings.window_bits && agreed.server_max_window_bits >= 8,
           "the server's window is within what the client and the settings want");
    expect(!server_bits || value_of(said, "server_max_window_bits", ""), "a window that was asked for is answered");
    auto const client_bits = value_of(offer, "client_max_window_bits", "15");
    expect(client_bits || !value_of(said, "client_max_window_bits", ""), "a client that cannot limit is not asked to");
    expect(agreed.client_max_window_bits <= std::stoi(client_bits.value_or("15")) && agreed.client_max_window_bits >= 8,
           "the client's window is within what it offers");
    expect(!client_bits || agreed.client_no_context_takeover ||
               agreed.client_max_window_bits <= settings.client_window_bits,
           "what is kept for a client is within the settings");
}

}  // namespace

void fuzz(std::string_view input) {
    choices choose(input);
    compression settings;
    settings.mode = static_cast<compression_mode>(choose.below(3));
    settings.window_bits = static_cast<int>(9 + choose.below(7));
    settings.client_window_bits = static_cast<int>(9 + choose.below(7));

    // Each line is a field. What no field can hold never gets here.
    headers fields;
    std::vector<std::string> values;
    for (auto rest = choose.rest(); !rest.empty();) {
        auto const line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(line.size() + 1, rest.size()));
        try {
            fields.add("Sec-WebSocket-Extensions", line);
        } catch (const std::invalid_argument&) {
            return;
        }
        values.emplace_back(line);
    }

    auto const offers = handshake::read_extensions(fields);
    std::string one_by_one;
    bool good = true;
    for (auto const& value : values) {
        auto const part = read_and_written(one_field(value));
        good = good && part && !part->empty();
        if (good) one_by_one += (one_by_one.empty() ? "" : ",") + *part;
    }
    expect(good == offers.has_value(), "all fields are one list, which is as good as they are");
    if (!offers) return;
    expect(written(*offers) == one_by_one, "the list has what the fields have");
    if (!values.empty())
        expect(read_and_written(one_field(fields.joined("Sec-WebSocket-Extensions"))) == written(*offers),
               "joined fields mean the same (RFC 9110 5.3)");
    if (!offers->empty())
        expect(read_and_written(one_field(written(*offers))) == written(*offers), "what was read can be written");

    auto const agreement = handshake::accept_deflate(*offers, settings);
    auto const first = std::find_if(offers->begin(), offers->end(), is_good);
    expect(agreement.has_value() == (settings.mode != compression_mode::off && first != offers->end()),
           "one of the offers is taken if it can be");
    if (!agreement) return;
    check_agreement(*agreement, *first, settings);

    std::vector<extension> turned{*first};
    std::reverse(turned.front().parameters.begin(), turned.front().parameters.end());
    auto const again = handshake::accept_deflate(turned, settings);
    expect(again && again->parameters == agreement->parameters && again->response == agreement->response,
           "the order of parameters does not matter, and the first good offer is the one that counts");
}

}  // namespace wsio::fuzz
