// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "core/helper.h"

namespace acceptwatch::scenarios::storm {

// A listener, and the process that holds it.
struct Plan {
  std::string name; // of the process
  uint16_t port = 0;
  std::string bound_to = "0.0.0.0";
  int backlog = 1;
  bool gives_up_early = false; // TCP_SYNCNT 1: for clients that never answer
  bool is_mptcp = false;       // its clients speak plain TCP
  bool is_paired = false;      // it shares its port with another (SO_REUSEPORT)
};

// The process of a shop: it does what it is told, and says "done".
Helper::Body keeper_of(const Plan& plan);

} // namespace acceptwatch::scenarios::storm
