// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/file.h"

#include <fcntl.h>
#include <sched.h>
#include <string>

namespace acceptwatch {

/// Moves this thread to another network namespace, and back in the destructor.
class NamespaceSwitch {
public:
  NamespaceSwitch(const UniqueFd& home, const std::string& target) : home_(home) {
    const UniqueFd fd{open(target.c_str(), O_RDONLY | O_CLOEXEC)};
    switched_ = home && fd && setns(fd.get(), CLONE_NEWNET) == 0;
  }
  ~NamespaceSwitch() {
    if (switched_)
      static_cast<void>(setns(home_.get(), CLONE_NEWNET));
  }
  NamespaceSwitch(const NamespaceSwitch&) = delete;
  NamespaceSwitch& operator=(const NamespaceSwitch&) = delete;

  /// False: this thread may not enter that namespace, and is where it was.
  [[nodiscard]] bool is_there() const { return switched_; }

private:
  const UniqueFd& home_;
  bool switched_ = false;
};

} // namespace acceptwatch
