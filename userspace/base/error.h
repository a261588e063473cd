// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace acceptwatch {

/// The process's exit status: part of the public interface.
enum class ExitStatus : int {
  ok = 0,         ///< stopped as asked
  failed = 1,     ///< failure at run time
  usage = 2,      ///< wrong usage
  kernel = 3,     ///< this kernel cannot serve what was asked
  privileges = 4, ///< privileges are missing
  nothing = 5,    ///< `explain`: nothing is wrong, and it would have been seen
  unknown = 6,    ///< `explain`: nothing was seen, but not everything could be
};

/// What failed and why, in words for a person, and what to do about it.
struct Error {
  ExitStatus status = ExitStatus::failed;
  std::string what;
  std::string advice; ///< a full sentence, or empty
};

template <typename T> using Result = tl::expected<T, Error>;

[[nodiscard]] tl::unexpected<Error> failure(std::string what, std::string advice = {},
                                            ExitStatus status = ExitStatus::failed);

/// Adds the text of `code` (an errno value, positive) to `what`.
[[nodiscard]] tl::unexpected<Error> system_failure(std::string_view what, int code,
                                                   std::string advice = {},
                                                   ExitStatus status = ExitStatus::failed);

/// The text of an errno value.
[[nodiscard]] std::string describe_errno(int code);

} // namespace acceptwatch
