// SPDX-License-Identifier: Apache-2.0
#include "output/audit.h"

#include "base/text.h"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>

namespace acceptwatch {
namespace {

bool is_different(const AuditedNamespace& audited) {
  return std::ranges::any_of(audited.counters, differs);
}

std::string namespaces(size_t count) {
  return fmt::format("{} network namespace{}", count, count == 1 ? "" : "s");
}

/// In lines of at most 80 characters.
void append_note(std::string& out, std::string_view note) {
  constexpr std::string_view indent = "      ";
  constexpr size_t width = 80 - indent.size();
  while (note.size() > width) {
    size_t end = note.rfind(' ', width);
    if (end == std::string_view::npos || end == 0)
      end = width;
    fmt::format_to(std::back_inserter(out), "{}{}\n", indent, note.substr(0, end));
    note.remove_prefix(std::min(end + 1, note.size()));
  }
  fmt::format_to(std::back_inserter(out), "{}{}\n", indent, note);
}

void append_table(std::string& out, const AuditedNamespace& audited) {
  fmt::format_to(std::back_inserter(out), "Audit of network namespace {}{}\n", audited.netns,
                 audited.gone ? ", which is gone, when it was last read" : "");
  fmt::format_to(std::back_inserter(out), "  {:<25} {:>12} {:>12}\n", "COUNTER", "KERNEL",
                 "EXPLAINED");
  for (const auto& counter : audited.counters) {
    fmt::format_to(std::back_inserter(out), "  {:<25} {:>12} {:>12}\n", counter.name,
                   counter.kernel, counter.explained);
    if (differs(counter))
      append_note(out, counter.why.empty() ? "no cause of the difference is known" : counter.why);
  }
}

} // namespace

std::string audit_text(const Audit& audit) {
  if (!audit.incomparable.empty())
    return fmt::format("Audit: not possible with {}; the kernel's counters count everything\n",
                       printable(fmt::format("{}", fmt::join(audit.incomparable, " "))));
  std::string out;
  size_t equal = 0;
  for (const auto& audited : audit.namespaces) {
    if (is_different(audited))
      append_table(out, audited);
    else
      ++equal;
  }
  if (!audit.compared)
    out = "Audit: the counters of no network namespace could be read\n";
  else if (out.empty())
    out = "Audit: the kernel's counters agree\n";
  else if (equal)
    out += fmt::format("Audit: agrees in {} more\n", namespaces(equal));
  if (audit.compared && audit.uncompared)
    out += fmt::format("Audit: the counters of {} could not be compared\n",
                       namespaces(audit.uncompared));
  if (audit.unread)
    out += fmt::format("Audit: the counters of {} with records could not be read\n",
                       namespaces(audit.unread));
  return out;
}

} // namespace acceptwatch
