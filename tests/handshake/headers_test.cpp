#include <wsio/headers.hpp>

#include <boost/test/unit_test.hpp>

#include <stdexcept>
#include <string>

BOOST_AUTO_TEST_SUITE(handshake_headers)

using wsio::headers;

BOOST_AUTO_TEST_CASE(names_are_compared_without_case) {
    headers const fields{{"Sec-WebSocket-Key", "a"}, {"HOST", "b"}};
    BOOST_TEST(fields["sec-websocket-key"] == "a");
    BOOST_TEST(fields["Host"] == "b");
    BOOST_TEST(fields.contains("host"));
    BOOST_TEST(!fields.contains("hos"));
    BOOST_TEST(!fields.contains("host "));
}

BOOST_AUTO_TEST_CASE(only_ascii_letters_have_case) {
    headers const fields{{"a^b", "caret"}};
    BOOST_TEST(!fields.contains("a~b"));  // 0x5E and 0x7E differ in the bit that folds letters
    BOOST_TEST(fields.contains("A^B"));
}

BOOST_AUTO_TEST_CASE(a_missing_field_is_empty_and_not_found) {
    headers const fields{{"A", ""}};
    BOOST_TEST(fields["B"].empty());
    BOOST_TEST(!fields.find("B").has_value());
    BOOST_TEST(fields.find("A").has_value());
}

BOOST_AUTO_TEST_CASE(fields_keep_their_order_and_their_spelling) {
    headers const fields{{"B", "1"}, {"a", "2"}, {"b", "3"}};
    std::string text;
    for (auto const& [name, value] : fields) text += std::string(name) + "=" + std::string(value) + ";";
    BOOST_TEST(text == "B=1;a=2;b=3;");
    BOOST_TEST(fields.size() == 3U);
}

BOOST_AUTO_TEST_CASE(repeated_fields_are_counted_and_joined) {
    headers const fields{{"P", "a"}, {"x", "y"}, {"p", "b, c"}, {"P", ""}};
    BOOST_TEST(fields.count("p") == 3U);
    BOOST_TEST(fields["p"] == "a");
    BOOST_TEST(fields.joined("p") == "a, b, c, ");
    BOOST_TEST(fields.joined("q").empty());
}

BOOST_AUTO_TEST_CASE(set_replaces_every_field_of_that_name) {
    headers fields{{"A", "1"}, {"B", "2"}, {"a", "3"}};
    fields.set("a", "4");
    BOOST_TEST(fields.count("A") == 1U);
    BOOST_TEST(fields["A"] == "4");
    BOOST_TEST(fields["B"] == "2");
}

BOOST_AUTO_TEST_CASE(erase_tells_how_many_went) {
    headers fields{{"A", "1"}, {"B", "2"}, {"a", "3"}, {"C", "4"}};
    BOOST_TEST(fields.erase("A") == 2U);
    BOOST_TEST(fields.erase("A") == 0U);
    BOOST_TEST(fields["B"] == "2");
    BOOST_TEST(fields["C"] == "4");
    fields.erase("B");
    fields.erase("C");
    BOOST_TEST(fields.empty());
}

BOOST_AUTO_TEST_CASE(views_into_the_same_object_may_be_added) {
    headers fields{{"First", std::string(40, 'x')}};
    for (int i = 0; i < 20; ++i) {
        auto const [name, value] = *fields.begin();
        fields.add(name, value);
    }
    fields.set("Second", fields["First"]);
    fields.set("second", fields["Second"]);
    BOOST_TEST(fields["Second"] == std::string(40, 'x'));
    BOOST_TEST(fields.joined("First").size() == 21U * 42 - 2);
    auto const name = (*fields.begin()).name;
    BOOST_TEST(fields.erase(name) == 21U);
}

BOOST_AUTO_TEST_CASE(a_name_that_is_no_token_is_refused) {
    headers fields;
    for (std::string const name : {"", "a b", "a:", "a\r\nb", "a\tb", "caf\xC3\xA9", "(a)", "a/b", "\x7F"})
        BOOST_CHECK_THROW(fields.add(name, "v"), std::invalid_argument);
    BOOST_CHECK_THROW(fields.add(std::string_view("a\0b", 3), "v"), std::invalid_argument);
    BOOST_CHECK_THROW(fields.set("a b", "v"), std::invalid_argument);
    BOOST_TEST(fields.empty());
    fields.add("!#$%&'*+-.^_`|~09azAZ", "v");
    BOOST_TEST(fields.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_value_with_a_control_character_is_refused) {
    headers fields{{"A", "old"}};
    for (int c = 0; c < 256; ++c) {
        std::string const value{'a', static_cast<char>(c), 'b'};
        bool const control = (c < 0x20 && c != '\t') || c == 0x7F;
        if (control) {
            BOOST_CHECK_THROW(fields.add("B", value), std::invalid_argument);
            BOOST_CHECK_THROW(fields.set("A", value), std::invalid_argument);
        } else {
            fields.add("C", value);
        }
    }
    BOOST_TEST(fields["A"] == "old");
    BOOST_TEST(!fields.contains("B"));
    BOOST_TEST(fields.count("C") == 256U - 32);
}

BOOST_AUTO_TEST_CASE(a_refusal_names_the_field) {
    headers fields;
    auto const names = [](std::string_view name) {
        return [name](const std::invalid_argument& error) {
            return std::string_view(error.what()).find(name) != std::string_view::npos;
        };
    };
    BOOST_CHECK_EXCEPTION(fields.add("X-Custom", "a\r\nSet-Cookie: b"), std::invalid_argument, names("X-Custom"));
    BOOST_CHECK_EXCEPTION(fields.add("X\r\nY", "a"), std::invalid_argument, names("X??Y"));
}

BOOST_AUTO_TEST_CASE(fields_stay_when_memory_is_given_back) {
    headers fields;
    for (int i = 0; i < 100; ++i) fields.add("N" + std::to_string(i), std::to_string(i));
    fields.shrink_to_fit();
    BOOST_TEST(fields["n99"] == "99");
    BOOST_TEST(fields.size() == 100U);
}

BOOST_AUTO_TEST_SUITE_END()
