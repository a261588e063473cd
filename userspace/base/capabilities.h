// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <sys/capability.h>
#include <type_traits>

namespace acceptwatch {

/// Permitted and effective capabilities.
class Capabilities {
public:
  /// The capabilities of a process; 0 is this one. False, with an errno, when it has exited.
  static Capabilities of(pid_t pid) { return Capabilities{cap_get_pid(pid)}; }
  static Capabilities none() { return Capabilities{cap_init()}; }
  explicit operator bool() const { return held_ != nullptr; }

  [[nodiscard]] bool has(cap_value_t value) const {
    cap_flag_value_t set = CAP_CLEAR;
    return held_ && cap_get_flag(held_.get(), value, CAP_EFFECTIVE, &set) == 0 && set == CAP_SET;
  }
  void add(cap_value_t value) {
    cap_set_flag(held_.get(), CAP_PERMITTED, 1, &value, CAP_SET);
    cap_set_flag(held_.get(), CAP_EFFECTIVE, 1, &value, CAP_SET);
  }
  /// Not in effect, and still to be had.
  void suspend(cap_value_t value) {
    cap_set_flag(held_.get(), CAP_EFFECTIVE, 1, &value, CAP_CLEAR);
  }
  /// Sets them for this process. -1, with an errno, if it does not have all of them.
  [[nodiscard]] int apply() const { return cap_set_proc(held_.get()); }

private:
  explicit Capabilities(cap_t held) : held_(held) {}

  struct Free {
    void operator()(cap_t held) const { cap_free(held); }
  };
  std::unique_ptr<std::remove_pointer_t<cap_t>, Free> held_;
};

} // namespace acceptwatch
