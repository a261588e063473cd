// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cerrno>
#include <cstring>
#include <sstream>
#include <stdexcept>
#include <string>

namespace acceptwatch::scenarios {

// The scenario could not be carried out, or did not do what it claims.
class Failure : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

// This kernel has no such feature: nothing was tested. Never thrown for a feature that merely
// misbehaves.
class Skip : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

template <typename... Parts> std::string cat(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

// Passes the result of a system call on, or throws with errno in words.
template <typename Result> Result must(Result result, const std::string& what) {
  if (result < 0) {
    throw Failure(cat(what, ": ", std::strerror(errno)));
  }
  return result;
}

} // namespace acceptwatch::scenarios
