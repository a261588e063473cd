// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "account/folds.h"
#include "account/totals.h"
#include "app/auditor.h"
#include "app/file_reserve.h"
#include "app/verdicts.h"
#include "cli/options.h"
#include "listeners/table.h"
#include "output/file.h"
#include "output/sink.h"
#include "probes/source.h"

#include <set>

namespace acceptwatch {

/// The data flow after the probes: records keep the table up to date, become
/// events, are given their owner, filtered, formatted and written.
class Stream {
public:
  Stream(const Options& options, Source& source, ReasonNames names, AuditScope audited,
         Formatter& formatter, OutputFile& output);

  /// Probes live, listeners known, `start` written.
  [[nodiscard]] Result<void> begin(Start start);
  /// Handles what waits and writes it.
  [[nodiscard]] Result<void> drain();
  /// Whether more is to be told soon, though nothing may wake: call drain() then.
  [[nodiscard]] bool busy() const {
    return folding_ || verdicts_.trouble() || verdicts_.measuring();
  }
  /// Says what was lost since the last time; call now and then.
  [[nodiscard]] Result<void> report_losses();
  /// Compares the kernel's counters with what was seen so far.
  [[nodiscard]] Audit audit();
  /// Stops the probes, writes what waits and `summary`.
  [[nodiscard]] Result<void> finish();

  /// Whether anything was found to be wrong.
  [[nodiscard]] bool has_found() const { return verdicts_.has_found(); }
  /// As many records as were asked for are written, or nobody reads them.
  [[nodiscard]] bool done() const;

private:
  void handle(const Record& record, uint64_t count);
  void handle_event(const aw_event& record, uint64_t count);
  void note_firewall(const aw_event& record, Event& event);
  void tell_folds();
  void emit(const Event& event);
  void mute(uint64_t id);
  void unmute_wanted();
  [[nodiscard]] Result<void> rescan();
  void judge();
  void find_holders(const aw_event& record);
  [[nodiscard]] std::vector<const Listener*> find_listeners(const aw_event& record,
                                                            Event& event) const;
  [[nodiscard]] bool is_wanted(const std::vector<const Listener*>& listeners) const;
  void find_former_listener(const aw_event& record, Event& event) const;
  [[nodiscard]] Result<void> write();
  void append_loss(const char* where, uint64_t now, uint64_t& before);
  [[nodiscard]] std::vector<Counter> wanted_counters() const;
  [[nodiscard]] std::vector<Total> totals() const;
  void compare_counters();
  [[nodiscard]] Audit audit_result() const;

  const Options& options_;
  Source& source_;
  ReasonNames names_;
  Formatter& formatter_;
  OutputFile& output_;
  const ProcFs procfs_;
  FileReserve reserve_{procfs_};
  ListenerTable table_{procfs_,
                       [this](const std::vector<uint32_t>& pids) { return source_.stacks(pids); }};
  Auditor auditor_;
  Clock clock_;
  Verdicts verdicts_;
  Folds folds_;
  FoundCounts found_;        ///< under a filter by owner
  std::set<uint64_t> muted_; ///< listeners of which the kernel says nothing for now
  Losses told_;              ///< losses that were reported
  std::string buffer_;
  uint64_t begun_ns_ = 0;
  uint64_t next_scan_ns_ = 0;  ///< not before that
  uint64_t next_look_ns_ = 0;  ///< the same of a scan that nobody asked for
  uint64_t next_judge_ns_ = 0; ///< not before that
  uint64_t next_audit_ns_ = 0; ///< not before that
  uint64_t next_folds_ns_ = 0; ///< not before that
  bool folding_ = false;
  uint64_t chains_until_ns_ = 0; ///< 0: they are not watched
  uint64_t records_ = 0;
};

} // namespace acceptwatch
