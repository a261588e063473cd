// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/error.h"
#include "base/file.h"

#include <string>

namespace acceptwatch {

/// Where records go: standard output, or a file that can be reopened when it was
/// rotated away.
class OutputFile {
public:
  /// An empty path is standard output. An error where it cannot be written to.
  [[nodiscard]] static Result<OutputFile> open(std::string path);

  /// Writes all of `bytes`. A closed pipe is no error: see closed_pipe().
  [[nodiscard]] Result<void> write(std::string_view bytes);

  /// Opens the path anew (SIGHUP); nothing to do for standard output.
  [[nodiscard]] Result<void> reopen();

  /// Nobody reads any more: stop, quietly.
  [[nodiscard]] bool closed_pipe() const { return closed_pipe_; }

  [[nodiscard]] bool is_terminal() const;

private:
  [[nodiscard]] int fd() const;
  [[nodiscard]] std::string name() const;

  std::string path_;
  UniqueFd file_;
  bool closed_pipe_ = false;
};

} // namespace acceptwatch
