// SPDX-License-Identifier: Apache-2.0
// What a plan is left with where the kernel refuses some of its programs.
#include "kernel/plan_parts.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace acceptwatch {
namespace {

/// A program, and an event, or a field of events, that only it shows.
struct Shows {
  std::string_view program;
  aw_action action = AW_ACTION_NONE;
  aw_reason reason = AW_REASON_NONE;
  aw_stage stage = AW_STAGE_NONE;
  const char* field = "";
};

constexpr std::array shows{
    Shows{"conn_request", AW_LISTEN_DROP, AW_REASON_NONE, AW_STAGE_SYN},
    Shows{"conn_request", AW_SYNCOOKIE_SENT},
    Shows{"conn_request", AW_QUEUE_PRESSURE},
    Shows{"v4_cookie_made", AW_SYNCOOKIE_SENT},
    Shows{"v6_cookie_made", AW_SYNCOOKIE_SENT},
    Shows{"security_asked", AW_LISTEN_DROP, AW_MEMORY, AW_STAGE_SYN},
    Shows{"security_asked", AW_LISTEN_DROP, AW_SECURITY_MODULE, AW_STAGE_SYN},
    Shows{"ingress", AW_LISTEN_DROP, AW_ACCEPT_QUEUE_FULL, AW_STAGE_SYN},
    Shows{"ingress", AW_LISTEN_DROP, AW_SYN_QUEUE_FULL, AW_STAGE_SYN},
    Shows{"ingress", AW_LISTEN_DROP, AW_SYN_BACKLOG_RESERVED, AW_STAGE_SYN},
    Shows{"ingress", AW_SYNCOOKIE_SENT},
    Shows{"ingress", AW_QUEUE_PRESSURE},
    Shows{"v4_syn_recv_sock_return", AW_LISTEN_DROP, AW_REASON_NONE, AW_STAGE_ACK},
    Shows{"v4_syn_recv_sock_return", AW_LISTEN_DROP, AW_REASON_NONE, AW_STAGE_COOKIE},
    Shows{"v6_syn_recv_sock_return", AW_LISTEN_DROP, AW_REASON_NONE, AW_STAGE_ACK},
    Shows{"v6_syn_recv_sock_return", AW_LISTEN_DROP, AW_REASON_NONE, AW_STAGE_COOKIE},
    Shows{"child_discarded", AW_LISTEN_DROP, AW_REQUEST_FAILED, AW_STAGE_ACK},
    Shows{"icmp_error", AW_LISTEN_DROP, AW_REQUEST_FAILED, AW_STAGE_ACK},
    Shows{"request_timer_end", AW_HANDSHAKE_EXPIRED},
    Shows{"request_expired", AW_HANDSHAKE_EXPIRED},
    Shows{"request_dropped", AW_RESET_RECEIVED, AW_IN_HANDSHAKE},
    Shows{"request_orphaned", AW_RESET_SENT, AW_CLOSED_LISTENER, AW_STAGE_ACK},
    Shows{"v4_send_reset", AW_RESET_SENT, AW_NO_LISTENER},
    Shows{"v6_send_reset", AW_RESET_SENT, AW_NO_LISTENER},
    Shows{"netfilter_answer", AW_RESET_SENT, AW_FIREWALL},
    Shows{"skb_drop", AW_LISTEN_DROP, AW_SECURITY_MODULE, AW_STAGE_ACK},
    Shows{"skb_drop", AW_LISTEN_DROP, AW_OTHER},
    Shows{"skb_drop_reason", AW_LISTEN_DROP, AW_OTHER},
    Shows{"retransmit_synack", AW_SYNACK_RETRANSMIT},
    Shows{"send_reset", AW_RESET_SENT},
    Shows{"send_reset", AW_LISTEN_DROP, AW_COOKIE_INVALID},
    Shows{"receive_reset", AW_RESET_RECEIVED, AW_WHEN_QUEUED},
    Shows{"receive_reset", AW_RESET_RECEIVED, AW_WHEN_ACCEPTED},
    Shows{"set_state_at_last", AW_LISTENER_OPENED},
    Shows{"set_state_at_last", AW_LISTENER_CLOSED},
    Shows{"set_state_at_last", AW_RESET_SENT, AW_CLOSED_LISTENER},
    Shows{"set_state_at_last", AW_RESET_SENT, AW_OTHER, AW_STAGE_QUEUED},
    Shows{"listen_started_at_last", AW_LISTENER_OPENED},
    Shows{"listen_started", AW_LISTENER_OPENED},
    Shows{"listen_stopped_at_last", AW_LISTENER_CLOSED},
    Shows{"listen_stopped_at_last", AW_RESET_SENT, AW_CLOSED_LISTENER},
    Shows{"listen_stopped_at_last", AW_RESET_SENT, AW_OTHER, AW_STAGE_QUEUED},
    Shows{"listen_stopped", AW_LISTENER_CLOSED},
    Shows{"listen_stopped", AW_RESET_SENT, AW_CLOSED_LISTENER},
    Shows{"listen_stopped", AW_RESET_SENT, AW_OTHER, AW_STAGE_QUEUED},
    Shows{"after_accept", AW_CLOSED_AFTER_ACCEPT},
    Shows{"listen_called", AW_LISTENER_OPENED, AW_REASON_NONE, AW_STAGE_NONE,
          "acceptwatch.backlog"},
};

/// Where the tracepoint of dropped packets names the listener, it stands in for functions:
/// read_dropped_acks().
constexpr std::array shown_by_named_drops{
    Shows{"skb_drop", AW_LISTEN_DROP, AW_ACCEPT_QUEUE_FULL, AW_STAGE_ACK},
    Shows{"skb_drop", AW_LISTEN_DROP, AW_ACCEPT_QUEUE_FULL, AW_STAGE_COOKIE},
    Shows{"skb_drop", AW_LISTEN_DROP, AW_REQUEST_FAILED, AW_STAGE_ACK},
    Shows{"skb_drop", AW_RESET_RECEIVED, AW_IN_HANDSHAKE},
};

/// Where one of these is missing, owners are found by looks alone: late, or not.
constexpr std::array name_owners{"process_fork",  "process_exec",      "process_rename",
                                 "process_exit",  "set_state_at_last", "listen_started_at_last",
                                 "listen_started"};

/// Programs that say nothing without each other: the first one is what they show.
using Group = std::array<std::string_view, 6>;
constexpr std::array together{
    Group{"conn_request", "conn_request_return", "make_synack", "v4_cookie_made", "v6_cookie_made",
          "security_asked"},
    Group{"ingress", "syn_consumed", "syn_refused"},
    Group{"request_timer_end", "request_timeout"},
    Group{"listen_started", "listen_start"},
    Group{"v4_syn_recv_sock_return", "v4_syn_recv_sock"},
    Group{"v6_syn_recv_sock_return", "v6_syn_recv_sock"},
    Group{"accept_left", "accept_entered"},
    Group{"icmp_error", "request_dropped"}, // which takes all for resets that are not of ICMP
};
/// Of which not all are needed by the others.
constexpr std::array dispensable{"v4_cookie_made", "v6_cookie_made", "security_asked",
                                 "request_dropped"};

/// Attached more than once: each does what those before it were kept from (lifecycle.bpf.h).
constexpr std::array repeated{
    Group{"set_state_at_last", "set_state", "set_state_again"},
    Group{"listen_started_at_last", "listen_started", "listen_started_again"},
    Group{"listen_stopped_at_last", "listen_stopped", "listen_stopped_again"},
};

bool contains(const auto& list, std::string_view program) {
  return !program.empty() && std::ranges::find(list, program) != list.end();
}

bool is_planned(const Plan& plan, std::string_view program) {
  return contains(plan.programs, program);
}

/// The programs of the plan that are refused, and those that are of no use without them.
class Missing {
public:
  Missing(const Plan& plan, const Refusals& refusals) : plan_(plan) {
    for (const auto& [program, error] : refusals) {
      if (is_planned(plan, program))
        errors_.emplace(program, error);
    }
    for (const Group& group : together)
      add_companions(group);
    for (const Group& group : repeated)
      forgive(group);
  }

  [[nodiscard]] const std::map<std::string, int, std::less<>>& errors() const { return errors_; }
  [[nodiscard]] std::optional<int> error_of(std::string_view program) const {
    const auto found = errors_.find(program);
    return found == errors_.end() ? std::nullopt : std::optional{found->second};
  }
  /// As they were refused, those that are forgiven included.
  [[nodiscard]] bool is_refused(const Refusals& refusals, std::string_view program) const {
    return refusals.contains(program) || errors_.contains(program);
  }

private:
  void add_companions(const Group& group) {
    const auto refused = std::ranges::find_if(group, [this](std::string_view program) {
      return !contains(dispensable, program) && errors_.contains(program);
    });
    if (refused == group.end())
      return;
    const int error = errors_.find(*refused)->second;
    for (const auto program : group) {
      if (is_planned(plan_, program))
        errors_.emplace(program, error);
    }
  }
  /// One that is left does the work of all.
  void forgive(const Group& group) {
    const bool one_is_left = std::ranges::any_of(group, [this](std::string_view program) {
      return is_planned(plan_, program) && !errors_.contains(program);
    });
    if (!one_is_left)
      return;
    for (const auto program : group) {
      if (const auto found = errors_.find(program); found != errors_.end())
        errors_.erase(found);
    }
  }

  const Plan& plan_;
  std::map<std::string, int, std::less<>> errors_;
};

std::string why(std::string_view program, int error) {
  return fmt::format("the kernel refuses to attach the program {}: {}", program,
                     describe_errno(error));
}

bool is_known(const Plan& plan, const BlindSpot& spot) {
  return std::ranges::any_of(plan.blind, [&](const BlindSpot& known) {
    return known.action == spot.action &&
           (known.reason == AW_REASON_NONE || known.reason == spot.reason) &&
           (known.stage == AW_STAGE_NONE || known.stage == spot.stage) &&
           (known.field.empty() || known.field == spot.field);
  });
}

void add_once(Plan& plan, BlindSpot spot) {
  if (!is_known(plan, spot))
    plan.blind.push_back(std::move(spot));
}

constexpr const char* remedy = "acceptwatch -vv says more; `bpftool link` shows who is attached.";

void note_what_is_missing(std::span<const Shows> table, const Missing& missing, Plan& plan) {
  for (const Shows& one : table) {
    if (const auto error = missing.error_of(one.program))
      add_once(plan,
               {one.action, one.reason, one.stage, one.field, why(one.program, *error), remedy});
  }
}

/// Whatever refuses packets elsewhere than at the listener shows in skb:kfree_skb alone.
void note_missing_refusals(const Missing& missing, Plan& plan) {
  for (const char* program : {"skb_drop", "skb_drop_reason"}) {
    const auto error = missing.error_of(program);
    if (!error)
      continue;
    for (const aw_reason reason : refusals_by_drop_reason)
      add_once(plan, {AW_LISTEN_DROP, reason, AW_STAGE_NONE, {}, why(program, *error), remedy});
  }
}

void note_late_owners(const Missing& missing, Plan& plan) {
  for (const std::string_view program : name_owners) {
    const auto error = missing.error_of(program);
    if (!error)
      continue;
    for (int action = AW_LISTEN_DROP; action < AW_NR_ACTIONS; ++action) {
      if (!may_be_told(plan, action))
        continue;
      for (const char* field : {"process.pid", "process.name", "acceptwatch.owners"})
        add_once(plan, {static_cast<aw_action>(action), AW_REASON_NONE, AW_STAGE_NONE, field,
                        why(program, *error), remedy});
    }
  }
}

} // namespace

void leave_out_refused(const Features& features, Plan& plan) {
  const Missing missing{plan, features.refused};
  note_what_is_missing(shows, missing, plan);
  note_missing_refusals(missing, plan);
  if (plan.config.kfree_skb_args >= 4 &&
      (plan.tier == AW_SOURCE_TRACEPOINT || drops_tell_all(features, plan)))
    note_what_is_missing(shown_by_named_drops, missing, plan);
  if (plan.tier == AW_SOURCE_TRACEPOINT && missing.error_of("skb_drop_reason"))
    see_nothing_of(plan, AW_RESET_SENT, AW_NO_LISTENER, AW_STAGE_NONE,
                   why("skb_drop_reason", *missing.error_of("skb_drop_reason")), remedy);
  note_late_owners(missing, plan);
  if (missing.error_of("security_asked"))
    plan.config.sees_security_module = 0;
  if (missing.error_of("request_dropped"))
    plan.config.sees_dropped_requests = 0;
  if (missing.error_of("accepted")) {
    plan.config.accept_args = 0;
    for (const char* program : {"accept_entered", "accept_left"})
      std::erase(plan.programs, program);
  }
  for (const char* program : {"set_state_at_last", "listen_stopped_at_last", "listen_stopped"}) {
    if (missing.error_of(program))
      plan.config.misses_closes = 1;
  }
  std::erase_if(plan.programs, [&](const std::string& program) {
    return missing.is_refused(features.refused, program);
  });
}

} // namespace acceptwatch
