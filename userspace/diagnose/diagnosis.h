// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "diagnose/rules.h"

#include <compare>
#include <functional>
#include <map>

namespace acceptwatch {

/// What facts are about: a listener, or a place where none was found.
struct SubjectKey {
  uint64_t listener = 0; ///< aw_listener.id; 0: the place
  uint32_t netns = 0;
  uint16_t port = 0;
  auto operator<=>(const SubjectKey&) const = default;
};

[[nodiscard]] SubjectKey subject_of(const Event& event);

/// A listener's queues at one instant.
struct QueueState {
  uint64_t at_ns = 0; ///< CLOCK_BOOTTIME
  Queue accept;
  Queue syn;
  uint64_t head_us = 0;    ///< aw_listener.head_us: names the connection at the head
  double head_seconds = 0; ///< how long it has waited
};

/// Gathers facts of what is in trouble, and keeps the verdicts on them. What is well
/// takes no room: trouble begins with a loss, a warning, or a connection that waits for
/// long, and is forgotten when it is over.
class Diagnosis {
public:
  explicit Diagnosis(Thresholds thresholds) : thresholds_(thresholds) {}

  /// Something was lost, or is about to be. `at_ns` is CLOCK_BOOTTIME.
  void note(const Event& event, uint64_t at_ns);
  /// A listener whose trouble goes on is told to have accepted so many in all.
  void note_accepted(uint64_t listener, uint64_t total, uint64_t at_ns);
  void note_queues(const SubjectKey& key, const QueueState& state);
  void listener_opened(const SubjectKey& place, uint32_t pid, uint64_t at_ns);
  void listener_closed(uint64_t listener);

  /// Nothing was accepted for the time of Thresholds while some wait: told once, until
  /// something is accepted.
  struct Stall {
    SubjectKey key;
    double oldest_seconds = 0;
    double idle_seconds = 0;
  };
  [[nodiscard]] std::vector<Stall> take_stalls();

  /// A finding that became true, or ended, since the last call; or that goes on, once a minute and
  /// when it has grown tenfold.
  struct Change {
    SubjectKey key;
    Verdict verdict;
    Facts facts;
  };
  [[nodiscard]] std::vector<Change> judge(uint64_t now_ns);

  /// Whether a look at the queues soon may change a verdict.
  [[nodiscard]] bool troubled() const { return !subjects_.empty(); }
  /// For who knows more than records do: owners, settings, neighbours.
  void complete(const std::function<void(const SubjectKey&, Facts&)>& fill);
  [[nodiscard]] const Facts* facts_of(const SubjectKey& key) const;
  [[nodiscard]] const Thresholds& thresholds() const { return thresholds_; }

  /// Each finding that was ever true, as it was last; the oldest first.
  [[nodiscard]] const std::vector<Change>& history() const { return history_; }

  static constexpr size_t max_subjects = 1024;
  static constexpr size_t max_history = 256;

private:
  struct Active {
    Finding finding;
    uint64_t begun_ns = 0;
    size_t history = 0; ///< its place there; max_history: none
    uint64_t told_ns = 0;
    uint64_t told_size = 0; ///< size_of() the facts then
  };
  struct Subject {
    Facts facts;
    std::map<std::string_view, Active> active;
    std::vector<Address> clients;
    uint64_t head_us = 0;       ///< at the last look
    uint64_t idle_since_ns = 0; ///< since then no accept was seen, while some wait
    uint64_t looked_ns = 0;
    uint64_t begun_ns = 0;
    std::optional<uint64_t> accepted_first;
    uint64_t accepted_last = 0;
    bool stall_told = false;
  };

  [[nodiscard]] Subject* subject(const SubjectKey& key, uint64_t at_ns);
  void note_client(Subject& subject, const Event& event) const;
  void note_death(const Event& event, uint64_t at_ns);
  static void take(Subject& subject, const QueueState& state);
  void refresh(Subject& subject, uint64_t now_ns) const;
  [[nodiscard]] bool is_over(const Subject& subject) const;
  [[nodiscard]] static bool is_told_again(Active& active, const Facts& facts);
  void begin_or_renew(const SubjectKey& key, Subject& subject, Finding finding,
                      std::vector<Change>& changes);
  void end(const SubjectKey& key, Subject& subject, std::string_view name,
           std::vector<Change>& changes);
  void remember(const Active& active, const Change& change);

  Thresholds thresholds_;
  std::map<SubjectKey, Subject> subjects_;
  std::vector<Change> history_;
};

} // namespace acceptwatch
