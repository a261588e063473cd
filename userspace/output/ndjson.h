// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "output/formatter.h"
#include "output/json_writer.h"
#include "output/owner_state_json.h"

#include <span>

namespace acceptwatch {

/// One JSON object a line, keys in the order of the interface contract; a key is absent where its
/// value is not known, and has the same type in every record. What would make a line longer than
/// max_line is a record of its own, or is left out.
class NdjsonFormatter final : public Formatter {
public:
  /// Names the host of all records, and comes before them. A file that is opened anew begins with
  /// it, too.
  void format(const Start& start, std::string& out) override;
  void format(const Event& event, std::string& out) override;
  void format(const Lost& lost, std::string& out) override;
  void format(const Sample& sample, std::string& out) override;
  void format(const Audit& audit, std::string& out) override;
  /// Totals, listeners and the audit, a record each, and then the summary.
  void format(const Snapshot& summary, std::string& out) override;

private:
  void write(const Start& start, size_t longest_why, std::string& out);
  void write(const Event& event, const StateRoom& room, std::string& out) const;
  void write_event_object(JsonWriter& json, const Event& event) const;
  void write_head(JsonWriter& json, Timestamp time, std::string_view action,
                  std::string_view boot_id = {});
  void write_total(const Total& total, Timestamp time, std::string& out);
  void write_listener(const ListenerReport& report, Timestamp time, std::string& out);
  void write_namespace(const AuditedNamespace& audited, Timestamp time, std::string& out);
  void write_counters(const AuditedNamespace& audited, std::span<const AuditedCounter> counters,
                      Timestamp time, std::string& out);
  void write_audit(const Audit& audit, Timestamp time, std::string& out);
  void write_rest_of_audit(const Audit& audit, size_t left_out, Timestamp time, std::string& out);
  void write_summary(const Snapshot& summary, std::string& out);

  std::string host_;
  uint64_t sequence_ = 0; ///< of the next record
};

} // namespace acceptwatch
