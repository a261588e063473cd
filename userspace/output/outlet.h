// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/error.h"
#include "base/file.h"

#include <string>
#include <string_view>

namespace acceptwatch {

/// Where the lines of one output go: standard output, or a file that can be opened anew when it
/// was rotated away. Nothing here waits for a reader or a disk: what is not taken now is kept, up
/// to a bound, and flush() tries again.
class Outlet {
public:
  /// "-" is standard output. An error where it cannot be written to.
  [[nodiscard]] static Result<Outlet> open(std::string path);

  /// Takes whole lines. False: they have no room, and are lost.
  [[nodiscard]] bool put(std::string_view lines);
  /// The last ones: for them there is always room.
  void put_last(std::string_view lines);
  /// Writes as much as is taken at once. True: nothing is left.
  bool flush();
  /// Bytes that are not written yet.
  [[nodiscard]] size_t pending() const { return pending_.size() - written_; }
  [[nodiscard]] bool is_empty() const { return written_ == pending_.size(); }

  /// Opens the path anew (SIGHUP), and goes on there with `head`. What the old file does not take
  /// any more goes to the new one, from the beginning of a line. Nothing to do for standard output.
  [[nodiscard]] Result<void> reopen(std::string_view head = {});

  /// Nobody reads any more: stop, quietly.
  [[nodiscard]] bool is_closed_pipe() const { return closed_pipe_; }
  /// Somebody who waited for it has seen that.
  void note_closed_pipe() { closed_pipe_ = true; }
  /// Why the last bytes were not taken, if it is not that a reader is slow: "No space left on
  /// device". 0: it is well.
  [[nodiscard]] int error() const { return error_; }
  [[nodiscard]] bool is_terminal() const;
  [[nodiscard]] bool is_standard_output() const { return path_.empty(); }
  /// To wait for, by epoll; -1: a file, for which nobody can wait.
  [[nodiscard]] int waitable_fd() const { return waitable_ ? fd() : -1; }
  /// "standard output", or the path.
  [[nodiscard]] std::string name() const;
  /// Where reopen() opens the file, by a descriptor of its directory; -1: standard output.
  [[nodiscard]] int directory() const { return directory_.get(); }
  [[nodiscard]] std::string file_name() const { return file_name_of(path_); }

  /// Bytes that are kept at most for a slow reader or a full disk, put_last() aside.
  static constexpr size_t max_pending = 1024UL * 1024;

private:
  [[nodiscard]] int fd() const { return file_ ? file_.get() : 1; }
  [[nodiscard]] ssize_t try_write(std::string_view bytes) const;
  void adopt(UniqueFd file);
  [[nodiscard]] size_t line_begin() const;
  [[nodiscard]] size_t next_line() const;
  void take_back_half_line();

  std::string path_; ///< empty: standard output
  UniqueFd directory_;
  UniqueFd file_; ///< none: descriptor 1 itself
  std::string pending_;
  size_t written_ = 0;  ///< of pending_
  bool blocks_ = false; ///< a write may wait: no more than what a pipe takes at once
  bool waitable_ = false;
  bool closed_pipe_ = false;
  int error_ = 0;
};

/// A user of the host must not choose where root writes: in a directory that others may write to,
/// the file that was opened there has to be this process's own.
[[nodiscard]] Result<void> check_owner(const UniqueFd& file, const UniqueFd& directory,
                                       const std::string& path);

/// Writes all of `text` to standard output, however long that takes: of commands that print one
/// answer. A closed pipe is no error.
[[nodiscard]] Result<void> print_to_stdout(std::string_view text);

} // namespace acceptwatch
