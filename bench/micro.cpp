// SPDX-License-Identifier: Apache-2.0
//
// usage: acceptwatch-micro [--benchmark_format=json ...]
// What user space does with a record, step by step and as a whole: how long it takes, and how
// often it allocates. No kernel program is involved; the record is one of a full accept queue.
#include "allocations.h"
#include "events/decode.h"
#include "host/clock.h"
#include "host/proc_host.h"
#include "model/table.h"
#include "output/ndjson.h"
#include "output/outlet.h"
#include "output/text.h"

#include <arpa/inet.h>
#include <benchmark/benchmark.h>
#include <cstring>
#include <unistd.h>

namespace acceptwatch {
namespace {

/// As many as come in one go when there is a flood.
constexpr size_t batch = 1024;

/// Counts what the loop of a benchmark allocates, for each record.
class Counted {
public:
  explicit Counted(benchmark::State& state) : state_(state), before_(allocations()) {}
  ~Counted() {
    const auto records = static_cast<double>(state_.iterations());
    state_.SetItemsProcessed(static_cast<int64_t>(state_.iterations()));
    state_.counters["allocations"] = static_cast<double>(allocations() - before_) / records;
  }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

private:
  benchmark::State& state_;
  uint64_t before_;
};

constexpr uint64_t listener_id = 12345;

template <typename T> T a_record(aw_record_kind kind) {
  T record{};
  record.header = {.size = sizeof(T),
                   .kind = static_cast<__u8>(kind),
                   .source = AW_SOURCE_FENTRY,
                   .cpu = 0,
                   .boot_ns = 36'123'456'789'012};
  record.listener.id = listener_id;
  record.listener.netns = 4026531840;
  record.listener.cookie = 8231;
  record.listener.accept_depth = record.listener.accept_limit = 128;
  record.listener.syn_limit = 128;
  record.listener.family = AF_INET;
  record.listener.port = 9799;
  inet_pton(AF_INET, "10.0.0.5", record.listener.address);
  std::memcpy(record.comm, "java", 4);
  return record;
}

aw_event a_drop(const char* server, const char* client) {
  auto record = a_record<aw_event>(AW_RECORD_EVENT);
  record.ends.family = std::strchr(server, ':') ? AF_INET6 : AF_INET;
  record.ends.server_port = 9799;
  record.ends.client_port = 51812;
  inet_pton(record.ends.family, server, record.ends.server_address);
  inet_pton(record.ends.family, client, record.ends.client_address);
  record.action = AW_LISTEN_DROP;
  record.reason = AW_ACCEPT_QUEUE_FULL;
  record.stage = AW_STAGE_ACK;
  record.flags = AW_HAS_ALL_OF_LISTENER | AW_HAS_ENDS;
  record.reason_space = AW_SKB_DROP_REASON;
  record.kernel_reason = 44;
  return record;
}

const aw_event ipv4 = a_drop("10.0.0.5", "10.0.0.9");
const aw_event ipv6 = a_drop("2001:db8::5", "2001:db8:85a3::8a2e:370:7334");

std::span<const std::byte> bytes_of(const aw_event& record) {
  return std::as_bytes(std::span{&record, 1});
}

/// What the steps need besides the record: the listener is this process's.
struct World {
  World() {
    auto holder = a_record<aw_holder>(AW_RECORD_HOLDER);
    holder.pid = static_cast<__u32>(getpid());
    table.add_holder(holder);
  }
  Event event_of(const aw_event& record) const {
    Event event = to_event(record, now, names);
    table.attribute(event);
    return event;
  }

  ProcHost host;
  ListenerTable table{host};
  Instant now = Clock{}.now();
  ReasonNames names = [](aw_reason_space, uint32_t) { return "TCP_LISTEN_OVERFLOW"; };
};

void decode_record(benchmark::State& state) {
  const Counted counted{state};
  for ([[maybe_unused]] auto _ : state) {
    auto record = decode(bytes_of(ipv4));
    benchmark::DoNotOptimize(record);
  }
}
BENCHMARK(decode_record)->Name("decode");

void make_event(benchmark::State& state) {
  const World world;
  const Counted counted{state};
  for ([[maybe_unused]] auto _ : state) {
    Event event = to_event(ipv4, world.now, world.names);
    benchmark::DoNotOptimize(event);
  }
}
BENCHMARK(make_event)->Name("to_event");

void name_owner(benchmark::State& state) {
  const World world;
  Event event = world.event_of(ipv4);
  const Counted counted{state};
  for ([[maybe_unused]] auto _ : state) {
    world.table.attribute(event);
    benchmark::DoNotOptimize(event);
  }
}
BENCHMARK(name_owner)->Name("attribute");

void format_event(benchmark::State& state, const aw_event& record, Formatter&& formatter) {
  const Event event = World{}.event_of(record);
  std::string out;
  Start start;
  start.host = "shop1.example.net";
  formatter.format(start, out); // names the host of all records
  out.clear();
  formatter.format(event, out);
  out.reserve(2 * batch * out.size());
  const Counted counted{state};
  size_t in_batch = 0;
  for ([[maybe_unused]] auto _ : state) {
    if (in_batch++ % batch == 0)
      out.clear();
    formatter.format(event, out);
    benchmark::DoNotOptimize(out.data());
  }
}
BENCHMARK_CAPTURE(format_event, "", ipv4, NdjsonFormatter{})->Name("NDJSON, IPv4");
BENCHMARK_CAPTURE(format_event, "", ipv6, NdjsonFormatter{})->Name("NDJSON, IPv6");
BENCHMARK_CAPTURE(format_event, "", ipv4, TextFormatter{TextStyle{}})->Name("text");
BENCHMARK_CAPTURE(format_event, "", ipv4, TextFormatter{TextStyle{.wide = true, .colour = true}})
    ->Name("text, all columns");

/// All of it, from the bytes of the ring buffer to a written line.
void whole_path(benchmark::State& state, Formatter&& formatter) {
  const World world;
  auto outlet = Outlet::open("/dev/null");
  std::string out;
  size_t in_batch = 0;
  const Counted counted{state};
  for ([[maybe_unused]] auto _ : state) {
    const auto record = decode(bytes_of(ipv4));
    formatter.format(world.event_of(std::get<aw_event>(*record)), out);
    static_cast<void>(outlet->put(out));
    out.clear();
    if (++in_batch % batch == 0)
      outlet->flush();
  }
}
BENCHMARK_CAPTURE(whole_path, "", NdjsonFormatter{})->Name("record to NDJSON in /dev/null");
BENCHMARK_CAPTURE(whole_path, "", TextFormatter{TextStyle{}})->Name("record to text in /dev/null");

} // namespace
} // namespace acceptwatch

BENCHMARK_MAIN();
