// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "account/explain.h"
#include "app/net_reading.h"
#include "base/error.h"
#include "listeners/process.h"

#include <functional>
#include <set>

namespace acceptwatch {

/// What is compared.
struct AuditScope {
  /// Filters that the kernel's counters do not know, and sources that are the
  /// counters: with any of these there is nothing to compare.
  std::vector<std::string> incomparable;
  std::optional<uint32_t> netns; ///< this namespace alone
  std::vector<BlindSpot> blind;
};

/// Compares the kernel's counters with what was explained, by network namespace.
///
/// No instant can be found at which both stand still. So the kernel's are read on
/// both sides of whatever fixes the explained ones: the values at that instant lie
/// between the two readings, and of these the nearest to the explained one is taken.
///
/// No file of a namespace stays open: that would keep the namespace alive.
class Auditor {
public:
  using Explained = std::function<std::vector<Counter>()>;

  Auditor(AuditScope scope, const ProcFs& procfs) : scope_(std::move(scope)), procfs_(procfs) {}

  /// From here on counts what happens: `activate` is called at that instant.
  [[nodiscard]] Result<void> begin(const std::function<Result<void>()>& activate);

  /// Compares with what `explained` returns, which is called exactly once.
  void compare(const Explained& explained);

  /// The last comparison, and the last one of namespaces that are gone.
  [[nodiscard]] Audit result(uint64_t uncounted, uint64_t skipped) const;

  [[nodiscard]] bool can_compare() const { return scope_.incomparable.empty(); }

private:
  struct Range {
    uint64_t low = 0;
    uint64_t high = 0;
  };
  struct Namespace {
    std::array<Range, nr_kernel_counters> baseline{}; ///< 0: is younger than begin()
    std::array<Range, nr_kernel_counters> moved{};
    CounterValues explained{};
    std::optional<NetReading> last; ///< none: was not read yet
    bool gone = false;
    bool young = true; ///< was not there at begin(), or not all the time since
    /// Its number was another one's, or it is older and could not be read at the
    /// start: nothing can be said of it.
    bool unclear = false;
  };

  [[nodiscard]] NetReadings read_all() const;
  void take(uint32_t netns, const NetReading& before, const NetReading& after,
            const CounterValues& explained);

  AuditScope scope_;
  const ProcFs& procfs_;
  std::map<uint32_t, Namespace> namespaces_;
  std::set<uint32_t> explained_; ///< namespaces in which something was seen
};

} // namespace acceptwatch
