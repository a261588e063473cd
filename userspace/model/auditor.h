// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "diagnose/causes.h"
#include "events/blind_spot.h"
#include "events/counters.h"
#include "events/event.h"

#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace acceptwatch {

/// Compares the kernel's counters with what was explained, by network namespace.
///
/// No instant can be found at which both stand still. So the kernel's are read on
/// both sides of whatever fixes the explained ones: the values at that instant lie
/// between the two readings, and of these the nearest to the explained one is taken.
class Auditor {
public:
  /// `only`: this namespace alone; `blind`: what explains a difference.
  Auditor(std::optional<uint32_t> only, std::vector<BlindSpot> blind)
      : only_(only), blind_(std::move(blind)) {}

  /// From an instant between `before` and `after` on counts what happens. Namespaces that are
  /// mounted and not in `before` were there, and what they counted then is not known.
  void begin(std::span<const uint32_t> mounted, const NetReadings& before,
             const NetReadings& after);

  /// `counters` were read between `before` and `after`.
  void compare(const NetReadings& before, std::span<const Counter> counters,
               const NetReadings& after);

  /// A reading that is compared with nothing: evidence alone is taken from it.
  void note(const NetReadings& readings);

  /// What a namespace had counted at the start; zeros of one that is younger. Absent: not known.
  [[nodiscard]] std::optional<CounterValues> values_at_begin(uint32_t netns) const;

  /// The same of an evidence counter.
  [[nodiscard]] std::optional<uint64_t> evidence_at_begin(uint32_t netns,
                                                          EvidenceCounter counter) const;

  /// By how much the evidence counters have grown, in all namespaces together. That one has not
  /// moved is known only where those of all `needed` namespaces could be read.
  [[nodiscard]] EvidenceValues evidence(const std::set<uint32_t>& needed) const;
  /// Beyond what was explained, as of the last comparison; the same.
  [[nodiscard]] UnexplainedCounters unexplained(const std::set<uint32_t>& needed) const;

  /// Of each namespace the last reading, with which the next one is compared.
  [[nodiscard]] NetReadings last_readings() const;

  /// The last comparison, and the last one of namespaces that are gone.
  [[nodiscard]] Audit result(uint64_t uncounted, uint64_t skipped) const;

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
    /// None: is younger than begin(), and has counted from 0.
    std::optional<EvidenceValues> evidence_before;
    bool gone = false;
    bool young = true; ///< was not there at begin(), or not all the time since
    /// Its number was another one's, or it is older and could not be read at the
    /// start: nothing can be said of it.
    bool unclear = false;
  };

  void take(uint32_t netns, const NetReading& before, const NetReading& after,
            const CounterValues& explained);
  [[nodiscard]] bool reads_all(const std::set<uint32_t>& needed) const;

  std::optional<uint32_t> only_;
  std::vector<BlindSpot> blind_;
  std::map<uint32_t, Namespace> namespaces_;
  std::set<uint32_t> explained_; ///< namespaces in which something was seen
  bool compared_ = false;
};

} // namespace acceptwatch
