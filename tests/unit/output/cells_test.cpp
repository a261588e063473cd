// SPDX-License-Identifier: Apache-2.0
#include "output/cells.h"

#include <gtest/gtest.h>

namespace acceptwatch {
namespace {

TEST(DurationText, HasDigitsThatSaySomething) {
  EXPECT_EQ(duration_text(0), "0us");
  EXPECT_EQ(duration_text(12e-6), "12us");
  EXPECT_EQ(duration_text(3.42e-3), "3.4ms");
  EXPECT_EQ(duration_text(0.34), "340ms");
  EXPECT_EQ(duration_text(0.9999), "1.0s");
  EXPECT_EQ(duration_text(12.3), "12s");
}

TEST(Wrapped, BreaksAtEightyColumns) {
  const std::string word(30, 'x');
  EXPECT_EQ(wrapped(word + " " + word + " " + word, "  "),
            "  " + word + " " + word + "\n  " + word + "\n");
}

TEST(Wrapped, AWordThatIsTooLongStaysWhole) {
  const std::string word(100, 'x');
  EXPECT_EQ(wrapped(word, "> "), "> " + word + "\n");
}

} // namespace
} // namespace acceptwatch
