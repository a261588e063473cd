// SPDX-License-Identifier: Apache-2.0
#include "cli/values.h"

#include "acceptwatch/record_cpp.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/services.h"
#include "events/names.h"

#include <cerrno>
#include <cmath>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

namespace acceptwatch {
namespace {

template <typename... Arguments>
tl::unexpected<Error> wrong(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  return failure(fmt::format(format, std::forward<Arguments>(arguments)...), {}, ExitStatus::usage);
}

std::optional<uint16_t> parse_port(std::string_view text) {
  const auto port = parse_number<uint16_t>(text);
  return port && *port > 0 ? port : std::nullopt;
}

std::string action_list() {
  std::string list;
  for (int action = AW_LISTEN_DROP; action < AW_NR_ACTIONS; ++action)
    list += fmt::format("{}{}", list.empty() ? "" : ", ", name_of(static_cast<aw_action>(action)));
  return list;
}

} // namespace

Result<std::bitset<65536>> parse_ports(std::string_view text) {
  std::bitset<65536> ports;
  for (const auto part : split(text, ',')) {
    if (const auto service = port_of_service(part)) {
      ports.set(*service);
      continue;
    }
    const auto dash = part.find('-');
    const auto first = parse_port(part.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : parse_port(part.substr(dash + 1));
    if (!first || !last)
      return wrong("'{}' is no port: ports are 1 to 65535 or names of services, as in "
                   "80,https,8000-8010",
                   printable(part));
    if (*first > *last)
      return wrong("the port range '{}' ends before it begins", printable(part));
    for (unsigned port = *first; port <= *last; ++port)
      ports.set(port);
  }
  return ports;
}

Result<uint32_t> parse_actions(std::string_view text) {
  uint32_t actions = 0;
  for (const auto part : split(text, ',')) {
    const auto action = action_named(part);
    if (!action)
      return wrong("'{}' is no event; events are {}", printable(part), action_list());
    actions |= 1U << *action;
  }
  return actions;
}

Result<double> parse_seconds(std::string_view text) {
  struct Unit {
    std::string_view name;
    double seconds;
  };
  constexpr Unit units[] = {{"ms", 0.001}, {"s", 1}, {"m", 60}, {"h", 3600}};
  double factor = 1;
  auto number = text;
  for (const auto& unit : units) {
    if (number.ends_with(unit.name)) {
      number.remove_suffix(unit.name.size());
      factor = unit.seconds;
      break;
    }
  }
  const auto value = parse_number<double>(number);
  if (!value || !std::isfinite(*value) || *value < 0 || std::signbit(*value))
    return wrong("'{}' is no time: as in 90, 0.5, 500ms, 5m, 1h", printable(text));
  return *value * factor;
}

Result<uint32_t> parse_netns(std::string_view text) {
  constexpr uint32_t max_pid = 4U << 20; // PID_MAX_LIMIT; namespaces are far above
  const auto number = parse_number<uint32_t>(text);
  if (number && *number > max_pid)
    return *number;
  std::string path = number ? fmt::format("/proc/{}/ns/net", *number) : std::string{text};
  struct stat info {};
  if (!number && text.find('/') == std::string_view::npos)
    path = fmt::format("/run/netns/{}", text); // where ip-netns(8) keeps them
  if (stat(path.c_str(), &info) < 0)
    return wrong("'{}' is no network namespace: {}: {}", printable(text), printable(path),
                 describe_errno(errno));
  const UniqueFd fd{open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!fd || ioctl(fd.get(), NS_GET_NSTYPE) != CLONE_NEWNET)
    return wrong("'{}' is no network namespace", printable(text));
  return static_cast<uint32_t>(info.st_ino);
}

} // namespace acceptwatch
