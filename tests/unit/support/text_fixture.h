// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "output/text.h"
#include "support/records.h"

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <gtest/gtest.h>

namespace acceptwatch::unit {

/// Rows of the text format, in UTC.
class TextTest : public ::testing::Test {
protected:
  TextTest() {
    setenv("TZ", "UTC", 1);
    tzset();
  }

  template <typename Record>
  static std::string formatted(const Record& record, TextStyle style = {}) {
    std::string out;
    TextFormatter{style}.format(record, out);
    return out;
  }

  /// Characters, not bytes, of the longest line.
  static size_t width(const std::string& text) {
    size_t widest = 0;
    size_t current = 0;
    for (const char byte : text) {
      if ((static_cast<unsigned char>(byte) & 0xC0) != 0x80)
        current = byte == '\n' ? 0 : current + 1;
      widest = std::max(widest, current);
    }
    return widest;
  }

  static Total total_of(const Event& event, uint64_t count) {
    Total total;
    total.action = event.action;
    total.reason = event.reason;
    total.stage = event.stage;
    total.count = count;
    total.server_address = event.server_address;
    total.server_port = event.server_port;
    total.owner = event.owner;
    return total;
  }
};

} // namespace acceptwatch::unit
