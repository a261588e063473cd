// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/error.h"

#include <memory>
#include <string>
#include <string_view>

namespace acceptwatch {

/// A tape on disk, compressed as by gzip(1).
class TapeFile {
public:
  [[nodiscard]] static Result<TapeFile> create(const std::string& path);
  ~TapeFile();
  TapeFile(TapeFile&&) noexcept;
  TapeFile& operator=(TapeFile&&) noexcept;

  /// What cannot be written ends the tape, and is told by close().
  void write(std::string_view bytes);
  [[nodiscard]] Result<void> close();

private:
  struct State;
  explicit TapeFile(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// The whole of a tape, unpacked; at most 1 GiB.
[[nodiscard]] Result<std::string> read_tape_file(const std::string& path);

} // namespace acceptwatch
