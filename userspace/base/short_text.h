// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace acceptwatch {

/// Text of at most `Capacity` bytes inside the value itself: what is made for each
/// record must not allocate.
template <size_t Capacity> class ShortText {
public:
  void append(char c) { bytes_[size_++] = c; }

  void append_number(uint32_t value, int base = 10) {
    const auto written =
        std::to_chars(bytes_.data() + size_, bytes_.data() + Capacity, value, base);
    size_ = static_cast<size_t>(written.ptr - bytes_.data());
  }

  /// Exactly so many digits, zeros in front.
  void append_digits(uint32_t value, size_t digits) {
    for (size_t i = digits; i-- > 0; value /= 10)
      bytes_[size_ + i] = static_cast<char>('0' + value % 10);
    size_ += digits;
  }

  [[nodiscard]] bool empty() const { return size_ == 0; }
  operator std::string_view() const { return {bytes_.data(), size_}; }
  bool operator==(std::string_view text) const { return std::string_view{*this} == text; }

private:
  std::array<char, Capacity> bytes_; // bytes past size_ are never read
  size_t size_ = 0;
};

} // namespace acceptwatch
