// SPDX-License-Identifier: Apache-2.0
#include "diagnose/rule_context.h"
#include "diagnose/servers.h"

namespace acceptwatch::rule {
namespace {

std::string queue_of(const Facts& facts) {
  if (!facts.accept_queue)
    return "the accept queue";
  return fmt::format("the accept queue of {}", facts.accept_queue->limit);
}

/// A program that calls listen() again may do so to turn clients away.
void add_limit_change(const Facts& facts, Finding& finding) {
  if (facts.limit_before && facts.accept_queue)
    finding.what += fmt::format("; its backlog was {} and is now {}: the program has called "
                                "listen() again",
                                *facts.limit_before, facts.accept_queue->limit);
}

void add_state(const Facts& facts, Finding& finding) {
  if (const auto text = state_text(facts); !text.empty())
    finding.what += fmt::format("; {}", text);
  if (facts.states.looks() < 2)
    return;
  add_number(finding, "looks", facts.states.looks());
  add_number(finding, "looks_alike", facts.states.alike());
}

std::string advice_or(const Facts& facts, const char* otherwise) {
  auto advice = advice_for_state(facts);
  return advice.empty() ? otherwise : advice;
}

struct Shortage {
  std::string_view finding;
  std::string_view which;
  std::string_view limit;
  std::string_view advice;
};

Finding out_of_files(const RuleContext& c, const Shortage& kind) {
  const auto& [open, limit] = c.facts.shortage->files;
  Finding finding{kind.finding, Confidence::certain, {}, {}, std::string{kind.advice}};
  finding.what = fmt::format("accept() fails: {} of {} {}, {}", open, limit, kind.which,
                             waiting(c.facts.accept_queue ? c.facts.accept_queue->depth : 0));
  add_limit_change(c.facts, finding);
  finding.evidence = {{"open", static_cast<double>(open)},
                      {kind.limit, static_cast<double>(limit)},
                      {"oldest_seconds", c.facts.waiting_seconds}};
  add_queue(c.facts, finding);
  finding.lingers = false;
  return finding;
}

} // namespace

MaybeFinding descriptors_exhausted(const RuleContext& c) {
  if (!c.is_short_of_files() || c.facts.shortage->of_host)
    return std::nullopt;
  const auto setting = descriptor_setting(c.facts.owner ? c.facts.owner->name : "");
  const std::string advice =
      setting
          ? fmt::format("The program sets that limit itself, and LimitNOFILE= changes nothing: "
                        "raise it by {}.",
                        *setting)
          : "Raise LimitNOFILE= (ulimit -n), or find out which descriptors the process does not "
            "close: ls -l /proc/PID/fd.";
  return out_of_files(
      c, {"descriptors_exhausted", "file descriptors are open", "descriptor_limit", advice});
}

MaybeFinding host_files_exhausted(const RuleContext& c) {
  if (!c.is_short_of_files() || !c.facts.shortage->of_host)
    return std::nullopt;
  return out_of_files(
      c, {"host_files_exhausted", "files are open on the host", "file_max",
          "Raise fs.file-max, or find out which process does not close its files: it has most "
          "entries in /proc/PID/fd."});
}

MaybeFinding inherited_listener(const RuleContext& c) {
  if (!c.is_left_behind())
    return std::nullopt;
  const Owner& opener = *c.facts.lost_opener;
  const Owner& heir = *c.facts.owner;
  Finding finding{"inherited_listener", Confidence::certain, {}, {}, {}};
  finding.what = fmt::format(
      "{}/{} called listen() and has exited; only {}/{}, which inherited the descriptor, holds the "
      "socket and accepts nothing: {}",
      opener.name, opener.pid, heir.name, heir.pid,
      waiting(c.facts.accept_queue ? c.facts.accept_queue->depth : 0));
  finding.evidence = {{"idle_seconds", c.facts.idle_seconds},
                      {"oldest_seconds", c.facts.waiting_seconds}};
  add_queue(c.facts, finding);
  finding.lingers = false;
  finding.advice =
      fmt::format("End that process (kill {}), and start the service again. Its listener "
                  "should be close-on-exec (SOCK_CLOEXEC, FD_CLOEXEC).",
                  heir.pid);
  return finding;
}

MaybeFinding stuck_acceptor(const RuleContext& c) {
  if (!c.is_stuck() || c.is_short_of_files() || c.is_left_behind())
    return std::nullopt;
  Finding finding{"stuck_acceptor", Confidence::certain, {}, {}, {}};
  finding.what =
      fmt::format("nothing was accepted for {:.1f} s while {} waited", c.facts.idle_seconds,
                  connections(c.facts.accept_queue ? c.facts.accept_queue->depth : 0));
  if (c.overflow_count())
    finding.what += fmt::format("; {} lost", packets(c.overflow_count()));
  finding.evidence = {{"idle_seconds", c.facts.idle_seconds},
                      {"oldest_seconds", c.facts.waiting_seconds}};
  add_limit_change(c.facts, finding);
  add_state(c.facts, finding);
  add_queue(c.facts, finding);
  add_number(finding, "drops", c.overflow_count());
  finding.advice = advice_or(
      c.facts, "See why no thread calls accept(): all are busy with other clients, hang, or are "
               "stopped. More backlog would only let clients wait longer.");
  finding.lingers = false;
  return finding;
}

MaybeFinding slow_acceptor(const RuleContext& c) {
  const bool fills =
      c.overflows() || (c.facts.accept_queue && aw_under_pressure(c.facts.accept_queue->depth,
                                                                  c.facts.accept_queue->limit, 50));
  if (!c.is_slow() || !fills)
    return std::nullopt;
  Finding finding{"slow_acceptor", Confidence::likely, {}, {}, {}};
  finding.what =
      fmt::format("connections wait up to {:.1f} s for accept()", c.facts.oldest_seconds);
  if (c.facts.accept_rate)
    finding.what += fmt::format(", which takes {:.1f} a second", *c.facts.accept_rate);
  if (c.overflow_count())
    finding.what += fmt::format("; {} lost", packets(c.overflow_count()));
  if (c.facts.waiting_seconds > 0 && c.facts.idle_seconds >= c.limits.stall_seconds)
    finding.what +=
        fmt::format("; nothing was accepted for the last {:.1f} s", c.facts.idle_seconds);
  finding.evidence = {{"oldest_seconds", c.facts.oldest_seconds}};
  add_state(c.facts, finding);
  add_queue(c.facts, finding);
  if (c.facts.accept_rate)
    finding.evidence.push_back({"accepts_per_second", *c.facts.accept_rate});
  add_number(finding, "drops", c.overflow_count());
  finding.lingers = c.overflows();
  finding.advice = advice_or(
      c.facts, "Accept faster: more acceptors or workers, or accept() in a thread of its own. More "
               "backlog would only let clients wait longer.");
  return finding;
}

MaybeFinding burst_larger_than_backlog(const RuleContext& c) {
  if (!c.is_burst() || c.was_flooded())
    return std::nullopt;
  Finding finding{"burst_larger_than_backlog", Confidence::likely, {}, {}, {}};
  finding.what =
      fmt::format("more came at once than {} holds: {} lost, and it was worked off at once",
                  queue_of(c.facts), packets(c.overflow_count()));
  finding.evidence = {{"oldest_seconds", c.facts.oldest_seconds}};
  add_queue(c.facts, finding);
  add_number(finding, "drops", c.overflow_count());
  finding.advice = "The process accepts in time: give it more backlog for bursts.";
  return finding;
}

MaybeFinding limit_capped_by_somaxconn(const RuleContext& c) {
  const auto limit = c.limit();
  if (!c.is_burst() || c.was_flooded() || !limit || !c.facts.somaxconn ||
      *limit < *c.facts.somaxconn)
    return std::nullopt;
  const auto asked = c.facts.backlog;
  if (asked && *asked <= *c.facts.somaxconn)
    return std::nullopt;
  Finding finding{
      "limit_capped_by_somaxconn", asked ? Confidence::certain : Confidence::possible, {}, {}, {}};
  finding.what = asked ? fmt::format("listen() asked for {}, net.core.somaxconn allows {}", *asked,
                                     *c.facts.somaxconn)
                       : fmt::format("the limit is net.core.somaxconn, {}; listen() may have asked "
                                     "for more",
                                     *c.facts.somaxconn);
  finding.evidence = {{"limit", static_cast<double>(*limit)},
                      {"somaxconn", static_cast<double>(*c.facts.somaxconn)}};
  if (asked)
    add_number(finding, "backlog", *asked);
  finding.advice = "Raise it (sysctl -w net.core.somaxconn=4096) and restart the service: listen() "
                   "reads it once.";
  return finding;
}

MaybeFinding backlog_too_small(const RuleContext& c) {
  const auto limit = c.limit();
  if (!c.is_burst() || c.was_flooded() || !limit)
    return std::nullopt;
  const bool own = c.facts.backlog ? *c.facts.backlog == *limit
                                   : c.facts.somaxconn && *limit < *c.facts.somaxconn;
  if (!own || c.facts.limit_before)
    return std::nullopt;
  const auto server = default_backlog(c.facts.owner ? c.facts.owner->name : "", *limit);
  Finding finding{"backlog_too_small", Confidence::certain, {}, {}, {}};
  finding.what = fmt::format("the program itself asked for a backlog of {}", *limit);
  if (server)
    finding.what += fmt::format(", the default of {}", server->name);
  finding.evidence = {{"limit", static_cast<double>(*limit)}};
  if (c.facts.somaxconn)
    add_number(finding, "somaxconn", *c.facts.somaxconn);
  finding.advice = server ? fmt::format("Raise it: {}.", server->setting)
                          : "Raise the backlog that it gives to listen(), in its configuration or "
                            "its code.";
  if (c.facts.somaxconn)
    finding.advice += fmt::format(" net.core.somaxconn allows {}.", *c.facts.somaxconn);
  return finding;
}

MaybeFinding reuseport_imbalance(const RuleContext& c) {
  if (!(c.overflows() || c.is_stuck()) || c.facts.members < 2 || !c.facts.idle_members)
    return std::nullopt;
  Finding finding{"reuseport_imbalance", Confidence::certain, {}, {}, {}};
  const auto& queue = c.facts.accept_queue;
  const std::string state = c.overflows() || !queue ? "is full"
                                                    : fmt::format("accepts nothing ({} of {} wait)",
                                                                  queue->depth, queue->limit);
  finding.what =
      fmt::format("this member of a group of {} {} while {} of the others {} room", c.facts.members,
                  state, c.facts.idle_members, c.facts.idle_members == 1 ? "has" : "have");
  const bool left_over = c.facts.newer_owner && c.facts.owner && c.is_stuck();
  if (left_over)
    finding.what +=
        fmt::format("; it is of {}/{}, which was started {:.1f} s before {}/{} of another",
                    c.facts.owner->name, c.facts.owner->pid, c.facts.newer_by_seconds,
                    c.facts.newer_owner->name, c.facts.newer_owner->pid);
  add_number(finding, "members", c.facts.members);
  add_number(finding, "idle_members", c.facts.idle_members);
  add_queue(c.facts, finding);
  finding.lingers = c.overflows();
  finding.advice = "SO_REUSEPORT picks a member by the packet, not by who has time: one that hangs "
                   "loses its share. Restart it, or share one listener.";
  if (left_over)
    finding.advice =
        fmt::format("SO_REUSEPORT gives each member its share, also one that accepts "
                    "nothing. Is {}/{} left over from before a restart? End it: kill {}.",
                    c.facts.owner->name, c.facts.owner->pid, c.facts.owner->pid);
  return finding;
}

MaybeFinding abort_on_overflow(const RuleContext& c) {
  if (!c.goes_on(c.facts.aborted))
    return std::nullopt;
  Finding finding{"abort_on_overflow", Confidence::certain, {}, {}, {}};
  finding.what = fmt::format("{} reset because the accept queue was full",
                             plural(c.facts.aborted.count, "client was", "clients were"));
  add_number(finding, "resets", c.facts.aborted.count);
  add_queue(c.facts, finding);
  finding.advice = "net.ipv4.tcp_abort_on_overflow is 1; with 0 (the default) their next packet "
                   "would have been a second chance.";
  return finding;
}

} // namespace acceptwatch::rule
