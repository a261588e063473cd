// SPDX-License-Identifier: Apache-2.0
#include "probes/session.h"

#include "base/file.h"
#include "host/clock.h"
#include "host/proc_host.h"
#include "probes/early_accepts.h"
#include "probes/handles.h"
#include "probes/minimal_btf.h"
#include "probes/retired.h"
#include "probes/ring.h"
#include "probes/seed.h"
#include "probes/skipped_runs.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <direct.skel.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/membarrier.h>
#include <probe.skel.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace acceptwatch {
namespace {

using DirectObject = std::unique_ptr<direct_bpf, SkeletonDeleter<direct_bpf__destroy>>;
using ProbeObject = std::unique_ptr<probe_bpf, SkeletonDeleter<probe_bpf__destroy>>;

/// The globals of a loaded object: memory that is shared with its programs.
struct Globals {
  bool* active = nullptr;
  bool* folding = nullptr;
  const __u64* lost = nullptr;
  const __u64* uncounted = nullptr;
  const __u64* unfollowed = nullptr;
  bool* listened_ports = nullptr;
  bool* early_accepts_known = nullptr; ///< of direct.bpf.c
};

void disable_all_programs(bpf_object* object) {
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, object) bpf_program__set_autoload(program, false);
}

aw_config make_config(const Plan& plan, const KernelFilter& filter) {
  aw_config config = plan.config;
  config.family = filter.family;
  config.netns = filter.netns;
  config.actions = filter.actions;
  config.filter_ports = filter.ports.has_value();
  config.pressure_percent = filter.pressure_percent;
  config.all_resets = filter.all_resets;
  config.filters_owners = filter.owners;
  config.pace_ns = filter.rate ? 1'000'000'000 / filter.rate : 0;
  return config;
}

template <typename Skeleton>
void fill_constants(Skeleton& skeleton, const Plan& plan, const KernelFilter& filter) {
  const aw_config config = make_config(plan, filter);
  std::memcpy(&skeleton.rodata->aw_config, &config, sizeof(config));
  std::memcpy(&skeleton.rodata->aw_drop_classes, plan.drop_classes.data(),
              plan.drop_classes.size());
  if (!filter.ports)
    return;
  for (size_t port = 0; port < filter.ports->size(); ++port) {
    if (filter.ports->test(port))
      skeleton.rodata->aw_ports[port / 64] |= 1ULL << (port % 64);
  }
}

/// What a function answers that has as many programs as it can have (BPF_MAX_TRAMP_LINKS).
constexpr int withheld_error = E2BIG;

/// libbpf says which program the kernel refused to load, and nothing else does.
class RefusedLoad {
public:
  RefusedLoad() {
    refused_program.clear();
    shown_before = libbpf_set_print(nullptr);
    libbpf_set_print(note);
  }
  ~RefusedLoad() { libbpf_set_print(shown_before); }
  RefusedLoad(const RefusedLoad&) = delete;
  RefusedLoad& operator=(const RefusedLoad&) = delete;

  /// Empty: it was not for a program.
  [[nodiscard]] static const std::string& program() { return refused_program; }

private:
  [[gnu::format(printf, 2, 0)]] static int note(libbpf_print_level level, const char* format,
                                                va_list arguments) {
    va_list again;
    va_copy(again, arguments);
    std::array<char, 256> text{};
    std::vsnprintf(text.data(), text.size(), format, again);
    va_end(again);
    constexpr std::string_view begin = "libbpf: prog '";
    const std::string_view line{text.data()};
    const bool failed = line.find("': failed to load:") != std::string_view::npos ||
                        line.find("': failed to find kernel BTF") != std::string_view::npos;
    if (level == LIBBPF_WARN && failed && line.starts_with(begin))
      refused_program = line.substr(begin.size(), line.find('\'', begin.size()) - begin.size());
    return shown_before ? shown_before(level, format, arguments) : 0;
  }

  static inline std::string refused_program;
  static inline libbpf_print_fn_t shown_before = nullptr;
};

/// The main programs (direct.bpf.c or probe.bpf.c) and those of Seed.
class Session final : public RecordSource, public KernelControl, public ProcHost {
public:
  [[nodiscard]] Result<void> open(const Plan& plan, const KernelFilter& filter,
                                  const std::string& btf_file);
  [[nodiscard]] bool sees_queues() const { return seed_.can_scan(); }
  [[nodiscard]] bool sees_accept() const { return sees_accept_; }
  [[nodiscard]] const std::vector<std::string>& probes() const { return probes_; }
  [[nodiscard]] const Refusals& refused() const { return refused_; }

  // RecordSource
  Result<void> activate() override;
  void deactivate() override;
  int fd() const override { return ring_->fd(); }
  Result<bool> drain(const RecordHandler& handler) override;

  // KernelControl
  std::optional<aw_peaks> end_pressure(uint64_t listener) override;
  void mute(uint64_t listener, uint64_t until_ns) override;
  void unmute(uint64_t listener) override;
  bool count_arrivals(const aw_place& place) override { return seed_.count_arrivals(place); }
  void stop_counting(const aw_place& place) override { seed_.stop_counting(place); }
  void watch_chains(bool watch) override { seed_.watch_chains(watch); }
  void reclaim_counters(const UseOf& use_of) override;

  // Host
  ListenerLook look(const std::function<void(const aw_holder&)>& give) const override;
  std::vector<Counter> counters() const override;
  bool has_summed_up() const override { return std::atomic_ref{*globals_.folding}.exchange(false); }
  Losses losses() const override;
  std::optional<Waits> waits(uint64_t listener, uint64_t cookie) const override;
  uint64_t arrivals(const aw_place& place) const override { return seed_.arrivals(place); }
  std::optional<Chain> chain(uint64_t id) const override { return seed_.chain(id); }

protected:
  void add_stacks(const std::vector<uint32_t>& pids, ThreadStates& threads) const override {
    seed_.add_stacks(pids, threads);
  }

private:
  template <typename Skeleton, auto OpenOptions, auto Load, typename Object>
  Result<void> load_object(Object& owner, const Plan& plan, const KernelFilter& filter,
                           const bpf_object_open_opts& options);
  Result<void> load_seed(const Plan& plan);
  Result<void> attach(const Plan& plan);
  Result<void> attach_one(bpf_program* program);
  [[nodiscard]] Link attach_to_kernel(const bpf_program* program) const;
  void take_early_accepts();
  Result<void> open_ring();
  Result<void> count_cpus();
  using HolderVisit = std::function<void(const aw_holder&)>;
  [[nodiscard]] ListenerLook look_by_iterator(const HolderVisit& visit) const;
  [[nodiscard]] ListenerLook look_by_proc(const HolderVisit& visit) const;
  void add_counters(int map, std::vector<Counter>& counters) const;
  [[nodiscard]] Counter sum_of(const aw_counter_key& key,
                               const std::vector<aw_counts>& per_cpu) const;
  [[nodiscard]] std::optional<Counter> take_out(int map, const aw_counter_key& key) const;
  std::optional<Waits> waits_in_hash(uint64_t key) const;
  std::vector<aw_waits_slot> waits_slots(uint64_t key) const;

  DirectObject direct_;
  ProbeObject probe_;
  Seed seed_;
  std::optional<MinimalBtf> minimal_btf_; ///< while loading
  bpf_object* object_ = nullptr;          ///< of direct_ or probe_
  Globals globals_;
  std::vector<Attached> attached_;
  std::unique_ptr<EarlyAccepts> early_accepts_; ///< null: accept() is not seen
  std::unique_ptr<Ring> ring_;
  RetiredCounters retired_;
  std::vector<std::string> probes_;
  std::vector<std::string> withheld_;
  Refusals refused_;
  std::string cgroup_mount_;
  aw_source tier_ = AW_SOURCE_FENTRY;
  bool sees_accept_ = false;
  bool waits_by_cookie_ = false;
  size_t cpus_ = 0; ///< how many values an entry of a per-CPU map has
  bool active_ = false;
};

template <typename Skeleton, auto OpenOptions, auto Load, typename Object>
Result<void> Session::load_object(Object& owner, const Plan& plan, const KernelFilter& filter,
                                  const bpf_object_open_opts& options) {
  owner.reset(OpenOptions(&options));
  if (!owner)
    return load_failure("cannot open the embedded BPF object", -errno);
  object_ = owner->obj;
  disable_all_programs(object_);
  for (const auto& name : plan.programs) {
    bpf_program* program = bpf_object__find_program_by_name(object_, name.c_str());
    if (!program)
      return failure(fmt::format("the plan names an unknown program {}", name), report_hint);
    bpf_program__set_autoload(program, true);
  }
  // A mebibyte, for who asks for it.
  for (const char* map : {"aw_accepted_lately", "aw_accepted_counts"})
    bpf_map__set_autocreate(bpf_object__find_map_by_name(object_, map), plan.config.after_accept);
  fill_constants(*owner, plan, filter);
  if (auto made = minimal_btf_.emplace().make_for(object_, seed_.object()); !made)
    return made;
  const RefusedLoad watched;
  if (const int error = Load(owner.get())) {
    if (!watched.program().empty())
      refused_.emplace(watched.program(), -error);
    return load_failure("the kernel refuses the tracing programs", error);
  }
  globals_ = {&owner->bss->aw_active,   &owner->bss->aw_suppressing, owner->bss->aw_lost,
              owner->bss->aw_uncounted, &owner->bss->aw_unfollowed,  owner->bss->aw_listened_ports};
  if constexpr (std::is_same_v<Skeleton, direct_bpf>)
    globals_.early_accepts_known = &owner->bss->aw_early_accepts_known;
  return {};
}

/// Its programs run before the main ones: they are attached first.
Result<void> Session::load_seed(const Plan& plan) {
  if (auto loaded = seed_.load(plan, object_); !loaded)
    return loaded;
  return seed_.give_cookie() ? attach_one(seed_.give_cookie()) : Result<void>{};
}

Result<void> Session::open(const Plan& plan, const KernelFilter& filter,
                           const std::string& btf_file) {
  LIBBPF_OPTS(bpf_object_open_opts, options);
  cgroup_mount_ = plan.cgroup_mount;
  withheld_ = filter.withheld;
  tier_ = plan.tier;
  sees_accept_ = plan.config.accept_args != 0;
  waits_by_cookie_ = plan.config.can_make_cookies;
  if (plan.config.source == AW_SOURCE_KPROBE && !btf_file.empty())
    options.btf_custom_path = btf_file.c_str();
  if (auto opened = seed_.open(plan, options.btf_custom_path); !opened)
    return opened;
  auto loaded = plan.tier == AW_SOURCE_KPROBE
                    ? load_object<probe_bpf, probe_bpf__open_opts, probe_bpf__load>(probe_, plan,
                                                                                    filter, options)
                    : load_object<direct_bpf, direct_bpf__open_opts, direct_bpf__load>(
                          direct_, plan, filter, options);
  if (!loaded)
    return loaded;
  if (auto seeded = load_seed(plan); !seeded)
    return seeded;
  minimal_btf_.reset();
  if (auto ring = open_ring(); !ring)
    return ring;
  if (auto counted = count_cpus(); !counted)
    return counted;
  if (auto attached = attach(plan); !attached)
    return attached;
  take_early_accepts();
  return {};
}

/// Empty, and errno: it was refused.
Link Session::attach_to_kernel(const bpf_program* program) const {
  if (std::ranges::find(withheld_, bpf_program__name(program)) != withheld_.end()) {
    errno = withheld_error;
    return {};
  }
  if (bpf_program__type(program) != BPF_PROG_TYPE_CGROUP_SKB)
    return Link{bpf_program__attach(program)};
  const UniqueFd cgroup{::open(cgroup_mount_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  return cgroup ? Link{bpf_program__attach_cgroup(program, cgroup.get())} : Link{};
}

Result<void> Session::attach_one(bpf_program* program) {
  const char* section = bpf_program__section_name(program);
  Link link = attach_to_kernel(program);
  if (!link) {
    const int error = errno;
    refused_.emplace(bpf_program__name(program), error);
    return system_failure(fmt::format("cannot attach {}", section), error, report_hint,
                          ExitStatus::kernel);
  }
  probes_.emplace_back(section);
  attached_.push_back({std::move(link), program});
  return {};
}

/// All are tried, so that the next plan knows of all that are refused.
Result<void> Session::attach(const Plan& plan) {
  Result<void> all;
  for (const auto& name : plan.programs) {
    auto attached = attach_one(bpf_object__find_program_by_name(object_, name.c_str()));
    if (all && !attached)
      all = attached;
  }
  return all;
}

/// What is only attached for a while has an owner of its own.
void Session::take_early_accepts() {
  std::vector<Link> links;
  std::erase_if(attached_, [&](Attached& one) {
    const std::string_view name = bpf_program__name(one.program);
    const bool is_early = name == "accept_entered" || name == "accept_left";
    if (is_early)
      links.push_back(std::move(one.link));
    return is_early;
  });
  if (!links.empty())
    early_accepts_ = std::make_unique<EarlyAccepts>(
        procfs(), bpf_object__find_map_fd_by_name(object_, "aw_early_accepts"),
        *globals_.early_accepts_known, std::move(links));
}

Result<void> Session::open_ring() {
  const bpf_map* map = bpf_object__find_map_by_name(object_, "aw_records");
  auto mapped = Ring::map(bpf_map__fd(map), bpf_map__max_entries(map));
  if (!mapped)
    return tl::unexpected{mapped.error()};
  ring_ = *std::move(mapped);
  return {};
}

Result<void> Session::count_cpus() {
  const int cpus = libbpf_num_possible_cpus();
  if (cpus < 0)
    return system_failure("cannot find out how many CPUs there may be", -cpus);
  cpus_ = static_cast<size_t>(cpus);
  return {};
}

Result<void> Session::activate() {
  std::atomic_ref{*globals_.active}.store(true);
  active_ = true;
  return {};
}

void Session::deactivate() {
  std::atomic_ref{*globals_.active}.store(false);
  // Programs run as RCU readers: after a grace period, all that still saw `true` have ended.
  syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
  active_ = false;
}

namespace {

/// A look at descriptors holds each while it is shown (task_file_seq_get_next()). Of a process that
/// exits meanwhile it holds the last, so that this one closes what that one has ended.
void forget_own_part(Record& record) {
  auto* event = std::get_if<aw_event>(&record);
  if (!event || event->action != AW_LISTENER_CLOSED ||
      event->pid != static_cast<uint32_t>(getpid()))
    return;
  event->reason = AW_REASON_NONE;
  event->pid = 0;
  std::ranges::fill(event->comm, 0);
}

} // namespace

Result<bool> Session::drain(const RecordHandler& handler) {
  constexpr size_t records_a_turn = 4096;
  std::optional<Error> bad;
  const bool more = ring_->read(
      [&](std::span<const std::byte> bytes) {
        auto record = decode(bytes);
        if (record) {
          forget_own_part(*record);
          handler(*record, 1);
        } else {
          bad = record.error();
        }
      },
      records_a_turn);
  return bad ? Result<bool>{tl::unexpected{*bad}} : Result<bool>{more};
}

ListenerLook Session::look(const std::function<void(const aw_holder&)>& give) const {
  const auto visit = [&](const aw_holder& holder) {
    std::atomic_ref{globals_.listened_ports[holder.listener.port]}.store(true);
    if (early_accepts_)
      early_accepts_->note_descriptor(holder, waits_by_cookie_ ? holder.listener.cookie
                                                               : holder.listener.id);
    give(holder);
  };
  const ListenerLook look = seed_.can_scan() ? look_by_iterator(visit) : look_by_proc(visit);
  if (early_accepts_)
    early_accepts_->settle();
  return look;
}

ListenerLook Session::look_by_proc(const HolderVisit& visit) const {
  const int holders = bpf_object__find_map_fd_by_name(object_, "aw_holders");
  return ProcHost::look([&](const aw_holder& holder) {
    const __u8 yes = 1;
    bpf_map_update_elem(holders, &holder.pid, &yes, BPF_ANY);
    visit(holder);
  });
}

ListenerLook Session::look_by_iterator(const HolderVisit& visit) const {
  const auto spent = spending();
  if (!may_look())
    return refused_look();
  const auto lease = lease_files();
  ListenerLook look{Clock::boot_now(), 0, std::nullopt};
  if (auto scanned = seed_.scan(visit); !scanned)
    look.failed = scanned.error();
  look.ended_ns = Clock::boot_now();
  return look;
}

void Session::add_counters(int map, std::vector<Counter>& counters) const {
  std::vector<aw_counts> per_cpu(cpus_);
  aw_counter_key key{};
  const aw_counter_key* previous = nullptr;
  while (bpf_map_get_next_key(map, previous, &key) == 0) {
    previous = &key;
    if (bpf_map_lookup_elem(map, &key, per_cpu.data()) != 0)
      continue;
    counters.push_back(sum_of(key, per_cpu));
  }
}

Counter Session::sum_of(const aw_counter_key& key, const std::vector<aw_counts>& per_cpu) const {
  Counter counter{key};
  for (const aw_counts& counts : per_cpu) {
    counter.count += counts.occurrences;
    counter.suppressed += counts.suppressed;
  }
  return counter;
}

/// In one step since 5.14. Before, what is counted between the two is lost: the listener has been
/// closed for two seconds by then.
std::optional<Counter> Session::take_out(int map, const aw_counter_key& key) const {
  std::vector<aw_counts> per_cpu(cpus_);
  if (bpf_map_lookup_and_delete_elem(map, &key, per_cpu.data()) == 0)
    return sum_of(key, per_cpu);
  if (bpf_map_lookup_elem(map, &key, per_cpu.data()) != 0)
    return std::nullopt;
  bpf_map_delete_elem(map, &key);
  return sum_of(key, per_cpu);
}

/// The keys first: a map that is gone through while its entries are deleted begins anew.
void Session::reclaim_counters(const UseOf& use_of) {
  const int map = bpf_object__find_map_fd_by_name(object_, "aw_counters");
  std::vector<aw_counter_key> over;
  aw_counter_key key{};
  const aw_counter_key* previous = nullptr;
  for (; bpf_map_get_next_key(map, previous, &key) == 0; previous = &key) {
    if (use_of(key.listener) == ListenerUse::over)
      over.push_back(key);
  }
  for (const aw_counter_key& one : over) {
    if (const auto counter = take_out(map, one))
      retired_.add(*counter);
  }
  retired_.forget(use_of);
}

std::vector<Counter> Session::counters() const {
  std::vector<Counter> counters;
  for (const char* map : {"aw_counters", "aw_other_counters"})
    add_counters(bpf_object__find_map_fd_by_name(object_, map), counters);
  retired_.add_to(counters);
  for (__u8 action = 0; action < AW_NR_ACTIONS; ++action) {
    if (globals_.uncounted[action])
      counters.push_back(
          {{.listener = 0, .netns = 0, .action = action, .reason = 0, .stage = 0, .extra_mib = 0},
           globals_.uncounted[action],
           0});
  }
  return counters;
}

std::optional<aw_peaks> Session::end_pressure(uint64_t listener) {
  const int map = bpf_object__find_map_fd_by_name(object_, "aw_pressed");
  aw_peaks peaks{};
  if (bpf_map_lookup_elem(map, &listener, &peaks) != 0)
    return std::nullopt;
  bpf_map_delete_elem(map, &listener);
  return peaks;
}

void Session::mute(uint64_t listener, uint64_t until_ns) {
  const __u64 until = until_ns;
  bpf_map_update_elem(bpf_object__find_map_fd_by_name(object_, "aw_muted"), &listener, &until,
                      BPF_ANY);
}

void Session::unmute(uint64_t listener) {
  bpf_map_delete_elem(bpf_object__find_map_fd_by_name(object_, "aw_muted"), &listener);
}

std::optional<Waits> Session::waits(uint64_t listener, uint64_t cookie) const {
  if (!sees_accept_)
    return std::nullopt;
  const uint64_t key = waits_by_cookie_ ? cookie : listener;
  auto slots = waits_slots(key);
  for (;;) {
    auto waits = waits_in_hash(key);
    const auto after = waits_slots(key);
    if (!std::ranges::equal(slots, after, {}, &aw_waits_slot::moved, &aw_waits_slot::moved)) {
      slots = after; // they moved meanwhile: counts were in both places, or in neither
      continue;
    }
    for (const aw_waits_slot& slot : after) {
      if (slot.listener != key)
        continue;
      waits = waits.value_or(Waits{});
      waits->add(slot.waits);
    }
    return waits;
  }
}

std::optional<Waits> Session::waits_in_hash(uint64_t key) const {
  std::vector<aw_waits> per_cpu(cpus_);
  if (bpf_map_lookup_elem(bpf_object__find_map_fd_by_name(object_, "aw_waits"), &key,
                          per_cpu.data()) != 0)
    return std::nullopt;
  Waits waits;
  for (const aw_waits& cpu : per_cpu)
    waits.add(cpu);
  return waits;
}

/// The slot of each CPU for this key. Other listeners use the same slot: slot.listener says which
/// has it.
std::vector<aw_waits_slot> Session::waits_slots(uint64_t key) const {
  std::vector<aw_waits_slot> per_cpu(cpus_);
  const auto number = static_cast<__u32>(aw_waits_slot_of(key));
  if (bpf_map_lookup_elem(bpf_object__find_map_fd_by_name(object_, "aw_waits_slots"), &number,
                          per_cpu.data()) != 0)
    per_cpu.clear();
  return per_cpu;
}

Losses Session::losses() const {
  Losses losses;
  for (size_t action = 0; action < AW_NR_ACTIONS; ++action) {
    losses.ring_buffer += globals_.lost[action];
    losses.counter_map += globals_.uncounted[action];
  }
  losses.programs += *globals_.unfollowed;
  losses.lookups = left_out();
  SkippedRuns{object_, attached_, tier_}.add_to(losses);
  if (!active_)
    losses.programs += unconfirmed_syns(object_, cpus_);
  return losses;
}

} // namespace

Result<Probes> open_session(const Plan& plan, const KernelFilter& filter,
                            const std::string& btf_file, Refusals& refused) {
  auto session = std::make_shared<Session>();
  if (auto opened = session->open(plan, filter, btf_file); !opened) {
    refused.insert(session->refused().begin(), session->refused().end());
    return tl::unexpected{opened.error()};
  }
  Probes probes = faces_of(session);
  probes.sees_queues = session->sees_queues();
  probes.sees_accept = session->sees_accept();
  probes.attached = session->probes();
  return probes;
}

[[gnu::format(printf, 2, 0)]] static int print_to_stderr(libbpf_print_level, const char* format,
                                                         va_list arguments) {
  return std::vfprintf(stderr, format, arguments);
}

void show_libbpf_messages(bool show) { libbpf_set_print(show ? print_to_stderr : nullptr); }

} // namespace acceptwatch
