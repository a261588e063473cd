// SPDX-License-Identifier: Apache-2.0
// Colour, and names that would like to be colour.
#include "support/text_fixture.h"

#include "base/text.h"

namespace acceptwatch {
namespace {

using unit::contract_event;
using unit::TextTest;

constexpr std::string_view red = "\x1b[31m";
constexpr std::string_view yellow = "\x1b[33m";
constexpr std::string_view dim = "\x1b[2m";
constexpr std::string_view reset = "\x1b[0m";

size_t occurrences(std::string_view text, std::string_view of) {
  size_t count = 0;
  for (size_t at = text.find(of); at != std::string_view::npos; at = text.find(of, at + 1))
    ++count;
  return count;
}

Event of_action(aw_action action) {
  auto event = contract_event();
  event.action = action;
  return event;
}

TEST_F(TextTest, WithoutColourThereIsNoEscape) {
  Snapshot summary;
  summary.totals = {total_of(contract_event(), 1)};
  for (const bool wide : {false, true}) {
    const TextStyle style{.wide = wide, .colour = false};
    for (const auto& text : {formatted(Start{}, style), formatted(contract_event(), style),
                             formatted(Lost{0, "program", 1}, style), formatted(summary, style)})
      EXPECT_EQ(text.find('\x1b'), std::string::npos) << text;
  }
}

TEST_F(TextTest, ColourSaysHowBadItIs) {
  const auto coloured = [](const Event& event) { return formatted(event, {.colour = true}); };
  EXPECT_EQ(occurrences(coloured(of_action(AW_LISTEN_DROP)), red), 1U);
  EXPECT_EQ(occurrences(coloured(of_action(AW_RESET_SENT)), red), 1U);
  EXPECT_EQ(occurrences(coloured(of_action(AW_SYNCOOKIE_SENT)), yellow), 1U);
  EXPECT_EQ(occurrences(coloured(of_action(AW_SYNACK_RETRANSMIT)), yellow), 1U);
  EXPECT_EQ(occurrences(coloured(of_action(AW_LISTENER_OPENED)), dim), 1U);
}

TEST_F(TextTest, ClosedListenerIsRedOnlyWhereConnectionsWereLostWithIt) {
  auto event = of_action(AW_LISTENER_CLOSED);
  EXPECT_EQ(occurrences(formatted(event, {.colour = true}), red), 1U);
  event.accept_queue = Queue{0, 10};
  EXPECT_EQ(occurrences(formatted(event, {.colour = true}), dim), 1U);
  event.accept_queue.reset();
  EXPECT_EQ(occurrences(formatted(event, {.colour = true}), dim), 1U);
}

TEST_F(TextTest, ColourEndsBeforeTheLineDoes) {
  Snapshot summary;
  summary.totals = {total_of(contract_event(), 1)};
  for (const bool wide : {false, true}) {
    const TextStyle style{.wide = wide, .colour = true};
    for (const auto& text : {formatted(Start{}, style), formatted(contract_event(), style),
                             formatted(Lost{0, "program", 1}, style), formatted(summary, style)}) {
      EXPECT_EQ(occurrences(text, "\x1b["), 2U) << text; // on and off
      EXPECT_EQ(occurrences(text, reset), 1U) << text;
      EXPECT_LT(text.find(reset), text.rfind('\n')) << text;
    }
  }
}

TEST_F(TextTest, ColourChangesNothingElse) {
  auto text = formatted(contract_event(), {.colour = true});
  for (const auto escape : {red, reset})
    text.erase(text.find(escape), escape.size());
  EXPECT_EQ(text, formatted(contract_event()));
}

/// A process chooses its name, and a terminal must not obey it.
TEST_F(TextTest, HostileNamesAreShownAndNotObeyed) {
  for (const char* name : {"\x1b]0;owned\x07", "\x1b[2J", "a\nb", "a\rb",
                           "\xC2\x9b"
                           "2J",
                           "\xff\xfe", "\x7f", "\t"}) {
    auto event = contract_event();
    event.owner->name = name;
    event.kernel_reason = name;
    Snapshot summary;
    summary.totals = {total_of(event, 1)};
    for (const auto& text :
         {formatted(event), formatted(event, {.wide = true}), formatted(summary)}) {
      for (const auto line : split(text, '\n'))
        EXPECT_EQ(printable(line), line);
    }
    EXPECT_EQ(occurrences(formatted(event), "\n"), 1U);
    EXPECT_EQ(occurrences(formatted(event, {.wide = true}), "\n"), 1U);
    EXPECT_EQ(occurrences(formatted(summary), "\n"), 4U);
  }
}

TEST_F(TextTest, HostileNamesStayInTheirColumn) {
  auto event = contract_event();
  event.owner->name = std::string(15, '\x1b'); // sixty characters when shown
  EXPECT_EQ(width(formatted(event)), width(formatted(contract_event())));
}

TEST_F(TextTest, NamesAreNotCutInsideACharacter) {
  for (const char* name :
       {"\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9", "a\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9",
        "\u20ac\u20ac\u20ac\u20ac\u20ac"}) {
    auto event = contract_event();
    event.owner->name = name;
    for (const uint32_t pid : {1U, 77U, 4711U, 4'194'304U}) {
      event.owner->pid = pid;
      const auto row = formatted(event);
      EXPECT_EQ(valid_utf8(row), row) << "broken UTF-8: " << printable(row);
    }
  }
}

} // namespace
} // namespace acceptwatch
