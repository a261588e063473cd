// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace acceptwatch {

/// A JSON writer that leaves out what is not known, and makes no allocation of its own: a
/// flood is a million lines. Bytes are gathered in a chunk and appended to the string when it
/// is full, and when the outermost object ends.
class JsonWriter {
public:
  explicit JsonWriter(std::string& out) : out_(out) {}
  JsonWriter(const JsonWriter&) = delete;
  JsonWriter& operator=(const JsonWriter&) = delete;

  void begin_object() { open('{'); }
  void begin_object(std::string_view key) {
    name(key);
    open('{');
  }
  void end_object() { close('}'); }
  void begin_array(std::string_view key) {
    name(key);
    open('[');
  }
  void end_array() { close(']'); }

  void member(std::string_view key, std::string_view value) {
    name(key);
    string(value);
  }
  void member(std::string_view key, const char* value) { member(key, std::string_view{value}); }
  void member(std::string_view key, uint64_t value) {
    name(key);
    number(value);
  }
  void member(std::string_view key, unsigned value) { member(key, uint64_t{value}); }
  void member(std::string_view key, uint16_t value) { member(key, uint64_t{value}); }
  void member(std::string_view key, double value);
  void member(std::string_view key, bool value);
  template <typename T> void member(std::string_view key, const std::optional<T>& value) {
    if (value)
      member(key, *value);
  }
  void known(std::string_view key, std::string_view value) {
    if (!value.empty())
      member(key, value);
  }

  void string(std::string_view value) {
    make_room(value.size() + 3);
    separate();
    if (!is_plain(value))
      return escape(value);
    put('"');
    append(value);
    make_room(1);
    put('"');
  }

private:
  /// Printable ASCII that JSON takes as it is. Without a branch in the loop, so that it is
  /// vectorized.
  static bool is_plain(std::string_view text) {
    unsigned odd = 0;
    for (const char c : text) {
      const auto byte = static_cast<unsigned char>(c);
      odd |= static_cast<unsigned>(byte < 0x20) | static_cast<unsigned>(byte >= 0x7F) |
             static_cast<unsigned>(byte == '"') | static_cast<unsigned>(byte == '\\');
    }
    return odd == 0;
  }

  void name(std::string_view key) {
    make_room(key.size() + 4);
    separate();
    put('"');
    append(key);
    put('"');
    put(':');
    first_ = true;
  }
  void number(uint64_t value) {
    constexpr size_t max_digits = 20;
    make_room(max_digits + 1);
    separate();
    char* begin = chunk_.data() + used_;
    used_ += static_cast<size_t>(std::to_chars(begin, begin + max_digits, value).ptr - begin);
  }
  void open(char bracket) {
    make_room(2);
    separate();
    put(bracket);
    first_ = true;
    ++depth_;
  }
  void close(char bracket) {
    make_room(1);
    put(bracket);
    first_ = false;
    if (--depth_ == 0)
      flush();
  }
  void separate() {
    chunk_[used_] = ',';
    used_ += first_ ? 0 : 1;
    first_ = false;
  }

  void make_room(size_t bytes) {
    if (chunk_.size() - used_ < bytes) [[unlikely]]
      flush();
  }
  void put(char c) { chunk_[used_++] = c; }
  void append(std::string_view text) {
    if (text.size() <= chunk_.size() - used_) [[likely]]
      used_ += text.copy(chunk_.data() + used_, text.size());
    else
      append_past_chunk(text);
  }
  void append_past_chunk(std::string_view text);
  void escape(uint32_t code);
  void escape(std::string_view text);
  void flush();

  std::string& out_;
  size_t used_ = 0; ///< of the chunk
  unsigned depth_ = 0;
  bool first_ = true;            ///< what comes next needs no comma
  std::array<char, 1024> chunk_; // bytes past used_ are never read
};

} // namespace acceptwatch
