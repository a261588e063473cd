// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "core/helper.h"
#include "families/steps.h"

namespace acceptwatch::scenarios {

// A listener that other processes hold: two connections fill it, and each SYN after that is lost.
class FullShop {
public:
  static constexpr uint16_t server_port = 9112;
  // Not 0: to 5.10 a SYN queue with a limit of 0 is always full, and every SYN would be answered
  // with a cookie.
  static constexpr int backlog = 1;

  FullShop(Stage& stage, TunPeers& tun) : stage_(stage), tun_(tun) {}

  void fill();
  // `owner` must be named for these.
  void lose(size_t count, const Owner& owner);
  // The same of one, and the owner's threads are in this function of the kernel.
  void lose_one_while_in(const std::string& kernel_function, const Owner& owner);
  // The connection that waited longest was accepted, so it is nobody's victim.
  void forget_oldest() { queued_.erase(queued_.begin()); }
  // What the end of the listener looks like, when the caller has ended it.
  void await_end(const Owner& owner, const std::string& end = "closed");
  // All of it: filled, four SYNs lost, and closed by its only holder, when it is told to "close".
  void lose_and_end(Helper& holder);

private:
  Expectation lost(size_t count, const Owner& owner);

  Stage& stage_;
  TunPeers& tun_;
  uint16_t next_queued_ = 20001;
  uint16_t next_lost_ = 30001;
  std::vector<uint16_t> queued_;
};

// A process that is the only holder of such a listener.
inline Owner only(const Helper& helper) { return {helper.pid(), helper.name(), 1}; }

} // namespace acceptwatch::scenarios
