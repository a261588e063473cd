// SPDX-License-Identifier: Apache-2.0
#include "cli/interpret.h"

#include "base/text.h"
#include "cli/nearest.h"
#include "cli/values.h"
#include "events/names.h"

#include <algorithm>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

namespace acceptwatch {
namespace {

/// Bytes of each filter, in the start record and in the audit that it makes impossible.
constexpr size_t max_filter_text = 1024;
constexpr uint32_t max_rate = 1'000'000'000; // one a nanosecond
constexpr double max_seconds = 1e9;

/// An option, given before the subcommand or after it. Null if it was not given.
const CLI::Option* given(const CommandLine& line, const char* name) {
  const auto find = [&](const CLI::App& one) -> const CLI::Option* {
    const auto* option = one.get_option_no_throw(name);
    return option && option->count() ? option : nullptr;
  };
  const auto* before = find(line.app);
  return before ? before : find(line.typed_command());
}

/// All that was given for an option, before the subcommand and after it.
std::vector<std::string> values_of(const CommandLine& line, const char* name) {
  std::vector<std::string> values;
  const auto add = [&](const CLI::App& app) {
    const auto* option = app.get_option_no_throw(name);
    if (option && option->count())
      values.insert(values.end(), option->results().begin(), option->results().end());
  };
  add(line.app);
  if (&line.typed_command() != &line.app)
    add(line.typed_command());
  return values;
}

/// "an option: what is wrong with it", and where the options are.
tl::unexpected<Error> wrong_value(const CommandLine& line, const char* option,
                                  const std::string& what) {
  return wrong(line, fmt::format("{}: {}", option, what));
}

Result<void> interpret_ports(CommandLine& line) {
  if (!given(line, "--port"))
    return {};
  const auto typed = values_of(line, "--port");
  const auto ports = parse_ports(fmt::format("{}", fmt::join(typed, ",")));
  if (ports) {
    line.options.ports = *ports;
    return {};
  }
  const auto command =
      typed.size() == 1 ? nearest(typed.front(), command_names(line.app)) : std::nullopt;
  if (command && *command != typed.front())
    return wrong(line, fmt::format("'{}' is no command; `{}` is the nearest",
                                   printable(typed.front()), *command));
  if (line.explain->parsed() && typed.front().find(':') != std::string::npos)
    return wrong(line,
                 "explain takes a port without its address, as in `acceptwatch explain 8080`; "
                 "what it says names the addresses");
  return wrong_value(line, "--port", ports.error().what);
}

Result<void> interpret_pids(CommandLine& line) {
  for (const auto& list : values_of(line, "--pid")) {
    for (const auto text : split(list, ',')) {
      const auto pid = parse_number<uint32_t>(text);
      if (!pid)
        return wrong_value(
            line, "--pid",
            fmt::format("'{}' is no process id; --comm takes a name", printable(text)));
      line.options.pids.push_back(*pid);
    }
  }
  return {};
}

Result<void> interpret_events(CommandLine& line) {
  if (!given(line, "--events"))
    return {};
  const auto actions =
      parse_actions(fmt::format("{}", fmt::join(values_of(line, "--events"), ",")));
  if (!actions)
    return wrong_value(line, "--events", actions.error().what);
  line.options.actions = *actions;
  // Whoever names them asks for them.
  if (*actions & 1U << AW_CLOSED_AFTER_ACCEPT)
    line.options.after_accept = true;
  return {};
}

Result<void> interpret_place(CommandLine& line) {
  if (given(line, "--netns")) {
    const auto netns = parse_netns(line.typed.netns);
    if (!netns)
      return wrong_value(line, "--netns", netns.error().what);
    line.options.netns = *netns;
  }
  if (line.typed.ipv4 && line.typed.ipv6)
    return wrong(line, "--ipv4 and --ipv6 exclude each other");
  line.options.family = line.typed.ipv4 ? AF_INET : line.typed.ipv6 ? AF_INET6 : 0;
  return {};
}

/// As they were given, for the start record.
void keep_filters(CommandLine& line) {
  for (const char* name :
       {"--port", "--pid", "--comm", "--cgroup", "--netns", "--ipv4", "--ipv6", "--events"}) {
    if (!given(line, name))
      continue;
    auto filter = fmt::format("{}={}", name + 2, fmt::join(values_of(line, name), ","));
    if (filter.size() > max_filter_text)
      filter = filter.substr(0, max_filter_text) + "...";
    line.options.filters.push_back(std::move(filter));
  }
}

/// `explain PORT` takes no filter but --netns: others could hide what explains the losses.
Result<void> interpret_explained(CommandLine& line) {
  if (!line.explain->parsed())
    return {};
  auto& options = line.options;
  if (!options.ports)
    return wrong(line, "explain: which PORT? As in `acceptwatch explain 8080`");
  for (const auto& filter : options.filters) {
    if (!filter.starts_with("netns=") && !filter.starts_with("port="))
      return wrong(
          line, fmt::format("explain takes a port, and of the filters --netns alone: {}", filter));
  }
  if (options.ports->count() != 1)
    return wrong(line, fmt::format("explain takes one port, not {}", options.ports->count()));
  options.explained = static_cast<uint16_t>(options.ports->_Find_first());
  return {};
}

/// A time that an option takes. Absent: it was not given.
Result<std::optional<double>> interpret_time(const CommandLine& line, const char* option,
                                             const std::string& text) {
  if (!given(line, option))
    return std::nullopt;
  const auto seconds = parse_seconds(text);
  if (!seconds)
    return wrong_value(line, option, seconds.error().what);
  if (*seconds > max_seconds)
    return wrong_value(line, option, fmt::format("'{}' is too long", printable(text)));
  return *seconds;
}

Result<void> interpret_times(CommandLine& line) {
  const auto duration = interpret_time(line, "--duration", line.typed.duration);
  const auto stall = interpret_time(line, "--stall", line.typed.stall);
  const auto sample = interpret_time(line, "--sample", line.typed.sample);
  for (const auto* time : {&duration, &stall, &sample}) {
    if (!*time)
      return tl::unexpected{time->error()};
  }
  if (*duration == 0)
    return wrong(line, "--duration: wants a time above 0, as in 90, 500ms, 5m");
  if (*stall == 0)
    return wrong(line, "--stall: wants a time above 0, as in 2 or 500ms");
  constexpr double least_sample = 0.1;
  if (*sample && **sample != 0 && **sample < least_sample)
    return wrong(line, "--sample: wants 0.1 seconds or more, or 0 for no samples");
  line.options.duration = *duration;
  line.options.stall_seconds = stall->value_or(line.options.stall_seconds);
  line.options.sample_seconds = *sample;
  return {};
}

/// 1 to 100.
std::optional<uint8_t> parse_percent(const std::string& text) {
  const auto percent = parse_number<uint8_t>(text);
  return percent.value_or(0) < 1 || *percent > 100 ? std::nullopt : percent;
}

Result<void> interpret_numbers(CommandLine& line) {
  auto& options = line.options;
  if (given(line, "--count")) {
    options.count = parse_number<uint64_t>(line.typed.count);
    if (options.count.value_or(0) == 0)
      return wrong(line, "--count: wants a number of records, at least 1");
  }
  if (given(line, "--pressure")) {
    const auto percent = parse_percent(line.typed.pressure);
    if (!percent)
      return wrong(line, "--pressure: wants a share in percent, 1 to 100");
    options.pressure_percent = *percent;
  }
  if (given(line, "--look-budget")) {
    const auto percent = parse_percent(line.typed.look_budget);
    if (!percent)
      return wrong(line, "--look-budget: wants a share in percent, 1 to 100");
    options.look_share = *percent / 100.0;
  }
  if (given(line, "--rate")) {
    const auto rate = parse_number<uint32_t>(line.typed.rate);
    if (!rate || *rate > max_rate)
      return wrong(line, fmt::format("--rate: wants records a second, 0 to {}", max_rate));
    options.rate = *rate;
  }
  return {};
}

Result<void> interpret_ready_fd(CommandLine& line) {
  if (!given(line, "--ready-fd"))
    return {};
  const auto fd = parse_number<int>(line.typed.ready_fd);
  if (!fd || *fd < 0)
    return wrong(line, fmt::format("--ready-fd: '{}' is no file descriptor",
                                   printable(line.typed.ready_fd)));
  if (*fd <= STDERR_FILENO)
    return wrong(line, fmt::format("--ready-fd: {} is one of the standard streams", *fd));
  if (fcntl(*fd, F_GETFD) < 0)
    return wrong(line, fmt::format("--ready-fd: {} is no open file descriptor", *fd));
  line.options.ready_fd = fd;
  return {};
}

Result<void> interpret_names(CommandLine& line) {
  const auto& typed = line.typed;
  if (typed.format == "ndjson" || typed.json)
    line.options.format = OutputFormat::ndjson;
  else if (typed.format != "text")
    return wrong(line,
                 fmt::format("--format: '{}' is neither text nor ndjson", printable(typed.format)));
  if (typed.colour == "always")
    line.options.colour = Colour::always;
  else if (typed.colour == "never")
    line.options.colour = Colour::never;
  else if (typed.colour != "auto")
    return wrong(
        line, fmt::format("--color: '{}' is not auto, always or never", printable(typed.colour)));
  if (typed.probes == "auto")
    return {};
  line.options.tier = source_named(typed.probes);
  if (!line.options.tier)
    return wrong(line, fmt::format("--probes: '{}' is not auto, fentry, kprobe, tracepoint or poll",
                                   printable(typed.probes)));
  return {};
}

/// A variable of a script that was not set would be taken for an option that was not given.
Result<void> refuse_empty_values(const CommandLine& line, const CLI::App& app) {
  for (const CLI::Option* option : app.get_options()) {
    if (std::ranges::find(option->results(), std::string{}) != option->results().end())
      return wrong(line, fmt::format("{}: the value is empty", option->get_name()));
  }
  for (const CLI::App* command : app.get_subcommands()) {
    if (auto done = refuse_empty_values(line, *command); !done)
      return done;
  }
  return {};
}

} // namespace

tl::unexpected<Error> wrong(const CommandLine& line, std::string what) {
  return failure(std::move(what), fmt::format("`{}` lists the options.", line.help_command()),
                 ExitStatus::usage);
}

Result<void> interpret(CommandLine& line) {
  if (auto done = refuse_empty_values(line, line.app); !done)
    return done;
  keep_filters(line);
  for (auto* step :
       {interpret_ports, interpret_pids, interpret_events, interpret_place, interpret_explained,
        interpret_times, interpret_numbers, interpret_ready_fd, interpret_names}) {
    if (auto done = step(line); !done)
      return done;
  }
  return {};
}

} // namespace acceptwatch
