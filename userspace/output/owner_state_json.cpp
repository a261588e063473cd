// SPDX-License-Identifier: Apache-2.0
#include "output/owner_state_json.h"

#include "events/owner_state.h"

#include <algorithm>
#include <span>

namespace acceptwatch {
namespace {

void write_threads(JsonWriter& json, const ThreadStates& threads) {
  json.begin_object("threads");
  json.member("processes", uint64_t{threads.processes});
  json.member("supervisors", uint64_t{threads.supervisors});
  json.member("total", uint64_t{threads.total});
  json.member("seen", uint64_t{threads.seen});
  for (size_t i = 0; i < activity_count; ++i)
    json.member(name_of(static_cast<Activity>(i)), uint64_t{threads.doing[i]});
  json.end_object();
}

void write_kernel_waits(JsonWriter& json, const std::vector<KernelWait>& waits) {
  if (waits.empty())
    return;
  json.begin_array("kernel_waits");
  for (const auto& wait : waits) {
    json.begin_object();
    json.member("function", wait.function);
    json.member("threads", uint64_t{wait.threads});
    json.end_object();
  }
  json.end_array();
}

void write_stacks(JsonWriter& json, std::span<const KernelStack> stacks) {
  if (stacks.empty())
    return;
  json.begin_array("stacks");
  for (const auto& stack : stacks) {
    json.begin_object();
    json.member("threads", uint64_t{stack.threads});
    json.begin_array("frames");
    for (const auto& frame : stack.frames)
      json.string(frame);
    json.end_array();
    json.end_object();
  }
  json.end_array();
}

void write_told(JsonWriter& json, const std::optional<ToldThread>& told) {
  if (!told || !told->pid)
    return;
  json.begin_object("thread");
  json.member("pid", uint64_t{told->pid});
  json.member("tid", uint64_t{told->tid});
  json.known("name", told->name);
  json.member("activity", name_of(told->activity));
  json.member("accepts", told->accepts);
  if (told->peer) {
    json.begin_object("peer");
    json.member("address", std::string_view{to_string(told->peer->address)});
    json.member("port", uint64_t{told->peer->port});
    json.member("client", told->peer->is_client);
    json.end_object();
  }
  json.member("lock_holder", told->lock_holder);
  json.end_object();
}

void write_quota(JsonWriter& json, const std::optional<CpuQuota>& quota) {
  if (!quota)
    return;
  json.begin_object("cpu_quota");
  json.member("quota_us", quota->quota_us);
  json.member("period_us", quota->period_us);
  json.member("periods", quota->periods);
  json.member("throttled", quota->throttled);
  json.member("throttled_us", quota->throttled_us);
  json.member("recent_periods", quota->recent_periods);
  json.member("recent_throttled", quota->recent_throttled);
  json.end_object();
}

void write_pressure(JsonWriter& json, const Pressure& pressure) {
  if (!pressure.cpu && !pressure.memory)
    return;
  json.begin_object("pressure");
  json.member("of", pressure.of_host ? "host" : "cgroup");
  json.member("cpu", pressure.cpu);
  json.member("memory", pressure.memory);
  json.end_object();
}

} // namespace

void write_open_files(JsonWriter& json, std::string_view key, const FileUsage& files) {
  json.begin_object(key);
  json.member("open", files.open);
  json.member("limit", files.limit);
  json.end_object();
}

void write_owner_state(JsonWriter& json, const std::optional<OwnerState>& state,
                       const StateRoom& room) {
  if (!state)
    return;
  json.begin_object("owner_state");
  json.known("summary", sentence_of(*state));
  write_threads(json, state->threads);
  write_told(json, state->threads.told);
  if (room.kernel_waits)
    write_kernel_waits(json, state->threads.waits);
  const std::span<const KernelStack> stacks{state->threads.stacks};
  write_stacks(json, stacks.first(std::min(stacks.size(), room.stacks)));
  if (state->descriptors)
    write_open_files(json, "descriptors", *state->descriptors);
  json.member("frozen", state->frozen);
  write_quota(json, state->cpu_quota);
  json.member("open_connections", state->open_connections);
  write_pressure(json, state->pressure);
  json.end_object();
}

} // namespace acceptwatch
