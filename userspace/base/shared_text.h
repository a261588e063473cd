// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>

namespace acceptwatch {

/// Text that many values share, or none. To copy it allocates nothing.
class SharedText {
public:
  SharedText() = default;
  SharedText(std::string text) : text_(std::make_shared<const std::string>(std::move(text))) {}
  SharedText(const char* text) : SharedText(std::string{text}) {}
  SharedText(const std::optional<std::string>& text)
      : text_(text ? std::make_shared<const std::string>(*text) : nullptr) {}

  explicit operator bool() const { return text_ != nullptr; }
  const std::string& operator*() const { return *text_; }
  const std::string* operator->() const { return text_.get(); }

  friend bool operator==(const SharedText& a, const std::optional<std::string>& b) {
    return a ? b && *a == *b : !b;
  }

private:
  std::shared_ptr<const std::string> text_;
};

} // namespace acceptwatch
