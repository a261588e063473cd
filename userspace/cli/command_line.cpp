// SPDX-License-Identifier: Apache-2.0
#include "cli/command_line.h"

#include "base/version.h"
#include "cli/help_format.h"

namespace acceptwatch {
namespace {

constexpr const char* description =
    "Shows every handshake that a listening TCP socket loses: which socket, whose,\n"
    "at which packet, how full its queues were, and why.";

constexpr const char* examples =
    "Examples:\n"
    "  acceptwatch                   all that is lost, as it happens\n"
    "  acceptwatch explain 8080      why port 8080 fails, and what to do\n"
    "  acceptwatch -P http,8000-8010 -d 5m -j -o losses.ndjson\n"
    "  acceptwatch list              all listeners and their queues\n\n";

constexpr const char* exit_statuses =
    "Exit status: 0 stopped as asked, 1 failure at run time, 2 wrong usage,\n"
    "3 this kernel cannot serve what was asked, 4 privileges missing,\n"
    "5 `explain`: nothing is wrong, 6 `explain`: nothing seen, but not all could be.";

// Titles in the help.
constexpr const char* which_listeners = "Which listeners";
constexpr const char* what_is_told = "What is told";
constexpr const char* where_to = "Where to, and how it looks";
constexpr const char* how_long = "How long";
constexpr const char* how_it_watches = "How it watches";
constexpr const char* tapes = "Tapes: what came in, to be played again";

constexpr const char* seconds_or_unit = "SECONDS|500ms|5m|1h";

void add_common_options(CLI::App& app, Options& options, Typed& typed) {
  app.add_flag("-j,--json", typed.json, "The same as --format ndjson")->group(where_to);
  app.add_flag("-v,--verbose", options.verbosity, "Say more on standard error; -vv: libbpf too")
      ->group(where_to);
}

void add_probe_options(CLI::App& app, Options& options, Typed& typed) {
  app.add_option("--probes", typed.probes, "What to watch with; `auto` is the best there is")
      ->option_text("auto|fentry|kprobe|tracepoint|poll")
      ->group(how_it_watches);
  app.add_option("--btf", options.btf, "Type information of a kernel that carries none")
      ->option_text("FILE")
      ->group(how_it_watches);
  // For tests, and in no help: CONTRIBUTING.md, "Take a probe away".
  app.add_option("--without-probe", options.withheld)->delimiter(',')->take_all()->group("");
}

void add_netns(CLI::App& app, Typed& typed) {
  app.add_option("--netns", typed.netns, "Only this network namespace; a name is one of `ip netns`")
      ->option_text("NAME|PATH|PID|INODE")
      ->group(which_listeners);
}

/// A list of its own, which may be given again.
CLI::Option* add_repeated(CLI::App& app, const char* names, std::vector<std::string>& values,
                          const char* sentence, const char* form) {
  return app.add_option(names, values, sentence)
      ->option_text(form)
      ->take_all()
      ->allow_extra_args(false)
      ->group(which_listeners);
}

void add_listener_filters(CLI::App& app, Options& options, Typed& typed) {
  add_repeated(app, "-P,--port,PORT", typed.ports,
               "Only these listening ports; names are those of services(5)", "PORT|NAME|A-B[,...]");
  add_repeated(app, "-p,--pid", typed.pids, "Only listeners that these processes hold",
               "PID[,...]");
  add_repeated(app, "--comm", options.comms, "Only listeners of processes of this name", "NAME");
  add_repeated(app, "--cgroup", options.cgroups,
               "Only listeners of processes in or below this cgroup", "PATH");
  add_netns(app, typed);
  app.add_flag("-4,--ipv4", typed.ipv4, "Only IPv4")->group(which_listeners);
  app.add_flag("-6,--ipv6", typed.ipv6, "Only IPv6")->group(which_listeners);
}

void add_format(CLI::App& app, Options& options, Typed& typed) {
  app.add_option("--format", typed.format, "Format of the records")
      ->option_text("text|ndjson")
      ->group(where_to);
  app.add_flag("--wide", options.wide, "Text: all columns, instead of 80 characters")
      ->group(where_to);
  app.add_flag("-q,--quiet", options.quiet, "Say nothing on standard error but errors")
      ->group(where_to);
}

void add_duration(CLI::App& app, Typed& typed, const char* sentence) {
  app.add_option("-d,--duration", typed.duration, sentence)
      ->option_text(seconds_or_unit)
      ->group(how_long);
}

/// A unit's options, one a line. A name that is none is an error, as it is on the command line.
void add_config(CLI::App& app) {
  app.set_config("--config", "",
                 "Read options there, one a line, as in `port = 80,443`; those typed win")
      ->option_text("FILE")
      ->group(how_it_watches);
  app.allow_config_extras(CLI::config_extras_mode::error);
}

void add_user(CLI::App& app, Options& options) {
  app.add_option("--user", options.user,
                 "Run as that user, with the capabilities that are needed and no others")
      ->option_text("NAME|UID")
      ->group(how_it_watches);
}

void add_look_budget(CLI::App& app, Typed& typed) {
  app.add_option("--look-budget", typed.look_budget,
                 "Of a CPU, for looks at processes; what it does not allow is left out (25)")
      ->option_text("PERCENT")
      ->group(how_it_watches);
}

void add_tape_options(CLI::App& app, Options& options) {
  app.add_option("--tape", options.tape,
                 "Write what comes in there too, for --play and for reports of bugs")
      ->option_text("FILE")
      ->group(tapes);
  app.add_flag("--tape-private", options.tape_leaves_out_names,
               "The tape has no addresses, and no names of processes and cgroups")
      ->group(tapes);
  app.add_option("--play", options.played, "Play a tape instead of watching")
      ->option_text("FILE")
      ->group(tapes);
}

CLI::Option* add_after_accept(CLI::App& app, Options& options) {
  return app.add_flag("--after-accept", options.after_accept,
                      "Connections that are accepted and closed at once, unserved, and by whom");
}

void add_told_options(CLI::App& app, Options& options, Typed& typed) {
  add_repeated(app, "-e,--events", typed.actions, "Only these events", "EVENT[,...]")
      ->group(what_is_told);
  app.add_flag("--all-resets", options.all_resets,
               "Resets of accepted connections, too: reason `established`")
      ->group(what_is_told);
  add_after_accept(app, options)->group(what_is_told);
  app.add_option("--pressure", typed.pressure,
                 "Warn when a queue is filled to that share of its limit (80)")
      ->option_text("PERCENT")
      ->group(what_is_told);
  app.add_option("--stall", typed.stall,
                 "Warn when connections wait and none was accepted for that long (1)")
      ->option_text(seconds_or_unit)
      ->group(what_is_told);
  app.add_option("--sample", typed.sample,
                 "A record of each listener's queues that often (10 for ndjson; 0: never)")
      ->option_text(seconds_or_unit)
      ->group(what_is_told);
  app.add_option("--rate", typed.rate,
                 "Past N records a second of one listener and reason, sum up (1000; 0: never)")
      ->option_text("N")
      ->group(what_is_told);
}

} // namespace

CommandLine::CommandLine() : app{description, "acceptwatch"} {
  app.formatter(std::make_shared<HelpFormat>());
  app.footer(std::string{examples} + exit_statuses);
  app.set_version_flag("--version", build_description());
  app.require_subcommand(0, 1);
  add_watch_options();
  add_explain();
  add_list();
  add_check();
  add_answers();
}

void CommandLine::add_watch_options() {
  add_listener_filters(app, options, typed);
  add_told_options(app, options, typed);
  app.add_option("-o,--output", options.output,
                 "Write records there, and text to the terminal; `-` is standard output; SIGHUP "
                 "opens it again")
      ->option_text("FILE")
      ->group(where_to);
  add_format(app, options, typed);
  add_common_options(app, options, typed);
  app.add_option("--color", typed.colour, "Colour in text; `auto`: on a terminal")
      ->option_text("auto|always|never")
      ->group(where_to);
  add_duration(app, typed, "Stop after that long");
  app.add_option("-c,--count", typed.count, "Stop after that many records")
      ->option_text("N")
      ->group(how_long);
  add_probe_options(app, options, typed);
  add_user(app, options);
  add_look_budget(app, typed);
  app.add_option("--ready-fd", typed.ready_fd, "Write one byte there when every probe is live")
      ->option_text("N")
      ->group(how_it_watches);
  add_config(app);
  add_tape_options(app, options);
}

void CommandLine::add_explain() {
  explain = app.add_subcommand("explain",
                               "Watches a port until something fails, and says why and what to do");
  explain->footer(exit_statuses);
  add_repeated(*explain, "-P,--port,PORT", typed.ports,
               "The listening port; names are those of services(5)", "PORT|NAME");
  add_netns(*explain, typed);
  add_duration(*explain, typed, "Stop after that long, though nothing failed");
  add_after_accept(*explain, options);
  add_probe_options(*explain, options, typed);
  add_user(*explain, options);
  add_look_budget(*explain, typed);
  add_common_options(*explain, options, typed);
}

void CommandLine::add_list() {
  list = app.add_subcommand(
      "list", "Every listener: its owner, both queues with their limits, and its drops");
  list->footer(exit_statuses);
  add_duration(*list, typed, "Look at the queues for so long, and show how full they were");
  add_listener_filters(*list, options, typed);
  add_format(*list, options, typed);
  add_common_options(*list, options, typed);
}

void CommandLine::add_check() {
  check = app.add_subcommand(
      "check", "What this kernel and these privileges allow, and what to do about the rest");
  check->footer(exit_statuses);
  add_after_accept(*check, options);
  add_probe_options(*check, options, typed);
  add_common_options(*check, options, typed);
}

/// Commands that only print.
void CommandLine::add_answers() {
  completion = app.add_subcommand("completion", "Prints a shell's script of completions");
  completion->add_option("SHELL", shell, "For which shell")->option_text("bash|zsh|fish");
  version = app.add_subcommand("version", "The same as --version");
  help = app.add_subcommand("help", "Help, of a command if one is named");
  help->add_option("COMMAND", help_wanted, "The command")->option_text("COMMAND");
}

std::vector<std::string> command_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const auto* command : app.get_subcommands({}))
    names.push_back(command->get_name());
  return names;
}

const CLI::App& CommandLine::typed_command() const {
  const auto commands = app.get_subcommands();
  return commands.empty() ? app : *commands.front();
}

std::string CommandLine::help_command() const {
  const auto& command = typed_command();
  return &command == &app ? "acceptwatch --help" : "acceptwatch " + command.get_name() + " --help";
}

std::string CommandLine::help_of(const CLI::App& command) const {
  return &command == &app ? command.help() : command.help("acceptwatch");
}

} // namespace acceptwatch
