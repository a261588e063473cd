// SPDX-License-Identifier: Apache-2.0
#include "base/version.h"
#include "commands/commands.h"
#include "commands/diagnostics.h"
#include "commands/event_loop.h"
#include "commands/opening.h"
#include "commands/outputs.h"
#include "commands/recorder.h"
#include "commands/scope.h"
#include "commands/service_manager.h"
#include "commands/signals.h"
#include "events/names.h"
#include "host/clock.h"
#include "host/identity.h"
#include "host/privileges.h"
#include "host/procfs.h"
#include "host/user.h"
#include "kernel/plan.h"
#include "kernel/reasons.h"
#include "output/audit.h"
#include "probes/probe_features.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <fmt/format.h>
#include <malloc.h>
#include <sys/epoll.h>
#include <unistd.h>

namespace acceptwatch {
namespace {

constexpr double tick_seconds = 1;
constexpr double busy_tick_seconds = 0.1;
/// The first record is read at once; those that follow closely are read together, which
/// spares both the kernel and this process waking for each.
constexpr double pause_seconds = 0.01;
/// A run ends within two seconds of being told to, whatever its readers do.
constexpr double farewell_seconds = 1.5;
/// What a burst has used is given back to the host: free() keeps what is not at the heap's end.
constexpr uint64_t trim_pause_ns = 30'000'000'000;

/// That something may pass unseen is said whatever the format is.
void announce(const Plan& plan, const Options& options) {
  const bool unseen = std::any_of(plan.blind.begin(), plan.blind.end(),
                                  [](const BlindSpot& spot) { return spot.field.empty(); });
  const bool for_a_person = options.format == OutputFormat::text || options.verbosity;
  if (options.quiet || (!for_a_person && !unseen))
    return;
  print_note(fmt::format(
      "watching by {}; Ctrl-C ends.{}", name_of(plan.tier),
      unseen ? " Some losses could pass unseen: the start record and `acceptwatch check` name them."
             : ""));
}

/// A filter may be mistyped; and a service that is not there yet may come.
void warn_of_nothing_to_watch(const Monitor& monitor, const Options& options) {
  if (options.quiet || monitor.has_wanted_listener())
    return;
  auto filters = options.filters;
  std::erase_if(filters, [](const std::string& filter) { return filter.starts_with("events="); });
  if (!filters.empty())
    print_note(fmt::format("no listener matches {} now; acceptwatch waits for one.",
                           fmt::join(filters, " ")));
}

/// CAP_DAC_OVERRIDE is kept where a file could not be opened anew without it.
bool needs_override(const Outputs& outputs, bool quiet) {
  bool needed = false;
  for (const Outlet* file : outputs.files()) {
    if (can_write_unprivileged(file->directory(), file->file_name()))
      continue;
    needed = true;
    if (quiet)
      continue;
    print_note(fmt::format("keeps CAP_DAC_OVERRIDE, to open {} anew at SIGHUP, in a directory of "
                           "another user.",
                           file->name()));
  }
  return needed;
}

Result<void> close_off(const Plan& plan, const Outputs& outputs, Seal seal) {
  SealNeeds needs;
  needs.sock_diag = plan.tier == AW_SOURCE_POLL;
  needs.bpf = !needs.sock_diag;
  for (const Outlet* file : outputs.files())
    needs.directories.push_back(file->directory());
  const auto sealed = seal(needs);
  if (!sealed)
    return tl::unexpected{sealed.error()};
  if (!*sealed)
    print_note("this kernel cannot filter system calls (CONFIG_SECCOMP_FILTER): the run goes on "
               "without.");
  return {};
}

Result<void> give_up_privileges(const Plan& plan, const Outputs& outputs, bool quiet) {
  const auto files = ProcFs{}.host_files();
  const bool none_left = files && files->is_exhausted();
  if (none_left)
    print_note(fmt::format("{} of {} files (fs.file-max) are open on this host: acceptwatch keeps "
                           "CAP_SYS_ADMIN, since it could look at nothing otherwise.",
                           files->open, files->limit));
  return drop_privileges({.bpf = plan.tier != AW_SOURCE_POLL,
                          .writes_elsewhere = needs_override(outputs, quiet),
                          .exceeds_file_max = none_left});
}

Result<void> change_user(const Options& options) {
  if (options.user.empty())
    return {};
  const auto user = find_user(options.user);
  return user ? become_user(*user) : Result<void>{tl::unexpected{user.error()}};
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

/// One run: what is open, and what happens when something is ready.
class Watch {
public:
  Watch(const Options& options, Seal seal) : options_(options), seal_(seal) {}

  [[nodiscard]] Result<void> open();
  [[nodiscard]] Result<void> run();
  [[nodiscard]] Outcome outcome() const { return recorder_->monitor().snapshot().outcome; }

private:
  [[nodiscard]] Result<void> open_recorder(const Features& features, const Plan& plan);
  [[nodiscard]] Result<void> open_loop();
  [[nodiscard]] Result<void> begin();
  [[nodiscard]] Result<void> finish();
  void on_records();
  void on_tick();
  void on_signal();
  /// True: more may wait.
  bool read_records();
  void after_telling();

  const Options& options_;
  Seal seal_;
  Clock clock_;
  std::unique_ptr<Outputs> outputs_;
  ServiceManager manager_ = ServiceManager::connect();
  std::optional<Plan> plan_;
  Probes probes_;
  Start start_;
  std::unique_ptr<Recorder> recorder_;
  std::optional<EventLoop> loop_;
  UniqueFd signals_;
  std::optional<Timer> tick_;
  std::optional<Timer> pause_; ///< until records are waited for again
  std::optional<Timer> duration_;
  bool busy_ = false;
  uint64_t next_trim_ns_ = 0;
  std::optional<Error> error_;
};

Result<void> Watch::open() {
  if (auto changed = change_user(options_); !changed)
    return changed;
  auto outputs = Outputs::open(options_);
  if (!outputs)
    return tl::unexpected{outputs.error()};
  outputs_ = std::move(*outputs);
  const auto features = probe_features(options_.btf);
  if (!features)
    return tl::unexpected{features.error()};
  auto opened_probes = open_planned(*features, options_);
  if (!opened_probes)
    return tl::unexpected{opened_probes.error()};
  plan_ = std::move(opened_probes->plan);
  probes_ = std::move(opened_probes->probes);
  if (auto opened = open_recorder(*features, *plan_); !opened)
    return opened;
  return open_loop();
}

Result<void> Watch::open_recorder(const Features& features, const Plan& plan) {
  std::optional<TapeFile> tape;
  if (!options_.tape.empty()) {
    auto created = TapeFile::create(options_.tape);
    if (!created)
      return tl::unexpected{created.error()};
    tape = std::move(*created);
  }
  start_ = {0,
            std::string{version()},
            features.kernel_release,
            plan.tier,
            probes_.attached,
            options_.filters,
            host_name(),
            boot_id(),
            plan.blind};
  recorder_ = std::make_unique<Recorder>(
      TapeHead{scope_of(options_, plan, probes_), start_, kernel_reasons(features)},
      std::move(tape), options_.tape_leaves_out_names, probes_, *outputs_);
  return {};
}

/// While nothing can fail: fs.file-max does not hold for CAP_SYS_ADMIN, which is given up.
Result<void> Watch::open_loop() {
  auto signals = open_signals();
  auto loop = EventLoop::open();
  if (!signals || !loop)
    return tl::unexpected{signals ? loop.error() : signals.error()};
  signals_ = std::move(*signals);
  loop_ = std::move(*loop);
  for (auto* timer : {&tick_, &pause_, &duration_}) {
    auto opened = Timer::open();
    if (!opened)
      return tl::unexpected{opened.error()};
    *timer = std::move(*opened);
  }
  const auto add = [this](int fd, void (Watch::*handler)()) {
    return loop_->add(fd, EPOLLIN, [this, handler](uint32_t) { (this->*handler)(); });
  };
  for (auto added : {add(probes_.records->fd(), &Watch::on_records),
                     add(signals_.get(), &Watch::on_signal), add(tick_->fd(), &Watch::on_tick)}) {
    if (!added)
      return added;
  }
  if (auto added = loop_->add(pause_->fd(), EPOLLIN,
                              [this](uint32_t) {
                                pause_->acknowledge();
                                loop_->change(probes_.records->fd(), EPOLLIN);
                              });
      !added)
    return added;
  if (auto added = loop_->add(duration_->fd(), EPOLLIN, [this](uint32_t) { loop_->stop(); });
      !added)
    return added;
  return outputs_->wait_in(*loop_);
}

Result<void> Watch::begin() {
  if (options_.explained)
    probes_.looks->follow_translations(options_.netns, *options_.explained);
  auto begun = recorder_->begin([this]() -> Result<Instant> {
    if (auto activated = probes_.records->activate(); !activated)
      return tl::unexpected{activated.error()};
    const Instant now = clock_.now();
    start_.time = now.wall_time();
    outputs_->take(start_);
    return now;
  });
  outputs_->flush();
  if (!begun)
    return begun;
  probes_.looks->limit_looks(options_.look_share);
  if (auto given_up = give_up_privileges(*plan_, *outputs_, options_.quiet); !given_up)
    return given_up;
  if (auto closed = close_off(*plan_, *outputs_, seal_); !closed)
    return closed;
  announce(*plan_, options_);
  warn_of_nothing_to_watch(recorder_->monitor(), options_);
  manager_.tell_ready();
  return tell_ready(options_);
}

bool Watch::read_records() {
  clock_.adjust();
  const auto more = probes_.records->drain([this](const Record& record, uint64_t count) {
    recorder_->apply(record, count, clock_.now());
  });
  if (!more) {
    error_ = more.error();
    loop_->stop();
  }
  return more.value_or(false);
}

void Watch::after_telling() {
  outputs_->flush();
  const Monitor& monitor = recorder_->monitor();
  if (monitor.has_told_all() ||
      (options_.command == Command::explain && monitor.is_settled(clock_.now())))
    loop_->stop();
  if (monitor.is_busy() != busy_) {
    busy_ = !busy_;
    tick_->set(busy_ ? busy_tick_seconds : tick_seconds);
  }
}

void Watch::on_records() {
  if (!read_records()) {
    loop_->change(probes_.records->fd(), 0);
    pause_->set(pause_seconds);
  }
  // In a flood this is the only entry that is ever ready.
  recorder_->tick(clock_.now());
  after_telling();
}

/// Not every record wakes: changes of processes wait for an event, or for this.
void Watch::on_tick() {
  tick_->acknowledge();
  read_records();
  const Instant now = clock_.now();
  recorder_->tick(now);
  manager_.tell_alive(now.boot_ns);
  if (now.boot_ns >= next_trim_ns_) {
    malloc_trim(0);
    next_trim_ns_ = now.boot_ns + trim_pause_ns;
  }
  tick_->set(busy_ ? busy_tick_seconds : tick_seconds);
  after_telling();
}

void Watch::on_signal() {
  switch (read_signal(signals_.get())) {
  case SIGUSR1:
    recorder_->audit(clock_.now());
    print_text(audit_text(*recorder_->monitor().snapshot().audit));
    return;
  case SIGHUP:
    outputs_->reopen(clock_.now().wall_time());
    outputs_->flush();
    return;
  default:
    loop_->stop();
  }
}

Result<void> Watch::run() {
  if (auto begun = begin(); !begun)
    return begun;
  tick_->set(tick_seconds);
  if (options_.duration)
    duration_->set(*options_.duration);
  if (auto looped = loop_->run(); !looped)
    return looped;
  if (error_)
    return tl::unexpected{*error_};
  return finish();
}

Result<void> Watch::finish() {
  manager_.tell_stopping();
  recorder_->stop([this] { probes_.records->deactivate(); }, clock_.now());
  while (read_records()) {
  }
  const auto complete = recorder_->finish(clock_.now());
  outputs_->take(recorder_->monitor().snapshot());
  const auto written = outputs_->flush_for(farewell_seconds);
  return complete ? written : complete;
}

} // namespace

Result<ExitStatus> watch(const Options& options, Seal seal) {
  show_libbpf_messages(options.verbosity > 1);
  Watch run{options, seal};
  if (auto opened = run.open(); !opened)
    return tl::unexpected{opened.error()};
  if (auto ended = run.run(); !ended)
    return tl::unexpected{ended.error()};
  const Outcome outcome = run.outcome();
  if (options.command != Command::explain || outcome == Outcome::found)
    return ExitStatus::ok;
  return outcome == Outcome::well ? ExitStatus::nothing : ExitStatus::unknown;
}

} // namespace acceptwatch
