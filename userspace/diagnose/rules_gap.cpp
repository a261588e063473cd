// SPDX-License-Identifier: Apache-2.0
// Nobody listens any more: how the listener ended says what to do.
#include "diagnose/rule_context.h"
#include "diagnose/servers.h"

#include <csignal>
#include <map>

namespace acceptwatch::rule {
namespace {

enum class Gap {
  none,
  undecided, ///< time will tell
  restart,   ///< it ended in good order, or nobody knows how, and another process listens again
  stopped,   ///< the same, and nobody listens again
  died,
  shut_down,
  by_owner, ///< it was closed by a process that runs on
  reopened, ///< and that process listens again
};

/// What begins a restart ends a moment later: a process that closes its listener may be about to
/// end, and the next one about to listen.
constexpr double time_to_restart = 1.5;

double closed_seconds(const Facts& facts) {
  const uint64_t first = facts.refused.first_ns;
  return facts.former->closed_seconds_ago +
         (facts.now_ns > first ? static_cast<double>(facts.now_ns - first) / 1e9 : 0);
}

Gap gap_of_living(const Facts& facts) {
  if (facts.reopened_by)
    return *facts.reopened_by == facts.former->end->pid ? Gap::reopened : Gap::restart;
  return closed_seconds(facts) < time_to_restart ? Gap::undecided : Gap::by_owner;
}

Gap gap_of(const RuleContext& c) {
  const Facts& facts = c.facts;
  const auto& former = facts.former;
  if (!c.goes_on(facts.refused) || !former || former->closed_seconds_ago > c.limits.former_seconds)
    return Gap::none;
  if (former->end) {
    if (former->end->reason == AW_SHUT_DOWN)
      return Gap::shut_down;
    if (former->end->is_death())
      return Gap::died;
    if (facts.former_lives)
      return gap_of_living(facts);
  }
  if (facts.gap_seconds)
    return Gap::restart;
  return closed_seconds(facts) < time_to_restart ? Gap::undecided : Gap::stopped;
}

std::string owner_text(const FormerListener& former) {
  return fmt::format("{}/{}", former.owner.name, former.owner.pid);
}

/// Who ended it: mostly the owner.
std::string closer_text(const FormerListener& former) {
  const auto& end = former.end;
  return !end || end->pid == former.owner.pid ? owner_text(former)
                                              : fmt::format("{}/{}", end->name, end->pid);
}

/// "nginx/12 exited"
std::string end_text(const FormerListener& former) {
  const auto& end = former.end;
  const std::string who = closer_text(former);
  if (!end || (end->reason == AW_CLOSED && !end->is_death()))
    return fmt::format("{} closed it", owner_text(former)); // a worker's copy may be the last
  if (const auto signal = end->signal())
    return fmt::format("{} was ended by {}", who, signal_name(*signal));
  const unsigned status = end->exit_status().value_or(0);
  return status ? fmt::format("{} exited with status {}", who, status)
                : fmt::format("{} exited", who);
}

std::string reopened_text(const Facts& facts) {
  return facts.gap_seconds
             ? fmt::format(", and after {:.3f} s somebody listened again", *facts.gap_seconds)
             : std::string{", and nobody listens again"};
}

Finding gap_finding(const RuleContext& c, std::string_view name) {
  Finding finding{name, Confidence::certain, {}, {}, {}};
  finding.what =
      fmt::format("{} refused while nobody listened: ", connections(c.facts.refused.count));
  add_number(finding, "refused", c.facts.refused.count);
  if (c.facts.gap_seconds)
    finding.evidence.push_back({"gap_seconds", *c.facts.gap_seconds});
  return finding;
}

/// "... refused while nobody listened: nginx/12 exited 0.100 s before the first, and ..."
Finding ended_finding(const RuleContext& c, std::string_view name) {
  Finding finding = gap_finding(c, name);
  const FormerListener& former = *c.facts.former;
  finding.what += fmt::format("{} {:.3f} s before the first{}", end_text(former),
                              former.closed_seconds_ago, reopened_text(c.facts));
  return finding;
}

bool dumps_core(int signal) {
  constexpr std::array faults{SIGQUIT, SIGILL,  SIGTRAP, SIGABRT, SIGBUS,
                              SIGFPE,  SIGSEGV, SIGSYS,  SIGXCPU, SIGXFSZ};
  return std::ranges::find(faults, signal) != faults.end();
}

/// Deaths by how the processes ended: "SIGSEGV", and how often.
std::map<std::string, size_t> kinds_of_deaths(const Facts& facts) {
  std::map<std::string, size_t> kinds;
  for (const ListenerEnd& death : facts.deaths)
    ++kinds[exit_text(death)];
  return kinds;
}

} // namespace

std::string advice_for_death(const ListenerEnd& end) {
  const auto signal = end.signal();
  if (!signal)
    return fmt::format("It ends by itself: see in its log (journalctl -u) why it exits with status "
                       "{}.",
                       end.exit_status().value_or(0));
  if (*signal == SIGKILL)
    return "See who killed it: the kernel for want of memory (dmesg, memory.events of its cgroup), "
           "a stop that took too long (TimeoutStopSec=, docker stop), or somebody by hand.";
  if (dumps_core(*signal))
    return fmt::format("It crashes: see where (coredumpctl info {}), and in its log what it did "
                       "last.",
                       end.pid);
  return fmt::format("See who sent it {}: auditctl -a always,exit -S kill shows that.",
                     signal_name(*signal));
}

MaybeFinding restart_gap(const RuleContext& c) {
  if (gap_of(c) != Gap::restart)
    return std::nullopt;
  Finding finding = ended_finding(c, "restart_gap");
  finding.advice = "Reload instead of restarting, or keep the socket open across the restart: a "
                   "systemd socket unit, or SO_REUSEPORT with both running for a moment.";
  return finding;
}

MaybeFinding service_stopped(const RuleContext& c) {
  if (gap_of(c) != Gap::stopped)
    return std::nullopt;
  Finding finding = ended_finding(c, "service_stopped");
  finding.advice = "Start the service again, or take it from the clients (load balancer, DNS) "
                   "before it is stopped.";
  return finding;
}

MaybeFinding owner_died(const RuleContext& c) {
  if (gap_of(c) != Gap::died || c.is_crash_loop())
    return std::nullopt;
  Finding finding = gap_finding(c, "owner_died");
  const FormerListener& former = *c.facts.former;
  finding.what +=
      fmt::format("{} {:.3f} s before the first{}{}", end_text(former), former.closed_seconds_ago,
                  former.end->dumped_core() ? " (core dumped)" : "", reopened_text(c.facts));
  finding.advice = advice_for_death(*former.end);
  return finding;
}

MaybeFinding crash_loop(const RuleContext& c) {
  if (!c.goes_on(c.facts.died) || !c.is_crash_loop())
    return std::nullopt;
  Finding finding{"crash_loop", Confidence::certain, {}, {}, {}};
  const auto& deaths = c.facts.deaths;
  const auto& died = c.facts.died;
  const double seconds = static_cast<double>(died.last_ns - died.first_ns) / 1e9;
  std::string kinds;
  for (const auto& [kind, count] : kinds_of_deaths(c.facts))
    kinds += fmt::format("{}{} times {}", kinds.empty() ? "" : ", ", count, kind);
  finding.what = fmt::format("the process that listens there died {} times in {:.1f} s: {}",
                             deaths.size(), seconds, kinds);
  if (c.facts.refused.count)
    finding.what += fmt::format("; {} refused in between", connections(c.facts.refused.count));
  add_number(finding, "deaths", deaths.size());
  finding.evidence.push_back({"seconds", seconds});
  add_number(finding, "refused", c.facts.refused.count);
  finding.advice = advice_for_death(deaths.back());
  return finding;
}

MaybeFinding listener_shut_down(const RuleContext& c) {
  if (gap_of(c) != Gap::shut_down)
    return std::nullopt;
  Finding finding = gap_finding(c, "listener_shut_down");
  const FormerListener& former = *c.facts.former;
  const bool sibling = former.end->pid != former.owner.pid;
  finding.what += fmt::format("{} called shutdown() on the listening socket{} {:.3f} s before the "
                              "first{}",
                              closer_text(former),
                              sibling ? fmt::format(" of {}", owner_text(former)) : std::string{},
                              former.closed_seconds_ago, reopened_text(c.facts));
  finding.advice =
      fmt::format("shutdown() ends a listener for every process that shares it, close() only for "
                  "the one that calls it. See in the log of {} why it does so.",
                  closer_text(former));
  return finding;
}

MaybeFinding closed_by_owner(const RuleContext& c) {
  if (gap_of(c) != Gap::by_owner)
    return std::nullopt;
  Finding finding = gap_finding(c, "closed_by_owner");
  finding.confidence = Confidence::likely;
  finding.what +=
      fmt::format("{} closed its own listener and runs on", closer_text(*c.facts.former));
  finding.advice = "Not a restart: its process is there. See in its log why it has closed the "
                   "port: a limit, a fault, or it is about to end.";
  return finding;
}

MaybeFinding reopened_by_owner(const RuleContext& c) {
  if (gap_of(c) != Gap::reopened)
    return std::nullopt;
  const FormerListener& former = *c.facts.former;
  Finding finding = gap_finding(c, "reopened_by_owner");
  finding.what += fmt::format("{} closed its own listener, and opened it again after {:.1f} s",
                              closer_text(former), c.facts.gap_seconds.value_or(0));
  const auto limit = rate_limit(former.end->name);
  finding.advice = fmt::format(
      "Not a restart: programs do so at a limit of new connections. See "
      "its log, and {}.",
      limit.value_or("its limits (as xinetd's cps, TriggerLimitBurst= of systemd, -R of inetd)"));
  return finding;
}

} // namespace acceptwatch::rule
