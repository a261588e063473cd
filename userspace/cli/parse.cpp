// SPDX-License-Identifier: Apache-2.0
#include "cli/parse.h"

#include "base/text.h"
#include "base/version.h"
#include "cli/values.h"
#include "events/names.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

namespace acceptwatch {
namespace {

/// Options as they were typed; interpret() turns them into Options.
struct Typed {
  std::string ports, explained, actions, netns, count, rate, probes = "auto", format = "text",
                                                             colour = "auto";
  bool json = false, ipv4 = false, ipv6 = false;
  double duration = 0, stall = 0, sample = 0;
  int pressure = 0;
  int ready_fd = -1;
};

constexpr const char* description =
    "Shows every handshake that a listening TCP socket loses: which socket, whose,\n"
    "at which packet, how full its queues were, and why.";

constexpr const char* exit_statuses =
    "Exit status: 0 stopped as asked, 1 failure at run time, 2 wrong usage,\n"
    "3 this kernel cannot serve what was asked, 4 privileges missing,\n"
    "5 `explain`: nothing is wrong, 6 `explain`: nothing seen, but not all could be.";

/// Bytes of each filter, in the start record and in the audit that it makes impossible.
constexpr size_t max_filter_text = 1024;
constexpr uint32_t max_rate = 1'000'000'000; // one a nanosecond

/// Options that all commands have.
void add_common_options(CLI::App& app, Options& options, Typed& typed) {
  app.add_flag("-j,--json", typed.json, "The same as --format ndjson");
  app.add_flag("-v,--verbose", options.verbosity, "Say more on standard error; -vv: libbpf too");
}

/// Options that `check` has too.
void add_probe_options(CLI::App& app, Options& options, Typed& typed) {
  app.add_option("--probes", typed.probes, "What to watch with; `auto` is the best there is")
      ->option_text("auto|fentry|kprobe|tracepoint|poll");
  app.add_option("--btf", options.btf, "Type information of a kernel that carries none")
      ->option_text("FILE");
}

/// Options that `explain` and `list` have too.
void add_netns(CLI::App& app, Typed& typed) {
  app.add_option("--netns", typed.netns, "Only this network namespace")
      ->option_text("PATH|PID|INODE");
}

/// Options that `list` has too.
void add_listener_filters(CLI::App& app, Options& options, Typed& typed) {
  app.add_option("-P,--port", typed.ports, "Only these listening ports")
      ->option_text("PORT[,PORT|A-B]...");
  app.add_option("-p,--pid", options.pids, "Only listeners that these processes hold")
      ->option_text("PID...")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->take_all();
  app.add_option("--comm", options.comms, "Only listeners of processes of this name")
      ->option_text("NAME")
      ->take_all()
      ->allow_extra_args(false);
  app.add_option("--cgroup", options.cgroups, "Only listeners of processes in or below this cgroup")
      ->option_text("PATH")
      ->take_all()
      ->allow_extra_args(false);
  add_netns(app, typed);
  app.add_flag("-4,--ipv4", typed.ipv4, "Only IPv4");
  app.add_flag("-6,--ipv6", typed.ipv6, "Only IPv6");
}

/// Options that `list` has too.
void add_format(CLI::App& app, Options& options, Typed& typed) {
  app.add_option("--format", typed.format, "Format of the records")->option_text("text|ndjson");
  app.add_flag("--wide", options.wide, "Text: all columns, instead of 80 characters");
  app.add_flag("-q,--quiet", options.quiet, "Say nothing on standard error but errors");
}

/// Options that `explain` has too.
void add_duration(CLI::App& app, Typed& typed) {
  app.add_option("-d,--duration", typed.duration, "Stop after that long")->option_text("SECONDS");
}

void add_warning_options(CLI::App& app, Typed& typed) {
  app.add_option("--pressure", typed.pressure,
                 "Warn when a queue is filled to that share of its limit (80)")
      ->option_text("PERCENT");
  app.add_option("--stall", typed.stall,
                 "Warn when connections wait and none was accepted for that long (1)")
      ->option_text("SECONDS");
}

void add_tape_options(CLI::App& app, Options& options) {
  app.add_option("--tape", options.tape,
                 "Write what comes in there too, for --play and for reports of bugs")
      ->option_text("FILE");
  app.add_flag("--tape-private", options.tape_leaves_out_names,
               "The tape has no addresses, and no names of processes and cgroups");
  app.add_option("--play", options.played, "Play a tape instead of watching")->option_text("FILE");
}

void add_stream_options(CLI::App& app, Options& options, Typed& typed) {
  app.add_option("-e,--events", typed.actions, "Only these events")
      ->option_text("EVENT[,EVENT]...");
  app.add_flag("--all-resets", options.all_resets,
               "Resets of accepted connections, too: reason `established`");
  app.add_option("-o,--output", options.output,
                 "Write records there, and text to the terminal; SIGHUP reopens it")
      ->option_text("FILE");
  app.add_option("-c,--count", typed.count, "Stop after that many records")->option_text("N");
  add_warning_options(app, typed);
  app.add_option("--sample", typed.sample,
                 "A record of each listener's queues that often (10 for ndjson; 0: never)")
      ->option_text("SECONDS");
  app.add_option("--rate", typed.rate,
                 "Past N records a second of one listener and reason, sum up (1000; 0: never)")
      ->option_text("N");
  app.add_option("--ready-fd", typed.ready_fd, "Write one byte there when every probe is live")
      ->option_text("N");
  app.add_option("--color", typed.colour, "Colour in text; `auto`: on a terminal")
      ->option_text("auto|always|never");
}

tl::unexpected<Error> wrong(std::string what) {
  return failure(std::move(what), "`acceptwatch --help` lists the options.", ExitStatus::usage);
}

tl::unexpected<Error> wrong(const char* option, const Error& error) {
  return wrong(fmt::format("{}: {}", option, error.what));
}

/// An option, given before the subcommand or after it. Null if it was not given.
const CLI::Option* given(const CLI::App& app, const char* name) {
  const auto find = [&](const CLI::App& one) -> const CLI::Option* {
    const auto* option = one.get_option_no_throw(name);
    return option && option->count() ? option : nullptr;
  };
  const auto commands = app.get_subcommands();
  const auto* before = find(app);
  return before || commands.empty() ? before : find(*commands.front());
}

Result<void> interpret_filters(const CLI::App& app, const Typed& typed, Options& options) {
  if (given(app, "--port")) {
    const auto ports = parse_ports(typed.ports);
    if (!ports)
      return wrong("--port", ports.error());
    options.ports = *ports;
  }
  if (app.get_option("--events")->count()) {
    const auto actions = parse_actions(typed.actions);
    if (!actions)
      return wrong("--events", actions.error());
    options.actions = *actions;
  }
  if (given(app, "--netns")) {
    const auto netns = parse_netns(typed.netns);
    if (!netns)
      return wrong("--netns", netns.error());
    options.netns = *netns;
  }
  if (typed.ipv4 && typed.ipv6)
    return wrong("--ipv4 and --ipv6 exclude each other");
  options.family = typed.ipv4 ? AF_INET : typed.ipv6 ? AF_INET6 : 0;
  for (const char* name :
       {"--port", "--pid", "--comm", "--cgroup", "--netns", "--ipv4", "--ipv6", "--events"}) {
    const auto* option = given(app, name);
    if (!option)
      continue;
    auto filter = fmt::format("{}={}", name + 2, fmt::join(option->results(), ","));
    if (filter.size() > max_filter_text)
      filter = filter.substr(0, max_filter_text) + "...";
    options.filters.push_back(std::move(filter));
  }
  return {};
}

/// `explain PORT` takes no filter but --netns: others could hide what explains the losses.
Result<void> interpret_explained(const Typed& typed, Options& options) {
  if (options.command != Command::explain)
    return {};
  const auto port = parse_number<uint16_t>(typed.explained);
  if (port.value_or(0) == 0)
    return wrong(fmt::format("explain: '{}' is not a port, 1 to 65535", typed.explained));
  for (const auto& filter : options.filters) {
    if (!filter.starts_with("netns="))
      return wrong(
          fmt::format("explain takes a port, and of the filters --netns alone: {}", filter));
  }
  options.explained = port;
  options.ports.emplace().set(*port);
  options.filters.push_back(fmt::format("port={}", *port));
  return {};
}

Result<void> interpret_limits(const CLI::App& app, const Typed& typed, Options& options) {
  if (given(app, "--duration")) {
    if (!(typed.duration > 0) || typed.duration > 1e9)
      return wrong("--duration: wants seconds, more than 0");
    options.duration = typed.duration;
  }
  if (app.get_option("--count")->count()) {
    // Parsed here: CLI11 takes a number that is too large modulo 2^64.
    options.count = parse_number<uint64_t>(typed.count);
    if (options.count.value_or(0) == 0)
      return wrong("--count: wants a number of records, at least 1");
  }
  if (app.get_option("--pressure")->count()) {
    if (typed.pressure < 1 || typed.pressure > 100)
      return wrong("--pressure: wants a share in percent, 1 to 100");
    options.pressure_percent = static_cast<uint8_t>(typed.pressure);
  }
  if (app.get_option("--stall")->count()) {
    if (!(typed.stall > 0) || typed.stall > 1e9)
      return wrong("--stall: wants seconds, more than 0");
    options.stall_seconds = typed.stall;
  }
  if (app.get_option("--sample")->count()) {
    constexpr double least = 0.1;
    if (typed.sample != 0 && !(typed.sample >= least && typed.sample <= 1e9))
      return wrong("--sample: wants seconds, 0.1 or more, or 0 for no samples");
    options.sample_seconds = typed.sample;
  }
  if (app.get_option("--rate")->count()) {
    const auto rate = parse_number<uint32_t>(typed.rate);
    if (!rate || *rate > max_rate)
      return wrong(fmt::format("--rate: wants records a second, 0 to {}", max_rate));
    options.rate = *rate;
  }
  if (app.get_option("--ready-fd")->count()) {
    if (typed.ready_fd <= STDERR_FILENO)
      return wrong(fmt::format("--ready-fd: {} is one of the standard streams", typed.ready_fd));
    if (fcntl(typed.ready_fd, F_GETFD) < 0)
      return wrong(fmt::format("--ready-fd: {} is no open file descriptor", typed.ready_fd));
    options.ready_fd = typed.ready_fd;
  }
  return {};
}

Result<void> interpret_names(const Typed& typed, Options& options) {
  if (typed.format == "ndjson" || typed.json)
    options.format = OutputFormat::ndjson;
  else if (typed.format != "text")
    return wrong(fmt::format("--format: '{}' is neither text nor ndjson", typed.format));
  if (typed.colour == "always")
    options.colour = Colour::always;
  else if (typed.colour == "never")
    options.colour = Colour::never;
  else if (typed.colour != "auto")
    return wrong(fmt::format("--color: '{}' is not auto, always or never", typed.colour));
  if (typed.probes == "auto")
    return {};
  options.tier = source_named(typed.probes);
  if (!options.tier)
    return wrong(fmt::format("--probes: '{}' is not auto, fentry, kprobe, tracepoint or poll",
                             typed.probes));
  return {};
}

/// A variable of a script that was not set would be taken for an option that was not given.
Result<void> refuse_empty_values(const CLI::App& app) {
  for (const CLI::Option* option : app.get_options()) {
    if (std::ranges::find(option->results(), std::string{}) != option->results().end())
      return wrong(fmt::format("{}: the value is empty", option->get_name()));
  }
  for (const CLI::App* command : app.get_subcommands()) {
    if (auto done = refuse_empty_values(*command); !done)
      return done;
  }
  return {};
}

Result<void> interpret(const CLI::App& app, const Typed& typed, Options& options) {
  if (auto done = interpret_filters(app, typed, options); !done)
    return done;
  if (auto done = interpret_explained(typed, options); !done)
    return done;
  if (auto done = interpret_limits(app, typed, options); !done)
    return done;
  if (auto done = interpret_names(typed, options); !done)
    return done;
  return refuse_empty_values(app);
}

} // namespace

Result<std::variant<Options, Answer>> parse_command_line(int argc, const char* const* argv) {
  Options options;
  Typed typed;
  CLI::App app{description, "acceptwatch"};
  app.footer(exit_statuses);
  app.set_version_flag("--version", fmt::format("acceptwatch {}", version()));
  add_listener_filters(app, options, typed);
  add_stream_options(app, options, typed);
  add_tape_options(app, options);
  add_duration(app, typed);
  add_format(app, options, typed);
  add_probe_options(app, options, typed);
  add_common_options(app, options, typed);
  app.require_subcommand(0, 1);
  auto* explain = app.add_subcommand(
      "explain", "Watches a port until something fails, and says why and what to do");
  explain->footer(exit_statuses);
  explain->add_option("PORT", typed.explained, "The listening port")->required();
  add_netns(*explain, typed);
  add_duration(*explain, typed);
  add_probe_options(*explain, options, typed);
  add_common_options(*explain, options, typed);
  auto* check = app.add_subcommand(
      "check", "What this kernel and these privileges allow, and what to do about the rest");
  check->footer(exit_statuses);
  add_probe_options(*check, options, typed);
  add_common_options(*check, options, typed);
  auto* list = app.add_subcommand(
      "list", "Every listener: its owner, both queues with their limits, and its drops");
  list->footer(exit_statuses);
  list->add_option("-d,--duration", typed.duration,
                   "Look at the queues for so many seconds, and show how full they were");
  add_listener_filters(*list, options, typed);
  add_format(*list, options, typed);
  add_common_options(*list, options, typed);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    const auto commands = app.get_subcommands();
    return Answer{commands.empty() ? app.help() : commands.front()->help("acceptwatch")};
  } catch (const CLI::CallForVersion& call) {
    return Answer{std::string{call.what()} + "\n"};
  } catch (const CLI::ParseError& error) {
    return wrong(error.what());
  }
  if (explain->parsed())
    options.command = Command::explain;
  if (check->parsed())
    options.command = Command::check;
  if (list->parsed())
    options.command = Command::list;
  if (auto done = interpret(app, typed, options); !done)
    return tl::unexpected{done.error()};
  return options;
}

} // namespace acceptwatch
