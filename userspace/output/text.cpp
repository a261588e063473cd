// SPDX-License-Identifier: Apache-2.0
#include "output/text.h"

#include "base/text.h"
#include "events/names.h"
#include "events/owner_state.h"
#include "output/audit.h"
#include "output/causes.h"
#include "output/cells.h"
#include "output/findings.h"
#include "output/local_time.h"

#include <fmt/format.h>
#include <iterator>
#include <sys/socket.h>

namespace acceptwatch {
namespace {

constexpr std::string_view red = "\x1b[31m";
constexpr std::string_view yellow = "\x1b[33m";
constexpr std::string_view dim = "\x1b[2m";
constexpr std::string_view reset = "\x1b[0m";

std::string_view colour_of(const Event& event) {
  switch (event.action) {
  case AW_LISTEN_DROP:
  case AW_RESET_SENT:
  case AW_HANDSHAKE_EXPIRED:
  case AW_ACCEPT_STALLED:
    return red;
  case AW_CLOSED_AFTER_ACCEPT:
    return event.reason == AW_TURNED_AWAY ? yellow : red;
  case AW_SYNCOOKIE_SENT:
  case AW_SYNACK_RETRANSMIT:
  case AW_RESET_RECEIVED:
  case AW_QUEUE_PRESSURE:
    return yellow;
  case AW_FINDING:
    return event.verdict && event.verdict->has_ended() ? dim : red;
  case AW_LISTENER_CLOSED: // children of a closed listener were lost with it
    return event.accept_queue && event.accept_queue->depth ? red : dim;
  default:
    return dim;
  }
}

std::string queue_text(const std::optional<Queue>& queue) {
  return queue ? fmt::format("{}/{}", queue->depth, queue->limit) : "-";
}

constexpr size_t narrow_owner = 14;

std::string end_text(const std::optional<Address>& address, std::optional<uint16_t> port) {
  if (!address && !port)
    return "-";
  const std::string ip{address ? std::string_view{to_string(*address)} : "*"};
  const std::string number = port ? fmt::format("{}", *port) : "*";
  return ip.find(':') == std::string::npos ? fmt::format("{}:{}", ip, number)
                                           : fmt::format("[{}]:{}", ip, number);
}

/// As many digits as say something: 0.012, 1.2, 340.
std::string seconds_text(double seconds) {
  return fmt::format("{:.{}f}", seconds, seconds < 1 ? 3 : seconds < 100 ? 1 : 0);
}

/// Who is in the process column: the owner, or in parentheses who was.
std::string who_text(const Event& event, size_t width = std::string::npos) {
  if (event.owner || !event.former)
    return owner_text(event.owner, event.owners, width);
  const size_t inside = width == std::string::npos ? width : width - 2;
  return fmt::format("({})", owner_text(event.former->owner, 1, inside));
}

/// Of the kernel's own names, that the last column has room for.
constexpr size_t reason_width = 17;

std::string chain_text(const Event& event) {
  const size_t width = event.count > 1 ? 3 : 10; // beside the count
  const auto chain = cut(printable(event.chain->name), width);
  if (event.action == AW_RESET_SENT)
    return fmt::format("RST: chain {} rejects", chain);
  const auto phrase = phrase_of(AW_LISTEN_DROP, AW_FIREWALL, event.stage);
  return fmt::format("{} chain {}", phrase.substr(0, phrase.find(':') + 1), chain);
}

std::string shortage_text(const FileShortage& shortage) {
  return fmt::format("{} left: {}/{}", shortage.of_host ? "host has no file" : "no descriptor",
                     shortage.files.open, shortage.files.limit);
}

std::string_view sign_of(FindingState state) {
  switch (state) {
  case FindingState::begun:
    return "=>";
  case FindingState::goes_on:
    return "still:";
  default:
    return "over:";
  }
}

/// Somebody may listen on that port at another address.
std::string refused_text(const Event& event, const std::string& otherwise) {
  constexpr size_t room = 15; // of any of IPv4
  if (!event.server_address)
    return otherwise;
  const auto address = to_string(*event.server_address);
  const std::string_view text{address};
  return text.size() <= room ? fmt::format("RST: nobody at {}", text) : otherwise;
}

std::string what_text(const Event& event) {
  std::string text{phrase_of(event.action, event.reason, event.stage)};
  if (event.end && event.end->exit_code.value_or(0))
    text = fmt::format("closed: {}", exit_text(*event.end));
  if (event.early_close && event.count == 1)
    text += fmt::format(", {}", duration_text(event.early_close->seconds));
  if (event.retry)
    text += fmt::format(" #{}", *event.retry);
  if (event.action == AW_LISTENER_CLOSED && event.accept_queue && event.syn_queue &&
      event.accept_queue->depth + event.syn_queue->depth)
    text += fmt::format(", {} lost", event.accept_queue->depth + event.syn_queue->depth);
  if (event.action == AW_LISTEN_DROP && event.reason == AW_OTHER && event.kernel_reason)
    text = fmt::format("{} dropped: {}", event.stage == AW_STAGE_SYN ? "SYN" : "ACK",
                       cut(printable(*event.kernel_reason), reason_width));
  if (event.chain)
    text = chain_text(event);
  if (event.shortage)
    text = shortage_text(*event.shortage);
  if (event.pressure && event.pressure->ended)
    text = fmt::format("pressure over: {}, peak {}", duration_text(event.pressure->seconds),
                       std::max(event.pressure->accept, event.pressure->syn));
  if (event.action == AW_ACCEPT_STALLED && !event.shortage && event.oldest_seconds)
    text = fmt::format("no accept(), oldest waits {}", duration_text(*event.oldest_seconds));
  if (event.verdict)
    text = fmt::format("{} {}", sign_of(event.verdict->state), event.verdict->finding.name);
  if (event.former && event.reason == AW_NO_LISTENER)
    text = fmt::format("RST: closed {} s ago", seconds_text(event.former->closed_seconds_ago));
  if (event.action == AW_LISTENER_CLOSED && event.count > 1)
    return fmt::format("{} listeners came and went", event.count);
  if (event.reason == AW_NO_LISTENER && !event.former && event.count == 1)
    text = refused_text(event, text);
  if (event.count > 1)
    text += fmt::format(" x{}", event.count);
  return text;
}

/// Listeners that came and went: their ends say so.
bool is_told_with_its_end(const Event& event) {
  return event.action == AW_LISTENER_OPENED && event.count > 1;
}

std::string sample_text(const Sample& sample) {
  std::string text =
      sample.accept_queue ? fmt::format("peak {}", sample.accept_peak) : "queue not seen";
  if (sample.accepts && sample.seconds > 0)
    text += fmt::format(", {:.1f}/s", static_cast<double>(*sample.accepts) / sample.seconds);
  uint64_t lost = 0;
  for (const auto& loss : sample.lost)
    lost += loss.count;
  if (lost)
    text += fmt::format(", {}{} lost", lost, sample.lost_is_all ? "" : "+");
  return text;
}

/// Below the event, behind its time.
void append_state(std::string& out, const Event& event) {
  if (!event.owner_state)
    return;
  OwnerState state = *event.owner_state;
  if (event.shortage)
    state.descriptors.reset(); // the event has just said it
  for (const std::string& line : {sentence_of(state), stack_of(state.threads)}) {
    if (!line.empty())
      fmt::format_to(std::back_inserter(out), "{:<13}{}\n", "", line);
  }
}

/// There may be no totals because others were asked for: what was seen counts, whoever asked.
std::string no_totals_text(const Snapshot& summary) {
  if (const auto failed = what_failed(summary); !failed.empty())
    return fmt::format("Nothing of what was asked for, but {}.\n", failed);
  return sees_all_of_tcp(summary.causes) ? "Nothing was lost.\n"
                                         : "No loss was seen, but not every loss could be seen.\n";
}

void append_total(std::string& out, const Total& total) {
  fmt::format_to(std::back_inserter(out), "{:>8}  {:<21} {:<14} {}\n", total.count,
                 total.server_port ? end_text(total.server_address, total.server_port)
                 : total.other     ? "(other listeners)"
                                   : "-",
                 owner_text(total.owner, 1, narrow_owner),
                 phrase_of(total.action, total.reason, total.stage));
}

} // namespace

void TextFormatter::coloured(std::string& out, std::string_view colour,
                             std::string_view text) const {
  if (style_.colour)
    out += colour;
  out += text;
  if (style_.colour)
    out += reset;
}

void TextFormatter::header(std::string& out) const {
  std::string line = style_.wide
                         ? fmt::format("{:<12} {:<27} {:<27} {:<22} {:>9} {:>9} {:>10} {:<10} {}",
                                       "TIME", "LISTENER", "CLIENT", "PROCESS", "ACCEPTQ", "SYNQ",
                                       "NETNS", "SOURCE", "WHAT")
                         : fmt::format("{:<12} {:<5} {:<14} {:>7} {:>7} {}", "TIME", "PORT",
                                       "PROCESS", "ACCEPTQ", "SYNQ", "WHAT");
  coloured(out, dim, line);
  out.push_back('\n');
}

void TextFormatter::format(const Start& start, std::string& out) {
  static_cast<void>(start); // how it watches is said on stderr: stdout is for records
  header(out);
}

void TextFormatter::append_columns(std::string& out, const Event& event) const {
  const std::string time = local_time_of_day(event.time);
  if (style_.wide) {
    fmt::format_to(std::back_inserter(out),
                   "{:<12} {:<27} {:<27} {:<22} {:>9} {:>9} {:>10} {:<10} ", time,
                   end_text(event.server_address, event.server_port),
                   end_text(event.client_address, event.client_port), who_text(event),
                   queue_text(event.accept_queue), queue_text(event.syn_queue),
                   event.netns ? fmt::format("{}", *event.netns) : "-", name_of(event.source));
  } else {
    // Process and accept queue share their room: a long queue shortens a name.
    constexpr size_t room = 22;
    const std::string accept = queue_text(event.accept_queue);
    const size_t accept_width = std::max<size_t>(accept.size(), 7);
    const size_t owner_width = room - 1 - accept_width;
    fmt::format_to(std::back_inserter(out), "{:<12} {:<5} {:<{}} {:>{}} {:>7} ", time,
                   event.server_port ? fmt::format("{}", *event.server_port) : "-",
                   who_text(event, owner_width), owner_width, accept, accept_width,
                   queue_text(event.syn_queue));
  }
}

void TextFormatter::format(const Event& event, std::string& out) {
  if (is_told_with_its_end(event))
    return;
  append_columns(out, event);
  coloured(out, colour_of(event), what_text(event));
  if (style_.wide && event.kernel_reason)
    fmt::format_to(std::back_inserter(out), " [{}]", printable(*event.kernel_reason));
  if (style_.wide && event.chain)
    fmt::format_to(std::back_inserter(out), " [table {}]", printable(event.chain->table));
  out.push_back('\n');
  if (event.verdict && !event.verdict->has_ended()) {
    constexpr std::string_view below_process = "                   ";
    out += wrapped(event.verdict->finding.what, below_process);
    out += wrapped("-> " + event.verdict->finding.advice, below_process);
  }
  append_state(out, event);
}

void TextFormatter::format(const Lost& lost, std::string& out) {
  const auto what =
      lost.where == "lookup"
          ? fmt::format("{} looks at processes left out: owners may be missing", lost.count)
          : fmt::format("{} records lost ({}); the totals still count them", lost.count,
                        lost.where);
  coloured(out, red, fmt::format("{:<12} {}", local_time_of_day(lost.time), what));
  out.push_back('\n');
}

/// In the columns of an event, at the end of the interval.
void TextFormatter::format(const Sample& sample, std::string& out) {
  Event row;
  row.time = sample.time;
  row.source = sample.source;
  row.server_address = sample.address;
  row.server_port = sample.port;
  if (sample.netns)
    row.netns = sample.netns;
  row.owner = sample.owner;
  row.owners = sample.owners;
  row.accept_queue = sample.accept_queue;
  row.syn_queue = sample.syn_queue;
  append_columns(out, row);
  coloured(out, dim, sample_text(sample));
  out.push_back('\n');
}

/// A table every minute would hide the records: the last one is in the summary.
void TextFormatter::format(const Audit& audit, std::string& out) {
  static_cast<void>(audit);
  static_cast<void>(out);
}

void TextFormatter::format(const Snapshot& summary, std::string& out) {
  fmt::format_to(std::back_inserter(out), "\n{:.1f} s watched, {} records{}\n", summary.seconds,
                 summary.records,
                 summary.lost ? fmt::format(", {} lost", summary.lost) : std::string{});
  if (summary.totals.empty()) {
    out += no_totals_text(summary);
  } else {
    coloured(out, dim,
             fmt::format("{:>8}  {:<21} {:<14} {}", "COUNT", "LISTENER", "PROCESS", "WHAT"));
    out.push_back('\n');
    for (const auto& total : summary.totals)
      append_total(out, total);
  }
  if (const auto listeners = listeners_text(summary.listeners); !listeners.empty())
    out += "\n" + listeners;
  if (const auto findings = findings_text(summary.findings); !findings.empty())
    out += "\n" + findings + "\n";
  out += evidence_text(summary.evidence);
  out += unseen_text(summary.causes);
  if (summary.audit)
    out += audit_text(*summary.audit);
}

} // namespace acceptwatch
