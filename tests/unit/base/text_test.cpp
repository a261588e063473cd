// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include <gtest/gtest.h>

namespace acceptwatch {
namespace {

using std::string_literals::operator""s;
using Parts = std::vector<std::string_view>;

TEST(Printable, LeavesOrdinaryTextAlone) {
  EXPECT_EQ(printable(""), "");
  EXPECT_EQ(printable("nginx: worker process"), "nginx: worker process");
  EXPECT_EQ(printable("caf\u00e9 \u20ac \U0001F600"), "caf\u00e9 \u20ac \U0001F600");
}

TEST(Printable, ShowsEveryC0ControlAndDelAsHex) {
  for (int byte = 0; byte < 0x20; ++byte) {
    const auto text = printable(std::string(1, static_cast<char>(byte)));
    EXPECT_EQ(text.size(), 4U) << byte;
    EXPECT_TRUE(text.starts_with("\\x")) << byte;
  }
  EXPECT_EQ(printable("\x7f"), "\\x7f");
  EXPECT_EQ(printable("a\0b"s), "a\\x00b");
}

TEST(Printable, DisarmsTerminalEscapes) {
  EXPECT_EQ(printable("\x1b[2J\x1b]0;owned\x07"), "\\x1b[2J\\x1b]0;owned\\x07");
}

TEST(Printable, ShowsC1ControlsAsHexBecauseTerminalsObeyThemToo) {
  EXPECT_EQ(printable("\xC2\x80"), "\\xc2\\x80");
  EXPECT_EQ(printable("\xC2\x9b"
                      "2J"),
            "\\xc2\\x9b2J");
  EXPECT_EQ(printable("\xC2\x9f"), "\\xc2\\x9f");
  EXPECT_EQ(printable("\xC2\xA0"), "\xC2\xA0"); // the first that is none
}

TEST(Printable, ShowsAsHexWhatDirectsHowOthersAreShown) {
  EXPECT_EQ(printable("a\u202eb"), "a\\xe2\\x80\\xaeb"); // from right to left
  EXPECT_EQ(printable("\u2028"), "\\xe2\\x80\\xa8");
  EXPECT_EQ(printable("\u0085"), "\\xc2\\x85");
  EXPECT_EQ(printable("\u200b\u2066"), "\\xe2\\x80\\x8b\\xe2\\x81\\xa6");
  EXPECT_EQ(printable("\U000e0041"), "\\xf3\\xa0\\x81\\x81"); // a tag
  for (const char* plain : {"\u00ae", "\u2027", "\u202f", "\u2065", "\u05d0", "\U000e0100"})
    EXPECT_EQ(printable(plain), plain);
}

struct Bytes {
  const char* what;
  std::string bytes;
};

/// RFC 3629, and no more: each of these is wrong in every byte.
const Bytes broken[] = {
    {"a lone continuation", "\x80"},
    {"overlong slash of two", "\xC0\xAF"},
    {"overlong NUL of two", "\xC0\x80"},
    {"overlong, one below U+0080", "\xC1\xBF"},
    {"overlong of three", "\xE0\x9F\xBF"},
    {"overlong of four", "\xF0\x8F\xBF\xBF"},
    {"the first surrogate", "\xED\xA0\x80"},
    {"the last surrogate", "\xED\xBF\xBF"},
    {"past U+10FFFF", "\xF4\x90\x80\x80"},
    {"a lead of five", "\xF8\x88\x80\x80\x80"},
    {"FE and FF", "\xFE\xFF"},
    {"two of three bytes", "\xE2\x82"},
    {"three of four bytes", "\xF0\x9F\x98"},
    {"a lead alone", "\xC3"},
};

TEST(Printable, ShowsBytesThatAreNoUtf8AsHex) {
  for (const auto& [what, bytes] : broken) {
    std::string expected;
    for (const char byte : bytes) {
      constexpr const char* digits = "0123456789abcdef";
      const auto value = static_cast<unsigned char>(byte);
      expected += {'\\', 'x', digits[value >> 4], digits[value & 15]};
    }
    EXPECT_EQ(printable(bytes), expected) << what;
    EXPECT_EQ(printable("a" + bytes + "b"), "a" + expected + "b") << what;
  }
}

TEST(ValidUtf8, ReplacesEachByteThatIsNoUtf8) {
  for (const auto& [what, bytes] : broken) {
    std::string expected;
    for (size_t i = 0; i < bytes.size(); ++i)
      expected += "\uFFFD";
    EXPECT_EQ(valid_utf8(bytes), expected) << what;
    EXPECT_EQ(valid_utf8("a" + bytes + "b"), "a" + expected + "b") << what;
  }
}

TEST(ValidUtf8, KeepsTheEdgesOfEachLength) {
  for (const char* text : {"\x7f", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF",
                           "\xEE\x80\x80", "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"})
    EXPECT_EQ(valid_utf8(text), text);
}

TEST(ValidUtf8, KeepsControlCharactersForTheJsonWriter) {
  EXPECT_EQ(valid_utf8("a\x1b\n\0"s), "a\x1b\n\0"s);
}

TEST(ParseNumber, TakesAWholeDecimalNumber) {
  EXPECT_EQ(parse_number<uint16_t>("0"), 0);
  EXPECT_EQ(parse_number<uint16_t>("65535"), 65535);
  EXPECT_EQ(parse_number<uint64_t>("18446744073709551615"), UINT64_MAX);
  EXPECT_EQ(parse_number<int>("-5"), -5);
}

TEST(ParseNumber, RefusesWhatDoesNotFit) {
  EXPECT_FALSE(parse_number<uint16_t>("65536"));
  EXPECT_FALSE(parse_number<uint64_t>("18446744073709551616"));
  EXPECT_FALSE(parse_number<uint32_t>("-1"));
}

TEST(ParseNumber, RefusesAnythingBeforeOrBehind) {
  for (const char* text : {"", " ", " 80", "80 ", "+80", "80x", "0x50", "8.0", "80\n", "-"})
    EXPECT_FALSE(parse_number<uint16_t>(text)) << '"' << text << '"';
}

TEST(Split, KeepsEmptyPartsBetweenCommas) {
  EXPECT_EQ(split("a,,b", ','), (Parts{"a", "", "b"}));
  EXPECT_EQ(split("a,", ','), (Parts{"a", ""}));
  EXPECT_EQ(split("", ','), (Parts{""}));
  EXPECT_EQ(split("a", ','), (Parts{"a"}));
}

TEST(Split, TakesRunsOfSpacesAsOne) {
  EXPECT_EQ(split("  a   b ", ' '), (Parts{"a", "b"}));
  EXPECT_EQ(split("", ' '), Parts{});
  EXPECT_EQ(split("   ", ' '), Parts{});
}

} // namespace
} // namespace acceptwatch
