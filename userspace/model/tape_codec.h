// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "diagnose/facts.h"
#include "events/blind_spot.h"
#include "events/kernel_reasons.h"
#include "events/time.h"
#include "events/waits.h"
#include "host/host.h"
#include "model/scope.h"

#include <array>
#include <bitset>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace acceptwatch {

// How values are written on a tape. A type is described once, by fields(), for both directions.
// Numbers are LEB128, in which seven bits of each byte count, so that small ones are short;
// records are as they came.

/// The records of the wire format, which are their own bytes.
template <typename T>
concept WireRecord =
    std::is_same_v<T, aw_event> || std::is_same_v<T, aw_process> || std::is_same_v<T, aw_holder> ||
    std::is_same_v<T, aw_counter_key> || std::is_same_v<T, aw_peaks>;

// Numbers that stand for names. Of one that is out of range nothing can be said, not even that it
// is another: C++ does not define what such a value does.
constexpr uint64_t greatest(aw_source) { return AW_SOURCE_POLL; }
constexpr uint64_t greatest(aw_action) { return AW_NR_ACTIONS - 1; }
constexpr uint64_t greatest(aw_reason) { return AW_NR_REASONS - 1; }
constexpr uint64_t greatest(aw_stage) { return AW_NR_STAGES - 1; }
constexpr uint64_t greatest(Activity) { return activity_count - 1; }
constexpr uint64_t greatest(Awaited) { return static_cast<uint64_t>(Awaited::yes); }
constexpr uint64_t greatest(ExitStatus) { return 0xFF; }

inline bool is_valid(const aw_event& record) { return has_known_numbers(record); }
constexpr bool is_valid(const aw_counter_key& key) {
  return key.action < AW_NR_ACTIONS && key.reason < AW_NR_REASONS && key.stage < AW_NR_STAGES;
}
template <WireRecord T> constexpr bool is_valid(const T&) { return true; }

class TapeEncoder {
public:
  template <typename... T> void operator()(const T&... values) { (put(values), ...); }
  [[nodiscard]] const std::string& bytes() const { return bytes_; }
  void clear() { bytes_.clear(); }

  void number(uint64_t value) {
    for (; value >= 0x80; value >>= 7)
      bytes_.push_back(static_cast<char>(0x80 | (value & 0x7F)));
    bytes_.push_back(static_cast<char>(value));
  }
  void raw(const void* data, size_t size) { bytes_.append(static_cast<const char*>(data), size); }

private:
  template <typename T> void put(const T& value);

  std::string bytes_;
};

/// What is not there reads as nothing, and is_broken() then says so.
class TapeDecoder {
public:
  explicit TapeDecoder(std::string_view bytes) : rest_(bytes) {}

  template <typename... T> void operator()(T&... values) { (get(values), ...); }
  [[nodiscard]] bool is_broken() const { return broken_; }
  [[nodiscard]] bool is_at_end() const { return rest_.empty(); }

  uint64_t number() {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (rest_.empty())
        break;
      const auto byte = static_cast<uint8_t>(rest_.front());
      rest_.remove_prefix(1);
      value |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if (!(byte & 0x80))
        return value;
    }
    broken_ = true;
    return 0;
  }
  void raw(void* data, size_t size) {
    if (rest_.size() < size) {
      broken_ = true;
      return;
    }
    std::memcpy(data, rest_.data(), size);
    rest_.remove_prefix(size);
  }
  /// Of elements that take a byte each at least: more are not on the tape.
  size_t count() {
    const uint64_t count = number();
    if (count > rest_.size())
      broken_ = true;
    return broken_ ? 0 : static_cast<size_t>(count);
  }

private:
  template <typename T> void get(T& value);

  std::string_view rest_;
  bool broken_ = false;
};

template <typename T, typename U>
concept Is = std::is_same_v<std::remove_const_t<std::remove_reference_t<T>>, U>;

template <typename A, Is<Instant> V> void fields(A& a, V& v) {
  a(v.boot_ns, v.wall_offset, v.suspended);
}
template <typename A, Is<FileUsage> V> void fields(A& a, V& v) { a(v.open, v.limit); }
template <typename A, Is<KernelWait> V> void fields(A& a, V& v) { a(v.function, v.threads); }
template <typename A, Is<KernelStack> V> void fields(A& a, V& v) {
  a(v.frames, v.threads, v.activity);
}
template <typename A, Is<Address> V> void fields(A& a, V& v) { a(v.family, v.bytes); }
template <typename A, Is<Peer> V> void fields(A& a, V& v) { a(v.address, v.port, v.is_client); }
template <typename A, Is<ToldThread> V> void fields(A& a, V& v) {
  a(v.pid, v.tid, v.name, v.activity, v.accepts, v.peer, v.lock_holder, v.frames);
}
template <typename A, Is<ThreadId> V> void fields(A& a, V& v) { a(v.pid, v.tid); }
template <typename A, Is<ThreadStates> V> void fields(A& a, V& v) {
  a(v.processes, v.supervisors, v.total, v.seen, v.doing, v.waits, v.stacks, v.told, v.listener,
    v.accepters);
}
template <typename A, Is<CpuQuota> V> void fields(A& a, V& v) {
  a(v.quota_us, v.period_us, v.periods, v.throttled, v.throttled_us);
}
template <typename A, Is<Pressure> V> void fields(A& a, V& v) { a(v.cpu, v.memory, v.of_host); }
template <typename A, Is<OwnerState> V> void fields(A& a, V& v) {
  a(v.threads, v.descriptors, v.frozen, v.cpu_quota, v.pressure, v.open_connections);
}
template <typename A, Is<ConntrackTable> V> void fields(A& a, V& v) {
  a(v.entries, v.limit, v.dropped);
}
template <typename A, Is<OwnEnd> V> void fields(A& a, V& v) { a(v.address, v.port); }
template <typename A, Is<Translation> V> void fields(A& a, V& v) { a(v.address, v.port, v.own); }
template <typename A, Is<CookieCounts> V> void fields(A& a, V& v) { a(v.sent, v.returned); }
template <typename A, Is<NetReading> V> void fields(A& a, V& v) {
  a(v.values, v.evidence, v.witnesses, v.files);
}
template <typename A, Is<NetCounterLook> V> void fields(A& a, V& v) { a(v.readings, v.took_ns); }
template <typename A, Is<Error> V> void fields(A& a, V& v) { a(v.status, v.what, v.advice); }
template <typename A, Is<ListenerLook> V> void fields(A& a, V& v) {
  a(v.begun_ns, v.ended_ns, v.failed);
}
template <typename A, Is<Counter> V> void fields(A& a, V& v) { a(v.key, v.count, v.suppressed); }
template <typename A, Is<Losses> V> void fields(A& a, V& v) {
  a(v.ring_buffer, v.counter_map, v.programs, v.followers, v.lookups);
}
template <typename A, Is<Waits> V> void fields(A& a, V& v) {
  a(v.accepted, v.max_us, v.queued, v.handshake);
}
template <typename A, Is<Chain> V> void fields(A& a, V& v) { a(v.table, v.name); }
template <typename A, Is<BlindSpot> V> void fields(A& a, V& v) {
  a(v.action, v.reason, v.stage, v.field, v.why, v.remedy);
}
template <typename A, Is<Thresholds> V> void fields(A& a, V& v) {
  a(v.hold_ns, v.stall_seconds, v.slow_seconds, v.former_seconds, v.failed_handshakes, v.flood);
}
template <typename A, Is<OwnerFilter> V> void fields(A& a, V& v) { a(v.pids, v.names, v.cgroups); }
template <typename A, Is<Scope> V> void fields(A& a, V& v) {
  a(v.tier, v.sees_queues, v.sees_accept, v.blind, v.ports, v.netns, v.family, v.actions, v.owners,
    v.most_events, v.explained, v.after_accept, v.incomparable, v.pressure_percent,
    v.sample_seconds, v.thresholds);
}
template <typename A, Is<KernelReasons> V> void fields(A& a, V& v) { a(v.drop, v.reset); }
template <typename A, Is<Start> V> void fields(A& a, V& v) {
  a(v.time, v.version, v.kernel, v.source, v.probes, v.filters, v.host, v.boot_id, v.blind);
}

namespace tape_detail {
template <typename T> struct IsOptional : std::false_type {};
template <typename T> struct IsOptional<std::optional<T>> : std::true_type {};
template <typename T> struct IsVector : std::false_type {};
template <typename T> struct IsVector<std::vector<T>> : std::true_type {};
template <typename T> struct IsArray : std::false_type {};
template <typename T, size_t N> struct IsArray<std::array<T, N>> : std::true_type {};
template <typename T> struct IsMap : std::false_type {};
template <typename K, typename V> struct IsMap<std::map<K, V>> : std::true_type {};

/// Small numbers of either sign are short.
constexpr uint64_t zigzag(int64_t value) {
  return (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
}
constexpr int64_t unzigzag(uint64_t value) {
  return static_cast<int64_t>(value >> 1) ^ -static_cast<int64_t>(value & 1);
}
} // namespace tape_detail

template <typename T> void TapeEncoder::put(const T& value) {
  using namespace tape_detail;
  if constexpr (WireRecord<T> || std::is_floating_point_v<T>) {
    raw(&value, sizeof(value));
  } else if constexpr (std::is_enum_v<T>) {
    number(static_cast<uint64_t>(value));
  } else if constexpr (std::is_integral_v<T> && std::is_signed_v<T>) {
    number(zigzag(value));
  } else if constexpr (std::is_integral_v<T>) {
    number(value);
  } else if constexpr (std::is_same_v<T, std::string>) {
    number(value.size());
    raw(value.data(), value.size());
  } else if constexpr (std::is_same_v<T, std::bitset<65536>>) {
    for (size_t word = 0; word < value.size(); word += 8) {
      char byte = 0;
      for (size_t bit = 0; bit < 8; ++bit)
        byte = static_cast<char>(byte | (value.test(word + bit) << bit));
      bytes_.push_back(byte);
    }
  } else if constexpr (IsOptional<T>::value) {
    put(value.has_value());
    if (value)
      put(*value);
  } else if constexpr (IsArray<T>::value) {
    for (const auto& one : value)
      put(one);
  } else if constexpr (IsVector<T>::value) {
    number(value.size());
    for (const auto& one : value)
      put(one);
  } else if constexpr (IsMap<T>::value) {
    number(value.size());
    for (const auto& [key, one] : value)
      (*this)(key, one);
  } else {
    fields(*this, value);
  }
}

// A few lines for each kind of type. NOLINTNEXTLINE(readability-function-size)
template <typename T> void TapeDecoder::get(T& value) {
  using namespace tape_detail;
  if constexpr (WireRecord<T>) {
    raw(&value, sizeof(value));
    broken_ = broken_ || !is_valid(value);
  } else if constexpr (std::is_floating_point_v<T>) {
    raw(&value, sizeof(value));
  } else if constexpr (std::is_same_v<T, bool>) {
    value = number() != 0;
  } else if constexpr (std::is_enum_v<T>) {
    const uint64_t found = number();
    broken_ = broken_ || found > greatest(T{});
    if (!broken_)
      value = static_cast<T>(found);
  } else if constexpr (std::is_integral_v<T> && std::is_signed_v<T>) {
    value = static_cast<T>(unzigzag(number()));
  } else if constexpr (std::is_integral_v<T>) {
    value = static_cast<T>(number());
  } else if constexpr (std::is_same_v<T, std::string>) {
    value.resize(count());
    raw(value.data(), value.size());
  } else if constexpr (std::is_same_v<T, std::bitset<65536>>) {
    for (size_t word = 0; word < value.size(); word += 8) {
      uint8_t byte = 0;
      raw(&byte, 1);
      for (size_t bit = 0; bit < 8; ++bit)
        value.set(word + bit, (byte >> bit & 1) != 0);
    }
  } else if constexpr (IsOptional<T>::value) {
    bool has = false;
    get(has);
    value.reset();
    if (has)
      get(value.emplace());
  } else if constexpr (IsArray<T>::value) {
    for (auto& one : value)
      get(one);
  } else if constexpr (IsVector<T>::value) {
    value.clear();
    for (size_t left = count(); left > 0 && !broken_; --left)
      get(value.emplace_back());
  } else if constexpr (IsMap<T>::value) {
    value.clear();
    for (size_t left = count(); left > 0 && !broken_; --left) {
      typename T::key_type key{};
      get(key);
      get(value[key]);
    }
  } else {
    fields(*this, value);
  }
}

} // namespace acceptwatch
