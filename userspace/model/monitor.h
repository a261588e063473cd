// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "model/auditor.h"
#include "model/brief_listeners.h"
#include "model/event_sink.h"
#include "model/reports.h"
#include "model/sampler.h"
#include "model/summed_up.h"
#include "model/totals.h"

#include <set>

namespace acceptwatch {

/// Everything that is known of a run, and the only place that knows it. Records and the time are
/// handed in; what records cannot say is asked of the host; what follows is told to a sink, and
/// can be asked at any time: snapshot(). No file, no clock and no option is read here, so that a
/// test or a tape can play any run.
///
/// The host is asked at once, inside of a call, since a record has to name its owner as it is when
/// the record is read, and since a look at thousands of listeners must not be kept in memory.
class Monitor {
public:
  Monitor(Scope scope, ReasonNames names, const Host& host, KernelControl& control,
          EventSink& sink);
  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;

  /// `activate` lets the records flow, and says when that was. Then listeners that are there are
  /// looked for: one that is opened meanwhile is in that look, in the records, or in both.
  [[nodiscard]] Result<void> begin(const std::function<Result<Instant>()>& activate);

  /// A record, and how many occurrences it stands for.
  void apply(const Record& record, uint64_t count, const Instant& now);
  /// Does what is due: sums, looks, verdicts, losses, the comparison with the kernel's counters.
  void tick(const Instant& now);
  /// `deactivate` stops the records; those that wait may still be applied until finish().
  void stop(const std::function<void()>& deactivate, const Instant& now);
  /// How things are at the end: nothing is applied after this.
  void finish(const Instant& now);
  /// Compares the kernel's counters with what was seen so far, though it is not due.
  void audit(const Instant& now);

  /// tick() is wanted after a tenth of a second, else after a second.
  [[nodiscard]] bool is_busy() const {
    return summing_up_ || incidents_.trouble() || flows_.measuring();
  }
  /// As many events were told as somebody wanted.
  [[nodiscard]] bool has_told_all() const {
    return scope_.most_events && told_ >= *scope_.most_events;
  }
  /// Something was found, and what else is wrong has had time to show.
  [[nodiscard]] bool is_settled(const Instant& now) const { return incidents_.is_settled(now); }

  /// Whether a listener is open that somebody wants to hear of.
  [[nodiscard]] bool has_wanted_listener() const;

  /// The whole state, as of the last call of the others. Totals and times of accept() are as they
  /// were last read: by finish(), audit() or a tick() that had a reason.
  [[nodiscard]] Snapshot snapshot() const;

private:
  void handle(const aw_event& record, uint64_t count);
  void follow(const aw_event& record, Event& event);
  void find_holders(const aw_event& record);
  [[nodiscard]] std::vector<const Listener*> listeners_of(const Event& event) const;
  void name_place(const aw_event& record, const std::vector<const Listener*>& there,
                  Event& event) const;
  [[nodiscard]] bool is_in_place(const Event& event) const;
  void name_former(const aw_event& record, Event& event) const;
  [[nodiscard]] bool is_wanted(const std::vector<const Listener*>& listeners) const;
  void note_firewall(const aw_event& record, Event& event);
  void tell_life(const Event& event, uint64_t at_ns);
  void tell(const Event& event);
  void hand_over(const Event& event);
  void mute(uint64_t id);
  void unmute_wanted();
  /// Absent: all is well.
  std::optional<Error> look();
  static constexpr uint64_t told_audit_pause_ns = 60'000'000'000;
  void tell_summed_up();
  void look_and_judge();
  void reclaim_counters();
  void tell_losses();
  void tell_loss(const char* where, uint64_t count, uint64_t& told);
  void tell_sample();
  [[nodiscard]] uint64_t sample_pause_ns() const { return nanoseconds(scope_.sample_seconds); }
  void tell_audit();
  [[nodiscard]] Audit audit_so_far() const;
  void compare_counters(const std::function<void()>& at_the_instant = {});
  void schedule_audit(uint64_t took_ns);
  void read_waits();
  [[nodiscard]] std::vector<Counter> wanted_counters() const;
  [[nodiscard]] std::vector<Total> totals(std::span<const Counter> counters) const;
  void note_seen(const Event& event);
  [[nodiscard]] std::vector<Total> seen_totals() const;
  void keep_counting_arrivals();
  [[nodiscard]] std::optional<uint64_t> arrived() const;
  [[nodiscard]] CauseFacts cause_facts() const;
  [[nodiscard]] std::optional<Owner> explained_owner() const;

  const Scope scope_;
  const ReasonNames names_;
  const Host& host_;
  KernelControl& control_;
  EventSink& sink_;
  Instant now_; ///< of the call that goes on
  ListenerTable table_{host_};
  Auditor auditor_;
  Flows flows_;
  Incidents incidents_;
  Sampler sampler_;
  SummedUp summed_up_;
  BriefListeners brief_;
  FoundCounts found_;             ///< under a filter by owner
  SeenEvents seen_;               ///< of what somebody wants to hear of
  std::vector<Counter> counters_; ///< as they were last read
  WaitsByListener waits_;         ///< as they were last read
  Losses losses_;                 ///< as they were last read
  Losses told_losses_;
  std::set<uint32_t> gone_told_;          ///< namespaces of the audit
  std::set<uint64_t> muted_;              ///< listeners of which the kernel says nothing for now
  std::vector<Translation> translations_; ///< to the place that is explained, as last read
  uint64_t translations_ns_ = 0;
  uint64_t begun_ns_ = 0;
  uint64_t next_search_ns_ = 0; ///< no look for a holder before that
  uint64_t look_took_ns_ = 0;   ///< the last one
  uint64_t next_look_ns_ = 0;   ///< nor one that nobody asked for
  uint64_t next_judge_ns_ = 0;
  uint64_t next_losses_ns_ = 0;
  uint64_t next_audit_ns_ = 0;
  uint64_t next_told_audit_ns_ = 0;
  uint64_t next_sample_ns_ = 0;
  uint64_t next_sums_ns_ = 0;
  uint64_t next_reclaim_ns_ = 0;
  uint64_t last_closed_ns_ = 0;  ///< when the last listener was, as it was read
  uint64_t chains_until_ns_ = 0; ///< 0: they are not watched
  bool summing_up_ = false;
  bool stopped_ = false;
  uint64_t told_ = 0; ///< events
};

} // namespace acceptwatch
