// SPDX-License-Identifier: Apache-2.0
#include "kernel/plan_parts.h"

#include "events/names.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace acceptwatch {
namespace {

constexpr std::array tracepoint_programs{"retransmit_synack", "send_reset",   "receive_reset",
                                         "process_fork",      "process_exec", "process_rename",
                                         "process_exit"};

void add_tracepoint_programs(const Features& features, Plan& plan) {
  // Each fires five times a connection: lifecycle.bpf.h.
  if (features.preemptible_tracepoints)
    add(plan, {"set_state", "set_state_again"});
  add(plan, {"set_state_at_last"});
  add_packet_hook(features, plan);
  add_dropped_acks(features, plan);
  see_nothing_of(plan, AW_LISTEN_DROP, AW_REQUEST_FAILED, AW_STAGE_ACK,
                 drops_tell_all(features, plan)
                     ? "an ICMP error that ends a handshake shows at no tracepoint"
                     : "a handshake that makes no socket shows at no tracepoint",
                 better_tier);
  see_nothing_of(plan, AW_HANDSHAKE_EXPIRED, AW_REASON_NONE, AW_STAGE_NONE,
                 "no tracepoint is in the request's timer", better_tier);
  see_nothing_of(plan, AW_RESET_SENT, AW_CLOSED_LISTENER, AW_STAGE_ACK,
                 "no tracepoint tells such a packet from one of a connection that is over",
                 better_tier);
  see_nothing_of(plan, AW_RESET_SENT, AW_FIREWALL, AW_STAGE_NONE,
                 "no tracepoint is where netfilter sends it; the packet that it drops is seen",
                 better_tier);
}

void hide_how_listeners_end(Plan& plan, const std::string& why, const std::string& remedy) {
  for (const char* field : {"event.reason", "acceptwatch.closed_by"})
    plan.blind.push_back({AW_LISTENER_CLOSED, AW_REASON_NONE, AW_STAGE_NONE, field, why, remedy});
}

/// Where the headers of packets cannot be read, records lack these fields. They still name the
/// listener.
void note_unreadable_packets(const Features& features, Plan& plan) {
  const auto hide = [&](aw_action action, aw_reason reason, aw_stage stage,
                        std::initializer_list<const char*> fields) {
    for (const char* field : fields)
      plan.blind.push_back({action, reason, stage, field, unreadable_packets, {}});
  };
  const auto hide_ends = [&](aw_action action, aw_reason reason, aw_stage stage) {
    hide(action, reason, stage,
         {"client.address", "client.port", "server.address", "network.type"});
  };
  if (plan.tier != AW_SOURCE_TRACEPOINT) { // the tracepoint tier sees SYNs in the cgroup hook
    hide_ends(AW_LISTEN_DROP, AW_REASON_NONE, AW_STAGE_SYN);
    hide_ends(AW_SYNCOOKIE_SENT, AW_REASON_NONE, AW_STAGE_NONE);
  }
  hide_ends(AW_LISTEN_DROP, AW_COOKIE_INVALID, AW_STAGE_NONE);
  for (const aw_reason reason : {AW_ABORT_ON_OVERFLOW, AW_HANDSHAKE_INVALID, AW_NO_LISTENER})
    hide_ends(AW_RESET_SENT, reason, AW_STAGE_NONE);
  hide(AW_RESET_SENT, AW_NO_LISTENER, AW_STAGE_NONE, {"server.port", "server.nat"});
  hide_ends(AW_RESET_SENT, AW_CLOSED_LISTENER, AW_STAGE_ACK);
  hide(AW_RESET_SENT, AW_CLOSED_LISTENER, AW_STAGE_ACK, {"server.port"});
  hide_ends(AW_RESET_SENT, AW_OTHER, AW_STAGE_SYN);
  hide(AW_RESET_SENT, AW_OTHER, AW_STAGE_SYN, {"server.port", "process", "acceptwatch.owners"});
  // See request_acked() in bpf/.
  for (const aw_action action : {AW_SYNACK_RETRANSMIT, AW_HANDSHAKE_EXPIRED})
    plan.blind.push_back({action,
                          AW_ACK_DROPPED,
                          AW_STAGE_NONE,
                          "event.reason",
                          "of MPTCP it reads no_ack (6.2 has a typed way)",
                          {}});
  // The name of a new process is read from /proc instead, a little later: it may have exited.
  for (int action = AW_LISTEN_DROP; action < AW_NR_ACTIONS; ++action) {
    if (may_be_told(plan, action))
      hide(static_cast<aw_action>(action), AW_REASON_NONE, AW_STAGE_NONE, {"process.name"});
  }
  if (features.current_task_btf)
    return;
  hide_how_listeners_end(plan, "the thread that ends it cannot be read", {});
  if (plan.config.after_accept)
    see_nothing_of(plan, AW_CLOSED_AFTER_ACCEPT, AW_PROCESS_FAILED, AW_STAGE_NONE,
                   "the thread that ends cannot be read", {});
}

aw_packet_access packet_access(const Features& features) {
  // bpf_rdonly_cast() is cheaper, no call is made. libbpf finds it in the kernel's own BTF only.
  if (features.rdonly_cast && features.btf == BtfSource::kernel)
    return AW_PACKETS_CAST;
  return features.probe_read.ok ? AW_PACKETS_PROBE_READ : AW_PACKETS_UNREADABLE;
}

/// Whether a typed program can be loaded that gives new listeners their socket cookie. In the
/// kprobe tier, whose programs are untyped, it is an additional one at listen().
bool makes_cookies(const Features& features, aw_source tier) {
  return tier == AW_SOURCE_KPROBE ? features.fentry.ok : features.tp_btf.ok;
}

void fill_config(const Features& features, Plan& plan) {
  aw_config& config = plan.config;
  const auto count = [&](const char* name) {
    return static_cast<__u8>(features.arguments_of(name).value_or(0));
  };
  config.source = static_cast<__u8>(plan.tier);
  config.packet_access = static_cast<__u8>(packet_access(features));
  config.syn_full_at_limit = features.syn_full_at_limit.value_or(false);
  config.can_make_cookies = features.socket_cookie && makes_cookies(features, plan.tier);
  config.send_reset_args = count("tp:tcp_send_reset");
  config.kfree_skb_args = count("tp:kfree_skb");
  config.hz = features.hz;
  const bool finds_counters =
      features.listen_drops && features.no_routes && features.syn_floods && features.this_cpu_off;
  config.counter_access = finds_counters ? config.packet_access : __u8{AW_PACKETS_UNREADABLE};
  config.listen_drops = static_cast<__u16>(features.listen_drops.value_or(0));
  config.no_routes = static_cast<__u16>(features.no_routes.value_or(0));
  config.syn_floods = static_cast<__u16>(features.syn_floods.value_or(0));
  config.actions = ~0U;
}

void note_missing_cookies(const Features& features, Plan& plan) {
  plan.give_cookies = plan.tier == AW_SOURCE_KPROBE && plan.config.can_make_cookies;
  if (plan.config.can_make_cookies)
    return;
  const char* why = features.socket_cookie
                        ? "typed programs, which could make socket cookies, are refused here"
                        : "before 5.12 a tracing program cannot make a socket's cookie";
  for (int action = AW_LISTEN_DROP; action < AW_NR_ACTIONS; ++action) {
    if (may_be_told(plan, action))
      plan.blind.push_back({static_cast<aw_action>(action), AW_REASON_NONE, AW_STAGE_NONE,
                            "acceptwatch.socket", why, "`ss -e` makes them, once."});
  }
}

/// Typed programs cannot tell which file is a socket before 5.11.
void choose_iterator(const Features& features, Plan& plan) {
  plan.seed_by_probe_reads = !features.sock_from_file;
  plan.seed_by_iterator =
      features.iterator.ok && (features.sock_from_file || features.probe_read.ok);
}

void see_no_stacks(Plan& plan, const std::string& why, const std::string& remedy) {
  constexpr const char* field = "acceptwatch.owner_state.stacks";
  plan.blind.push_back({AW_LISTEN_DROP, AW_ACCEPT_QUEUE_FULL, AW_STAGE_NONE, field, why, remedy});
  plan.blind.push_back({AW_ACCEPT_STALLED, AW_REASON_NONE, AW_STAGE_NONE, field, why, remedy});
}

void choose_stacks(const Features& features, Plan& plan) {
  plan.show_stacks = features.task_stack.ok;
  if (!plan.show_stacks)
    see_no_stacks(plan,
                  features.task_stack.error
                      ? refused("loading a task iterator that takes stacks", features.task_stack)
                      : "typed programs, of which a task iterator is one, are not to be had here",
                  {});
}

/// Why chains of nf_tables cannot be watched; null: they can.
const char* unwatchable_chains(const Features& features, const Plan& plan) {
  if (plan.tier == AW_SOURCE_TRACEPOINT || !features.fentry.ok)
    return "no tracepoint shows the chains of nf_tables";
  if (!features.netfilter || plan.seed_by_probe_reads)
    return "nf_tables is not loaded, or its types are not known (5.11)";
  if (!features.probe_read.ok)
    return "lockdown=confidentiality forbids reading the names of chains";
  if (features.netfilter->is_module && !features.cap_sys_admin)
    return "a module's types are for CAP_SYS_ADMIN to look up";
  return nullptr;
}

void choose_chains(const Features& features, Plan& plan) {
  const char* why = unwatchable_chains(features, plan);
  if (!why) {
    plan.netfilter = features.netfilter;
    plan.config.nft = plan.netfilter->offsets;
    return;
  }
  for (const aw_action action : {AW_LISTEN_DROP, AW_RESET_SENT}) {
    const bool unseen = std::ranges::any_of(plan.blind, [&](const BlindSpot& spot) {
      return spot.action == action && spot.reason == AW_FIREWALL && spot.stage == AW_STAGE_NONE;
    });
    if (unseen)
      continue;
    for (const char* field : {"acceptwatch.netfilter.table", "acceptwatch.netfilter.chain"})
      plan.blind.push_back({action, AW_FIREWALL, AW_STAGE_NONE, field, why,
                            "nft list ruleset: counters of rules move."});
  }
}

void note_driver_xdp(const DriverXdp& xdp, Plan& plan) {
  const bool sees_none = std::ranges::any_of(plan.blind, [](const BlindSpot& spot) {
    return spot.action == AW_LISTEN_DROP && spot.reason == AW_XDP && spot.stage == AW_STAGE_NONE;
  });
  if (sees_none)
    return;
  constexpr const char* remedy = "`bpftool net` shows them; what they drop, their own maps count.";
  if (!xdp.devices.empty())
    see_nothing_of(plan, AW_LISTEN_DROP, AW_XDP, AW_STAGE_SYN,
                   fmt::format("an XDP program in the driver of {} may drop packets, which shows "
                               "nowhere",
                               fmt::join(xdp.devices, ", ")),
                   remedy);
  else if (xdp.elsewhere || !xdp.elsewhere_known)
    see_nothing_of(plan, AW_LISTEN_DROP, AW_XDP, AW_STAGE_SYN,
                   fmt::format("{}an XDP program may run in a driver of another network namespace, "
                               "and what it drops shows nowhere",
                               xdp.elsewhere ? "" : "without CAP_SYS_ADMIN nobody knows of it: "),
                   remedy);
}

/// Each connection passes it several times, so it is attached for who asks for it alone.
void add_after_accept(const Features& features, Plan& plan) {
  if (!plan.config.after_accept)
    return;
  if (!features.arguments_of("tp:inet_sock_set_state"))
    return see_nothing_of(plan, AW_CLOSED_AFTER_ACCEPT, AW_REASON_NONE, AW_STAGE_NONE,
                          "this kernel has no tracepoint at changes of a socket's state", {});
  add(plan, {"after_accept"});
}

/// Where accept() is not seen.
void note_times_since_handshake(Plan& plan) {
  if (plan.config.after_accept && !plan.config.accept_args)
    plan.blind.push_back({AW_CLOSED_AFTER_ACCEPT, AW_REASON_NONE, AW_STAGE_NONE,
                          "acceptwatch.early_close.seconds",
                          "accept() is not seen, and times count from the handshake: a connection "
                          "that waits for accept() for a second is not told",
                          better_tier});
}

Plan bpf_plan(const Features& features, aw_source tier, bool after_accept) {
  Plan plan;
  plan.tier = tier;
  fill_config(features, plan);
  plan.config.after_accept = after_accept;
  note_missing_cookies(features, plan);
  choose_iterator(features, plan);
  if (!plan.seed_by_iterator)
    see_nothing_of(plan, AW_ACCEPT_STALLED, AW_REASON_NONE, AW_STAGE_NONE,
                   "no iterator shows the queues here: they are seen when a packet is lost, and "
                   "findings that rest on them come then, or not at all",
                   {});
  choose_stacks(features, plan);
  add_drop_tracepoint(features, plan);
  if (tier == AW_SOURCE_TRACEPOINT)
    add_tracepoint_programs(features, plan);
  else
    add_function_programs(features, plan);
  plan.programs.insert(plan.programs.end(), tracepoint_programs.begin(), tracepoint_programs.end());
  add_after_accept(features, plan);
  leave_out_refused(features, plan);
  note_times_since_handshake(plan);
  plan.count_arrivals = !plan.config.accept_args && plan.seed_by_iterator && features.tp_btf.ok &&
                        features.arguments_of("tp:inet_sock_set_state");
  if (plan.config.packet_access == AW_PACKETS_UNREADABLE)
    note_unreadable_packets(features, plan);
  choose_chains(features, plan);
  note_driver_xdp(features.driver_xdp, plan);
  return plan;
}

Plan poll_plan(bool after_accept) {
  Plan plan;
  plan.tier = AW_SOURCE_POLL;
  constexpr const char* remedy = "Every tier with BPF shows it.";
  see_nothing_of(plan, AW_SYNACK_RETRANSMIT, AW_REASON_NONE, AW_STAGE_NONE,
                 "the kernel counts SYN-ACKs and SYNs sent again as one number", remedy);
  see_nothing_of(plan, AW_RESET_SENT, AW_REASON_NONE, AW_STAGE_NONE,
                 "the kernel counts all resets as one number", remedy);
  see_nothing_of(plan, AW_HANDSHAKE_EXPIRED, AW_REASON_NONE, AW_STAGE_NONE,
                 "no counter of the kernel is for this alone", remedy);
  see_nothing_of(plan, AW_RESET_RECEIVED, AW_REASON_NONE, AW_STAGE_NONE,
                 "no counter of the kernel is for this alone", remedy);
  if (after_accept)
    see_nothing_of(plan, AW_CLOSED_AFTER_ACCEPT, AW_REASON_NONE, AW_STAGE_NONE,
                   "no counter of the kernel is for this alone", remedy);
  for (const aw_reason reason : {AW_SYN_BACKLOG_RESERVED, AW_REQUEST_FAILED, AW_COOKIE_INVALID,
                                 AW_SECURITY_MODULE, AW_NO_ROUTE, AW_MEMORY, AW_OTHER})
    see_nothing_of(plan, AW_LISTEN_DROP, reason, AW_STAGE_NONE,
                   "no counter of the kernel is for this alone", remedy);
  for (const aw_reason reason : refusals_by_drop_reason)
    see_nothing_of(plan, AW_LISTEN_DROP, reason, AW_STAGE_NONE,
                   "counters do not say whose packet it was", remedy);
  for (const aw_action action : {AW_LISTEN_DROP, AW_SYNCOOKIE_SENT}) {
    for (const char* field :
         {"client.address", "client.port", "server.address", "acceptwatch.stage"})
      plan.blind.push_back(
          {action, AW_REASON_NONE, AW_STAGE_NONE, field, "counters know no packet", remedy});
  }
  hide_how_listeners_end(plan, "a look between two others does not see who ends it", remedy);
  see_nothing_of(plan, AW_ACCEPT_STALLED, AW_REASON_NONE, AW_STAGE_NONE,
                 "how long connections wait is shown by an iterator of BPF", remedy);
  see_no_stacks(plan, "an iterator of BPF shows them", remedy);
  return plan;
}

} // namespace

Result<Plan> seed_plan(const Features& features) {
  if (!features.cap_bpf || !features.cap_perfmon)
    return failure(missing_capabilities(features), "Run it as root: sudo acceptwatch list.",
                   ExitStatus::privileges);
  if (features.btf != BtfSource::kernel)
    return failure("this kernel carries no type information (BTF)",
                   "A kernel with CONFIG_DEBUG_INFO_BTF is needed.", ExitStatus::kernel);
  Plan plan;
  fill_config(features, plan);
  choose_iterator(features, plan);
  if (plan.seed_by_iterator)
    return plan;
  constexpr const char* advice = "`acceptwatch check` says what this kernel allows.";
  if (!features.iterator.ok)
    return failure(refused("loading a task-file iterator", features.iterator), advice,
                   ExitStatus::kernel);
  return failure("this kernel has no bpf_sock_from_file() (5.11), nor may its memory be read",
                 advice, ExitStatus::kernel);
}

Result<Plan> make_plan(const Features& features, std::optional<aw_source> wanted,
                       bool after_accept) {
  if (wanted == AW_SOURCE_POLL)
    return poll_plan(after_accept);
  std::optional<Error> first;
  for (const aw_source tier : all_tiers) {
    if (tier == AW_SOURCE_POLL || (wanted && tier != *wanted))
      continue;
    const auto [available, why] = availability(features, tier);
    if (available)
      return bpf_plan(features, tier, after_accept);
    if (!first || why.status == ExitStatus::privileges)
      first = why;
  }
  if (wanted)
    first->what = fmt::format("--probes {}: {}", name_of(*wanted), first->what);
  return tl::unexpected{*first};
}

} // namespace acceptwatch
