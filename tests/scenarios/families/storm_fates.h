// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "families/storm_shop.h"

namespace acceptwatch::scenarios::storm {

// Something that can happen to handshakes, drawn at random as often as `weight` says among those
// that are possible where the shop stands. It waits for the sign that it has happened.
struct Fate {
  const char* name;
  unsigned weight;
  bool (*is_possible)(const Shop& shop);
  void (*play)(Shop& shop, Dice& dice);
};

const std::vector<Fate>& fates();

} // namespace acceptwatch::scenarios::storm
