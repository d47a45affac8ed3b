#include "handshake/proxies.hpp"

#include "fuzz.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

// Who the client is behind proxies: what a client writes into the fields itself must never be believed.

namespace wsio::fuzz {
namespace {

namespace ip = boost::asio::ip;

struct fields {
    forwarding_header header;
    std::vector<std::string> values;  ///< One for each field, the nearest proxy's last.
    std::string proto;                ///< X-Forwarded-Proto, when it is not empty.
};

struct client {
    endpoint who;
    bool secure;

    friend bool operator==(const client&, const client&) = default;
};

const handshake::trusted_proxies trusted({"10.0.0.0/8", "192.0.2.7", "fd00::/8", "unix:"});

endpoint at(const char* address) { return {ip::make_address(address), 4711, {}}; }

client identified(const fields& given, const endpoint& sender) {
    headers all;
    for (auto const& value : given.values)
        all.add(given.header == forwarding_header::forwarded ? "Forwarded" : "X-Forwarded-For", value);
    if (!given.proto.empty()) all.add("X-Forwarded-Proto", given.proto);
    request r("GET", "/", std::move(all));
    r.remote_endpoint(sender);
    handshake::apply_forwarded(r, sender, trusted, given.header);
    return {r.client_endpoint(), r.secure()};
}

/// Makes what a good proxy appends for its sender.
std::string element(forwarding_header header, const ip::address& from, choices& choose) {
    auto const text = from.to_string();
    if (header == forwarding_header::x_forwarded_for) return choose.flag() && from.is_v6() ? "[" + text + "]:99" : text;
    auto const node = from.is_v6() ? "\"[" + text + "]\"" : choose.flag() ? "\"" + text + ":99\"" : text;
    switch (choose.below(3)) {
        case 0: return "for=" + node;
        case 1: return "For=" + node + ";proto=http;by=10.0.0.1";
        default: return "proto=http; for=" + node;
    }
}

/// A client sends what it likes; the proxies behind it append who they got it from. The first address from the right that is
/// no proxy's is the client's, or, where the client's own words swallow a proxy's, nobody's.
void check_forgery(choices& choose) {
    constexpr std::array proxies{"10.1.2.3", "192.0.2.7", "fd00::1", "10.255.255.255"};
    constexpr std::array clients{"203.0.113.9", "2001:db8::9", "11.0.0.1", "192.0.2.8", "fe00::1"};
    fields given{choose.flag() ? forwarding_header::forwarded : forwarding_header::x_forwarded_for, {}, {}};
    auto const real = ip::make_address(choose.one_of(clients));
    auto own = element(given.header, real, choose);
    std::string behind;
    std::vector<ip::address> hops;
    for (auto count = choose.below(3); count > 0; --count) {
        hops.push_back(ip::make_address(choose.one_of(proxies)));
        behind += (choose.flag() ? "," : ", ") + element(given.header, hops.back(), choose);
    }
    auto const sender = at(choose.one_of(proxies));
    bool const own_field = choose.flag();
    auto const lie = choose.rest();
    if (std::any_of(lie.begin(), lie.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == '\x7F'; }))
        return;

    given.values = {own + behind};
    auto const honest = identified(given, sender);
    expect(honest.who.address == real, "the first address that is no proxy's is the client's");
    expect(!honest.secure, "nobody said anything of TLS");

    if (own_field)
        given.values = {std::string(lie), own + behind};
    else
        given.values = {std::string(lie) + ", " + own + behind};
    auto const result = identified(given, sender);
    bool const is_proxy = result.who == sender || std::find(hops.begin(), hops.end(), result.who.address) != hops.end();
    bool const may_swallow = given.header == forwarding_header::forwarded && !own_field;
    expect(result == honest || (may_swallow && is_proxy && !result.secure), "a lie changes nothing");
}

void check_any(choices& choose) {
    constexpr std::array senders{"10.0.0.1", "fd12::1", "203.0.113.1", "::ffff:10.0.0.1"};
    auto const options = choose.byte();
    fields given{(options & 1) != 0 ? forwarding_header::forwarded : forwarding_header::x_forwarded_for, {}, {}};
    endpoint const sender = (options & 2) != 0 ? endpoint{{}, 0, "unix:"} : at(choose.one_of(senders));
    given.proto = (options & 4) != 0 ? "https" : "";
    for (auto rest = choose.rest(); !rest.empty();) {
        auto const line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(line.size() + 1, rest.size()));
        if (std::any_of(line.begin(), line.end(),
                        [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == '\x7F'; }))
            return;
        given.values.emplace_back(line);
    }
    auto const result = identified(given, sender);
    if (!trusted.contains(sender)) return expect(result == client{sender, false}, "who is not trusted is not believed");
    if (given.header == forwarding_header::x_forwarded_for)
        expect(result.secure == !given.proto.empty(), "X-Forwarded-Proto says whether it was TLS");
    if (result.who == sender) return;
    expect(!result.who.is_unix(), "a field names an address");
    // The client's address stands in one of the fields, as it was written; so it must be readable there again.
    fields const alone{
        forwarding_header::x_forwarded_for,
        {result.who.address.is_v6() ? "[" + result.who.address.to_string() + "]:" + std::to_string(result.who.port)
                                    : result.who.address.to_string() + ":" + std::to_string(result.who.port)},
        {}};
    expect(identified(alone, sender).who == result.who, "who was found can be written and found again");
    // What stands left of the first that is not trusted is not looked at.
    if (trusted.contains(result.who) || given.header != forwarding_header::x_forwarded_for) return;
    given.values.insert(given.values.begin(), "198.51.100.66");
    expect(identified(given, sender) == result, "what is farther away than the client changes nothing");
}

}  // namespace

void fuzz(std::string_view input) {
    choices choose(input);
    if (choose.flag())
        check_forgery(choose);
    else
        check_any(choose);
}

}  // namespace wsio::fuzz
