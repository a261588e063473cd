// SPDX-License-Identifier: Apache-2.0
#include "diagnose/state_advice.h"

#include "diagnose/servers.h"
#include "events/owner_state.h"

#include <fmt/format.h>
#include <sys/socket.h>

namespace acceptwatch {
namespace {

std::string advice_to_go_on(const ToldThread* told, size_t stopped) {
  std::string text = "Find out who stopped it (SIGSTOP, a debugger), and let it go on: kill -CONT";
  if (told && told->activity == Activity::stopped)
    text += fmt::format(" {}", told->pid);
  if (stopped > 1)
    text += "; ps -o pid,stat,comm shows others that are stopped, too, as T";
  return text + ".";
}

std::string advice_for_peer(const ToldThread& told) {
  if (!told.peer)
    return "It waits for the other end of a connection, a client or a backend: see ss -tnp, give "
           "such calls a time-out, and accept in a thread or process of its own.";
  if (told.peer->is_client)
    return "A client keeps it waiting: give reads and writes a time-out, and accept in a thread or "
           "process of its own.";
  const auto& [address, port, is_client] = *told.peer;
  return fmt::format("See why {}:{} does not answer, and give the call a time-out.",
                     std::string_view{to_string(address)}, port);
}

std::string advice_for_pause(const Facts& facts, const OwnerState& state) {
  std::string text = "The program waits, but not for this listener: it has stopped to accept by "
                     "itself, as it does at a limit of connections";
  if (state.open_connections)
    text += fmt::format(" ({} of this port are open)", *state.open_connections);
  const auto limit = connection_limit(facts.owner ? facts.owner->name : "");
  text += limit ? fmt::format(". Raise it: {}.", *limit) : ". See the limit in its configuration.";
  return text;
}

/// Where the program is known, what is true of all its threads.
std::string advice_for_busy(const ToldThread& told, std::string_view server,
                            std::string_view busy) {
  const std::string what =
      told.activity == Activity::running
          ? fmt::format("It works all the time: see on what (perf top -p {})", told.pid)
          : fmt::format("See what it waits for (its stack, strace -p {})", told.tid);
  return fmt::format("{}. {}: {}. More backlog would only let clients wait longer.", what, server,
                     busy);
}

std::string advice_for_thread(const Facts& facts, const ToldThread& told) {
  const std::string_view server = facts.owner ? std::string_view{facts.owner->name} : "";
  const auto busy = busy_by(server);
  const bool works = told.activity == Activity::running || told.activity == Activity::io ||
                     told.activity == Activity::sleep;
  if (busy && works)
    return advice_for_busy(told, server, *busy);
  switch (told.activity) {
  case Activity::disk:
    return "It waits for a disk or a network file system: see dmesg, iostat -x 1, and which of its "
           "file systems does not answer.";
  case Activity::child:
    return fmt::format("It waits for a child process to end: see which (ps --ppid {}), and wait in "
                       "another thread than the one that accepts.",
                       told.pid);
  case Activity::lock:
    return told.lock_holder
               ? fmt::format("Process {} has the file lock that it waits for: see what that one "
                             "does.",
                             *told.lock_holder)
               : "It waits for a file lock: see who has it in /proc/locks.";
  case Activity::socket_read:
  case Activity::socket_write:
  case Activity::connect:
    return advice_for_peer(told);
  case Activity::running:
    return fmt::format("It works all the time: see on what (perf top -p {}), and give it more "
                       "workers or CPUs. More backlog would only let clients wait longer.",
                       told.pid);
  case Activity::io:
  case Activity::sleep:
    return fmt::format("The thread waits for something else than connections: see what for (its "
                       "stack, strace -p {}), and accept in a thread of its own. More backlog "
                       "would only let clients wait longer.",
                       told.tid);
  default:
    return {};
  }
}

/// Its own cgroup's, or the host's where a thread waits for a disk or to run: see sentence_of().
bool lacks_memory(const OwnerState& state) {
  constexpr double much = 10;
  const auto& told = state.threads.told;
  const bool may_be =
      told && (told->activity == Activity::disk || told->activity == Activity::running);
  return may_be && state.pressure.memory.value_or(0) >= much;
}

} // namespace

std::string state_text(const Facts& facts) {
  constexpr size_t room = 200; // a sentence of a finding is broken into lines
  const OwnerState* state = facts.states.telling();
  std::string text = state ? sentence_of(*state, room) : std::string{};
  if (!text.empty() && facts.states.alike() < facts.states.looks())
    text += fmt::format(" (in {} of {} looks)", facts.states.alike(), facts.states.looks());
  return text;
}

std::string advice_for_state(const Facts& facts) {
  const OwnerState* state = facts.states.telling();
  if (!state)
    return {};
  const ToldThread* told = state->threads.told ? &*state->threads.told : nullptr;
  if (state->frozen.value_or(false))
    return "Find out who froze its cgroup (docker pause, systemctl freeze), and thaw it.";
  if (const size_t stopped = state->threads.count(Activity::stopped))
    return advice_to_go_on(told, stopped);
  if (throttled_percent(*state))
    return "Raise the CPU quota of its cgroup (CPUQuota=, cpu.max, cpu.cfs_quota_us, limits.cpu of "
           "Kubernetes): more workers share the same quota and help nothing.";
  if (facts.owner && facts.owner->pid == 1 && facts.owner->name == "systemd")
    return "systemd holds the socket, and no service of it accepts: see systemctl status of the "
           "socket unit and its service, and journalctl -u.";
  if (is_paused(*state))
    return advice_for_pause(facts, *state);
  if (lacks_memory(*state))
    return "It waits for memory: see vmstat 1 (si, so), and raise the memory limit of its cgroup "
           "(memory.high, memory.max) or the host's memory.";
  return told ? advice_for_thread(facts, *told) : std::string{};
}

bool stands_still(const Facts& facts) {
  const OwnerState* state = facts.states.last();
  return state && (state->frozen.value_or(false) || is_paused(*state) ||
                   (state->threads.seen == state->threads.total &&
                    state->threads.count(Activity::stopped) == state->threads.seen));
}

} // namespace acceptwatch
