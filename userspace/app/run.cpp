// SPDX-License-Identifier: Apache-2.0
#include "app/run.h"

#include "app/diagnostics.h"
#include "app/filter.h"
#include "app/signals.h"
#include "app/stream.h"
#include "cli/parse.h"
#include "events/names.h"
#include "output/audit.h"
#include "output/explain.h"
#include "output/ndjson.h"
#include "output/text.h"
#include "probes/plan.h"
#include "probes/poll.h"
#include "probes/privileges.h"
#include "probes/reasons.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

namespace acceptwatch {
namespace {

constexpr double tick_seconds = 1;
constexpr int busy_pause_ms = 100;

/// NO_COLOR: https://no-color.org
bool use_colour(const Options& options, const OutputFile& output) {
  if (options.colour != Colour::automatic)
    return options.colour == Colour::always;
  const char* no_colour = std::getenv("NO_COLOR");
  return output.is_terminal() && (!no_colour || !*no_colour);
}

std::unique_ptr<Formatter> make_formatter(const Options& options, const OutputFile& output) {
  if (options.explained)
    return std::make_unique<ExplainFormatter>(*options.explained,
                                              options.format == OutputFormat::ndjson);
  if (options.format == OutputFormat::ndjson)
    return std::make_unique<NdjsonFormatter>();
  return std::make_unique<TextFormatter>(TextStyle{options.wide, use_colour(options, output)});
}

Result<std::unique_ptr<Source>> open_source(const Plan& plan, const Options& options) {
  if (plan.tier == AW_SOURCE_POLL)
    return open_poll();
  return open_session(plan, kernel_filter(options), options.btf);
}

Start make_start(const Features& features, const Plan& plan, const Source& source,
                 const Options& options) {
  return {0,         std::string{version()}, features.kernel_release,
          plan.tier, source.probes(),        options.filters};
}

void announce(const Plan& plan, const Options& options) {
  if (options.quiet || (options.format == OutputFormat::ndjson && !options.verbosity))
    return;
  const bool unseen = std::any_of(plan.blind.begin(), plan.blind.end(),
                                  [](const BlindSpot& spot) { return spot.field.empty(); });
  print_note(
      fmt::format("watching by {}; Ctrl-C ends.{}", name_of(plan.tier),
                  unseen ? " Some events are out of its sight: see `acceptwatch check`." : ""));
}

Result<void> give_up_privileges(const Options& options) {
  const auto files = ProcFs{}.host_files();
  const bool none_left = files && files->is_exhausted();
  if (none_left)
    print_note(fmt::format("{} of {} files (fs.file-max) are open on this host: acceptwatch keeps "
                           "CAP_SYS_ADMIN, since it could look at nothing otherwise.",
                           files->open, files->limit));
  return drop_privileges({.reopens_file = !options.output.empty(), .exceeds_file_max = none_left});
}

Result<void> tell_ready(const Options& options) {
  if (!options.ready_fd)
    return {};
  constexpr char ready = '1';
  if (write(*options.ready_fd, &ready, 1) != 1)
    return system_failure("cannot write to the descriptor given to --ready-fd", errno);
  close(*options.ready_fd);
  return {};
}

/// False: it asks for the end.
bool handle_signal(int number, Stream& stream, OutputFile& output) {
  if (number == SIGUSR1) {
    print_text(audit_text(stream.audit()));
    return true;
  }
  if (number != SIGHUP)
    return false;
  // The old file still takes records: better there than nowhere.
  if (auto reopened = output.reopen(); !reopened)
    print_error(reopened.error());
  return true;
}

struct Timers {
  UniqueFd tick;
  UniqueFd duration; ///< none: there is no end
};

/// While that cannot fail: fs.file-max does not hold for CAP_SYS_ADMIN, which is given up.
Result<Timers> open_timers(const Options& options) {
  auto tick = open_timer(tick_seconds, true);
  auto duration = options.duration ? open_timer(*options.duration, false) : UniqueFd{};
  if (!tick || !duration)
    return tl::unexpected{(tick ? duration : tick).error()};
  return Timers{std::move(*tick), std::move(*duration)};
}

struct Waits {
  enum Index : size_t { source, signals, tick, duration, count };
};

/// The first record is read at once; those that follow closely are read together, which
/// spares both the kernel and this process waking for each.
class Batches {
public:
  [[nodiscard]] bool pausing() const { return Time::now() < next_; }
  void read_now() { next_ = Time::now() + pause; }

  /// For poll(): until the pause is over, or what is folded or judged is due.
  [[nodiscard]] int timeout_ms(bool busy) const {
    if (pausing())
      return static_cast<int>(
          std::chrono::ceil<std::chrono::milliseconds>(next_ - Time::now()).count());
    return busy ? busy_pause_ms : -1;
  }

private:
  using Time = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds pause{10};
  Time::time_point next_;
};

/// Until a signal, the end of the time, enough records, or a closed pipe.
Result<void> loop(Stream& stream, const Source& source, const Timers& timers, OutputFile& output,
                  int signals) {
  std::array<pollfd, Waits::count> waits{{{source.fd(), POLLIN, 0},
                                          {signals, POLLIN, 0},
                                          {timers.tick.get(), POLLIN, 0},
                                          {timers.duration.get(), POLLIN, 0}}};
  Batches batches;
  while (!stream.done()) {
    waits[Waits::source].fd = batches.pausing() ? -1 : source.fd();
    const int ready = poll(waits.data(), waits.size(), batches.timeout_ms(stream.busy()));
    if (ready < 0 && errno != EINTR)
      return system_failure("cannot wait for records", errno);
    // Not every record wakes: changes of processes wait for an event, or the tick.
    if (ready == 0 || waits[Waits::source].revents || waits[Waits::tick].revents) {
      batches.read_now();
      if (auto drained = stream.drain(); !drained)
        return drained;
    }
    if (waits[Waits::tick].revents) {
      uint64_t expirations = 0;
      static_cast<void>(read(timers.tick.get(), &expirations, sizeof(expirations)));
      if (auto reported = stream.report_losses(); !reported)
        return reported;
    }
    if (waits[Waits::signals].revents && !handle_signal(read_signal(signals), stream, output))
      return {};
    if (waits[Waits::duration].revents)
      return {};
  }
  return {};
}

} // namespace

Result<bool> run_stream(const Options& options) {
  show_libbpf_messages(options.verbosity > 1);
  auto output = OutputFile::open(options.output);
  if (!output)
    return tl::unexpected{output.error()};
  auto signals = open_signals();
  if (!signals)
    return tl::unexpected{signals.error()};
  const auto features = probe_features(options.btf);
  if (!features)
    return tl::unexpected{features.error()};
  const auto plan = make_plan(*features, options.tier);
  if (!plan)
    return tl::unexpected{plan.error()};
  auto source = open_source(*plan, options);
  if (!source)
    return tl::unexpected{source.error()};
  const auto formatter = make_formatter(options, *output);

  Stream stream{options,    **source, kernel_reason_names(*features), audit_scope(options, *plan),
                *formatter, *output};
  if (auto begun = stream.begin(make_start(*features, *plan, **source, options)); !begun)
    return tl::unexpected{begun.error()};
  const auto timers = open_timers(options);
  if (!timers)
    return tl::unexpected{timers.error()};
  if (auto given_up = give_up_privileges(options); !given_up)
    return tl::unexpected{given_up.error()};
  announce(*plan, options);
  if (auto told = tell_ready(options); !told)
    return tl::unexpected{told.error()};
  if (auto looped = loop(stream, **source, *timers, *output, signals->get()); !looped)
    return tl::unexpected{looped.error()};
  if (auto finished = stream.finish(); !finished)
    return tl::unexpected{finished.error()};
  return options.command != Command::explain || stream.has_found();
}

} // namespace acceptwatch
