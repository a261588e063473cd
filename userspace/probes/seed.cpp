// SPDX-License-Identifier: Apache-2.0
#include "probes/seed.h"

#include "base/file.h"
#include "events/decode.h"
#include "probes/handles.h"
#include "probes/minimal_btf.h"
#include "probes/netfilter.h"
#include "probes/stacks.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <bpf/bpf.h>
#include <cerrno>
#include <cstring>
#include <probe_seed.skel.h>
#include <seed.skel.h>
#include <unistd.h>
#include <vector>

namespace acceptwatch {

/// Holds seed.bpf.c or probe_seed.bpf.c, which have programs and maps of the same names.
struct Seed::State {
  std::unique_ptr<seed_bpf, SkeletonDeleter<seed_bpf__destroy>> typed;
  std::unique_ptr<probe_seed_bpf, SkeletonDeleter<probe_seed_bpf__destroy>> probing;
  bpf_object* object = nullptr;
  Link iterator;
  Link stacks;
  Link arrivals; ///< attached while there is a place at which to count
  bool counts_arrivals = false;
  std::vector<Link> chains; ///< attached while chains are watched
  bool can_watch_chains = false;
  size_t counted_places = 0;
  __u32* stack_pids = nullptr; ///< aw_stack_pids, shared with the program
  bool gives_cookies = false;

  [[nodiscard]] bpf_program* program(const char* name) const {
    return bpf_object__find_program_by_name(object, name);
  }

  static constexpr std::array chain_programs{"chain_entered", "chain_left"};

  /// To be called before the object is loaded. probe_seed.bpf.c has no such programs.
  void allow_chains(bool allow) {
    can_watch_chains = allow && typed;
    for (const char* name : chain_programs) {
      if (bpf_program* watching = program(name))
        bpf_program__set_autoload(watching, can_watch_chains);
    }
  }

  [[nodiscard]] int map(const char* name) const {
    return bpf_object__find_map_fd_by_name(object, name);
  }

  /// False: errno says why.
  bool attach(const char* name, Link& link) const {
    link.reset(bpf_program__attach_iter(program(name), nullptr));
    return static_cast<bool>(link);
  }

  template <auto OpenOptions, typename Owner>
  Result<void> open(Owner& owner, const Plan& plan, const bpf_object_open_opts& options) {
    owner.reset(OpenOptions(&options));
    if (!owner)
      return load_failure("cannot open the embedded seeding object", -errno);
    std::memcpy(&owner->rodata->aw_config, &plan.config, sizeof(plan.config));
    object = owner->obj;
    return {};
  }
};

Seed::Seed() : state_(std::make_unique<State>()) {}
Seed::~Seed() = default;

Result<void> Seed::open(const Plan& plan, const char* btf_file) {
  if (!plan.seed_by_iterator && !plan.give_cookies && !plan.show_stacks)
    return {}; // the plan has the other programs only beside one of these
  NetfilterTarget::name_section();
  LIBBPF_OPTS(bpf_object_open_opts, options);
  options.btf_custom_path = btf_file;
  auto opened = plan.seed_by_probe_reads
                    ? state_->open<probe_seed_bpf__open_opts>(state_->probing, plan, options)
                    : state_->open<seed_bpf__open_opts>(state_->typed, plan, options);
  if (!opened)
    return opened;
  bpf_program__set_autoload(state_->program("holders"), plan.seed_by_iterator);
  bpf_program__set_autoload(state_->program("stacks"), plan.show_stacks);
  bpf_program__set_autoload(state_->program("arrived"), plan.count_arrivals);
  if (bpf_program* give_cookie = state_->program("give_cookie"))
    bpf_program__set_autoload(give_cookie, plan.give_cookies);
  state_->allow_chains(plan.netfilter.has_value());
  return {};
}

bpf_object* Seed::object() const { return state_->object; }

namespace {

Result<void> share_map(bpf_object* main, bpf_object* beside, const char* name) {
  const int fd = bpf_object__find_map_fd_by_name(main, name);
  if (const int error = bpf_map__reuse_fd(bpf_object__find_map_by_name(beside, name), fd))
    return load_failure("cannot share a map with the main programs", error);
  return {};
}

} // namespace

Result<void> Seed::load(const Plan& plan, bpf_object* main) {
  if (!state_->object)
    return {};
  for (const char* name : {"aw_holders", "aw_chain_runs"}) {
    if (auto shared = main ? share_map(main, state_->object, name) : Result<void>{}; !shared)
      return shared;
  }
  std::optional<NetfilterTarget> target;
  if (plan.netfilter)
    target.emplace(*plan.netfilter);
  if (target && !target->is_found()) // the module has just been unloaded
    state_->allow_chains(false);
  MinimalBtf types;
  if (auto made = types.make_for(state_->object); !made)
    return made;
  if (const int error = state_->typed ? seed_bpf__load(state_->typed.get())
                                      : probe_seed_bpf__load(state_->probing.get()))
    return load_failure("the kernel refuses the seeding programs", error);
  state_->gives_cookies = plan.give_cookies;
  state_->counts_arrivals = plan.count_arrivals;
  state_->stack_pids =
      state_->typed ? state_->typed->bss->aw_stack_pids : state_->probing->bss->aw_stack_pids;
  if (plan.seed_by_iterator && !state_->attach("holders", state_->iterator))
    return load_failure("cannot attach the task-file iterator", -errno);
  if (plan.show_stacks && !state_->attach("stacks", state_->stacks))
    return load_failure("cannot attach the task iterator", -errno);
  return {};
}

bpf_program* Seed::give_cookie() const {
  return state_->gives_cookies ? state_->program("give_cookie") : nullptr;
}

bool Seed::can_scan() const { return static_cast<bool>(state_->iterator); }

namespace {

/// An iterator's output is cut at the reader's buffer, not at records.
Result<void> read_holders(int fd, const std::function<void(const aw_holder&)>& visit) {
  std::vector<std::byte> pending;
  std::array<std::byte, 65536> chunk{};
  for (;;) {
    const ssize_t n = read(fd, chunk.data(), chunk.size());
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
      continue;
    if (n < 0)
      return system_failure("cannot read the task-file iterator", errno);
    if (n == 0)
      return {};
    pending.insert(pending.end(), chunk.begin(), chunk.begin() + n);
    size_t used = 0;
    for (; pending.size() - used >= sizeof(aw_holder); used += sizeof(aw_holder)) {
      const auto record = decode(std::span{pending}.subspan(used, sizeof(aw_holder)));
      if (!record)
        return tl::unexpected{record.error()};
      if (const auto* holder = std::get_if<aw_holder>(&*record))
        visit(*holder);
    }
    pending.erase(pending.begin(), pending.begin() + static_cast<ptrdiff_t>(used));
  }
}

} // namespace

Result<void> Seed::scan(const std::function<void(const aw_holder&)>& visit) const {
  const UniqueFd iterator{bpf_iter_create(bpf_link__fd(state_->iterator.get()))};
  if (!iterator)
    return system_failure("cannot start the task-file iterator", errno);
  return read_holders(iterator.get(), visit);
}

/// Works after drop_privileges(): BPF_RAW_TRACEPOINT_OPEN needs CAP_BPF alone.
bool Seed::count_arrivals(const aw_place& place) {
  const __u64 none = 0;
  if (!state_->counts_arrivals ||
      bpf_map_update_elem(state_->map("aw_arrivals"), &place, &none, BPF_NOEXIST) != 0)
    return false;
  if (!state_->arrivals)
    state_->arrivals.reset(bpf_program__attach(state_->program("arrived")));
  if (state_->arrivals) {
    ++state_->counted_places;
    return true;
  }
  bpf_map_delete_elem(state_->map("aw_arrivals"), &place);
  return false;
}

void Seed::stop_counting(const aw_place& place) {
  if (bpf_map_delete_elem(state_->map("aw_arrivals"), &place) == 0 && !--state_->counted_places)
    state_->arrivals.reset();
}

uint64_t Seed::arrivals(const aw_place& place) const {
  __u64 count = 0;
  const bool known = bpf_map_lookup_elem(state_->map("aw_arrivals"), &place, &count) == 0;
  return known ? count : 0;
}

/// Works after drop_privileges(): BPF_LINK_CREATE needs CAP_BPF alone. After a failure, records
/// just do not name a chain.
void Seed::watch_chains(bool watch) {
  state_->chains.clear();
  if (!watch || !state_->can_watch_chains)
    return;
  for (const char* name : State::chain_programs)
    state_->chains.emplace_back(bpf_program__attach_trace(state_->program(name)));
}

std::optional<Chain> Seed::chain(uint64_t id) const {
  aw_chain names{};
  if (!state_->object || bpf_map_lookup_elem(state_->map("aw_chains"), &id, &names) != 0)
    return std::nullopt;
  return Chain{text_of(names.table), text_of(names.chain)};
}

void Seed::add_stacks(const std::vector<uint32_t>& pids, ThreadStates& threads) const {
  if (!state_->stacks)
    return;
  const size_t wanted = std::min<size_t>(pids.size(), AW_MAX_STACK_PIDS);
  for (size_t i = 0; i < AW_MAX_STACK_PIDS; ++i)
    std::atomic_ref{state_->stack_pids[i]}.store(i < wanted ? pids[i] : 0);
  const UniqueFd iterator{bpf_iter_create(bpf_link__fd(state_->stacks.get()))};
  if (iterator)
    read_stacks(iterator, threads);
}

} // namespace acceptwatch
