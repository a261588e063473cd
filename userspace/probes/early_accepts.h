// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "host/procfs.h"
#include "probes/handles.h"

#include "acceptwatch/record_cpp.h"

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace acceptwatch {

/// Threads that were in accept() when the programs came, of which the exit of that call is not
/// seen: `accept_entered` and `accept_left` count it instead. They are detached when the last such
/// thread is out, since every accept() pays for them.
class EarlyAccepts {
public:
  /// `map`: aw_early_accepts. `known`: aw_early_accepts_known, in memory shared with the programs.
  EarlyAccepts(const ProcFs& procfs, int map, bool& known, std::vector<Link> links)
      : procfs_(procfs), map_(map), known_(known), links_(std::move(links)) {}

  /// Until the first settle(): a descriptor of a listener that a look found, and the key of its
  /// times in aw_waits.
  void note_descriptor(const aw_holder& holder, uint64_t key);
  /// The look is over. The first time: finds out which threads are in accept() of a noted
  /// descriptor. From then on: which of them are still. Detaches the programs if none is.
  void settle();

private:
  void find_threads();
  void find_threads_of(uint32_t pid) const;
  [[nodiscard]] std::string task_of(uint64_t thread) const;
  void forget_others();

  const ProcFs& procfs_;
  int map_;
  bool& known_;
  std::vector<Link> links_; ///< empty: nothing to be done any more
  /// pid and descriptor -> key
  std::map<std::pair<uint32_t, uint64_t>, uint64_t> descriptors_;
};

} // namespace acceptwatch
