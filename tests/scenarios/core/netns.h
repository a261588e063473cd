// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "core/unique_fd.h"

namespace acceptwatch::scenarios {

// A network namespace, and the two ways into it. Each scenario has its own, so that the kernel's
// counters and acceptwatch's records (`acceptwatch.netns`) belong to one scenario however many run
// side by side.
class NetNamespace {
public:
  static NetNamespace current();
  // Makes a new one and moves the calling process into it; loopback is up and the sysctls that
  // matter are at known values.
  static NetNamespace create();

  void enter() const;
  uint64_t inode() const { return inode_; }
  int fd() const { return fd_.get(); }
  // For a process that is about to be started in it.
  std::string path() const;

private:
  NetNamespace() = default;
  UniqueFd fd_;
  uint64_t inode_ = 0;
};

// `name` is dotted, as sysctl(8) takes it; it applies to the namespace the caller is in.
void set_sysctl(const std::string& name, long value);

// Brings an interface of the current namespace up.
void set_link_up(const std::string& name);

} // namespace acceptwatch::scenarios
