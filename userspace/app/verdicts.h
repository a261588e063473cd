// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/flows.h"
#include "cli/options.h"
#include "diagnose/diagnosis.h"
#include "events/clock.h"
#include "listeners/table.h"
#include "probes/source.h"

#include <map>

namespace acceptwatch {

/// Brings facts to the rules: from records, from looks at the queues, from /proc. What
/// follows from them become events.
class Verdicts {
public:
  Verdicts(const Options& options, Source& source, const ProcFs& procfs, ListenerTable& table,
           const Clock& clock);

  using Emit = std::function<void(const Event&)>;

  /// A record that was read, and its event.
  void note(const aw_event& record, const Event& event, const Emit& emit);
  /// A scan that began then (CLOCK_BOOTTIME) has shown the queues anew.
  void look(uint64_t scan_ns, const Emit& emit);
  /// Judges; call it again soon while there is trouble().
  void judge(const Emit& emit);

  /// Something is wrong, so that a look soon may change a verdict.
  [[nodiscard]] bool trouble() const { return diagnosis_.troubled() || !pressed_.empty(); }
  /// Waits are measured by looks at the queues.
  [[nodiscard]] bool measuring() const { return flows_.measuring(); }
  /// Something was found, and what else is wrong has had time to show.
  [[nodiscard]] bool settled() const;
  [[nodiscard]] bool has_found() const { return first_finding_ns_ != 0; }

  [[nodiscard]] std::vector<Event> findings() const;
  [[nodiscard]] std::vector<ListenerReport> listeners(std::span<const Counter> counters) const;
  /// What speaks against other causes, of the listener or port with the first finding.
  [[nodiscard]] std::vector<std::string> ruled_out() const;

private:
  struct Pressed {
    uint64_t begun_ns = 0;
    uint32_t accept_peak = 0; ///< as records and their depths showed it
    uint32_t syn_peak = 0;
    Event begin; ///< as it was told
  };
  /// Cookies that a namespace sent, and of which valid ones came back, since its boot.
  struct Cookies {
    uint64_t sent = 0;
    uint64_t returned = 0;
  };

  [[nodiscard]] bool place_wanted(uint32_t netns, uint16_t port) const;
  [[nodiscard]] bool listener_wanted(const Listener& listener) const;
  [[nodiscard]] Event event_about(const SubjectKey& key, aw_action action) const;
  [[nodiscard]] Event finding_event(const Diagnosis::Change& change) const;
  void look_at(const SubjectKey& key, const Look& look);
  void begin_pressure(const Event& event, uint64_t at_ns);
  void widen_pressure(const Event& event);
  void end_pressure(uint64_t listener, uint64_t at_ns, const Emit& emit);
  void forget_unseen_pressure(uint64_t now_ns);
  void tell_stalls(const Emit& emit);
  void complete(const SubjectKey& key, Facts& facts);
  void count_cookies(const SubjectKey& key, Facts& facts);
  [[nodiscard]] std::optional<Cookies> read_cookies(const Facts& facts) const;
  /// What a listener lost: packets dropped and resets sent; of these, for a full accept queue.
  struct Lost {
    uint64_t all = 0;
    uint64_t full = 0;
  };
  [[nodiscard]] ListenerReport report(const Listener& listener, const Lost& lost) const;

  const Options& options_;
  Source& source_;
  const ProcFs& procfs_;
  ListenerTable& table_;
  const Clock& clock_;
  Diagnosis diagnosis_;
  Flows flows_;
  std::map<uint64_t, Pressed> pressed_; ///< by aw_listener.id
  std::map<SubjectKey, Cookies> cookies_before_;
  /// By aw_listener.id: the longest that a head of its accept queue was seen to wait, seconds.
  std::map<uint64_t, double> oldest_;
  uint64_t first_finding_ns_ = 0;
};

} // namespace acceptwatch
