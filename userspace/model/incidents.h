// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "diagnose/diagnosis.h"
#include "host/host.h"
#include "model/auditor.h"
#include "model/flows.h"
#include "model/pressure.h"
#include "model/scope.h"
#include "model/table.h"

#include <map>

namespace acceptwatch {

/// Brings facts to the rules: from records, from looks at the queues, from the host. What
/// follows from them become events.
class Incidents {
public:
  using Tell = std::function<void(const Event&)>;

  Incidents(const Scope& scope, const Host& host, KernelControl& control, ListenerTable& table,
            const Auditor& auditor, const Flows& flows);

  /// A record that was read, and its event.
  void note(const aw_event& record, const Event& event, const Instant& now, const Tell& tell);
  /// A look at all listeners has shown the queues anew.
  void take_look(const Instant& now, const Tell& tell);
  /// Judges; call it again soon while there is trouble().
  void judge(const Instant& now, const Tell& tell);

  /// Something is wrong, so that a look soon may change a verdict.
  [[nodiscard]] bool trouble() const { return diagnosis_.troubled() || pressure_.is_there(); }
  /// Something was found, and what else is wrong has had time to show.
  [[nodiscard]] bool is_settled(const Instant& now) const;
  [[nodiscard]] bool has_found() const { return first_finding_ns_ != 0; }

  /// Each finding that was ever true, as it was last; the oldest first.
  [[nodiscard]] std::vector<Event> findings(const Instant& now) const;
  /// The names of these.
  [[nodiscard]] std::vector<std::string_view> finding_names() const;
  /// The longest that a head of the listener's accept queue was seen to wait, seconds.
  [[nodiscard]] std::optional<double> oldest_seconds(uint64_t listener) const;

private:
  [[nodiscard]] Event event_about(const SubjectKey& key, aw_action action,
                                  const Instant& now) const;
  [[nodiscard]] Event finding_event(const Diagnosis::Change& change, const Instant& now) const;
  void note_queues(const SubjectKey& key, const QueueState& state);
  void tell_stalls(const Instant& now, const Tell& tell);
  void complete(const SubjectKey& key, Facts& facts, const Instant& now);
  void note_former(const SubjectKey& key, Facts& facts) const;
  void note_deaths(const SubjectKey& key, Facts& facts, const Instant& now) const;
  void note_holders(const Listener& listener, Facts& facts) const;
  void note_elsewhere(const SubjectKey& key, Facts& facts) const;
  [[nodiscard]] bool takes_the_refused(const SubjectKey& key) const;
  void count_cookies(uint32_t netns, Facts& facts) const;
  void note_conntrack(uint32_t netns, Facts& facts) const;

  const Scope& scope_;
  const Host& host_;
  ListenerTable& table_;
  const Auditor& auditor_;
  const Flows& flows_;
  Diagnosis diagnosis_;
  PressureWarnings pressure_;
  std::map<uint64_t, double> oldest_; ///< by aw_listener.id: see oldest_seconds()
  uint64_t first_finding_ns_ = 0;
  uint64_t last_change_ns_ = 0; ///< a finding began or ended
};

} // namespace acceptwatch
