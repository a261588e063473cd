// SPDX-License-Identifier: Apache-2.0
#include "events/decode.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <sys/socket.h>

namespace acceptwatch {
namespace {

template <typename T> Result<Record> copy_out(std::span<const std::byte> bytes, size_t size) {
  if (size != sizeof(T))
    return failure(
        fmt::format("a record of the kernel programs has {} bytes instead of {}", size, sizeof(T)),
        "The programs and this binary are of different builds: report this.");
  T record;
  std::memcpy(&record, bytes.data(), sizeof(T));
  return Record{record};
}

/// An IPv4 client of an IPv6 socket has a v4-mapped address there; on the wire
/// it is IPv4, and so it is shown.
Address to_address(uint16_t family, const __u8 (&bytes)[AW_ADDRESS_LEN]) {
  constexpr std::array<uint8_t, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
  Address address;
  if (family == AF_INET6 && std::equal(mapped.begin(), mapped.end(), std::begin(bytes))) {
    address.family = AF_INET;
    std::copy(std::begin(bytes) + mapped.size(), std::end(bytes), address.bytes.begin());
    return address;
  }
  address.family = family;
  std::copy(std::begin(bytes), std::end(bytes), address.bytes.begin());
  return address;
}

EarlyClose early_close_of(const aw_event& record) {
  EarlyClose close{static_cast<double>(record.age_us) / 1e6,
                   (record.flags & AW_SINCE_ACCEPT) != 0,
                   record.bytes_read,
                   record.bytes_unread,
                   record.bytes_sent,
                   {}};
  if (record.number)
    close.number = record.number;
  return close;
}

bool is_any(const Address& address) {
  return std::ranges::all_of(address.bytes, [](uint8_t byte) { return byte == 0; });
}

void add_listener(const aw_event& record, const Instant& now, Event& event) {
  const aw_listener& listener = record.listener;
  event.listener = listener.id;
  if (record.flags & AW_HAS_ACCEPT_QUEUE)
    event.accept_queue = Queue{listener.accept_depth, listener.accept_limit};
  if (record.flags & AW_HAS_SYN_QUEUE)
    event.syn_queue = Queue{listener.syn_depth, listener.syn_limit};
  if (listener.head_us)
    event.oldest_seconds = now.seconds_since(listener.head_us, record.header.boot_ns);
  event.server_port = listener.port;
  if (listener.cookie)
    event.socket = listener.cookie;
}

/// The listener's own address says where a connection went only when it is not a
/// wildcard; a record about the listener itself shows the wildcard.
void add_bound_address(const aw_listener& listener, Event& event) {
  const Address bound = address_of(listener);
  const bool about_listener =
      event.action == AW_LISTENER_OPENED || event.action == AW_LISTENER_CLOSED;
  if (about_listener || !is_any(bound)) {
    event.server_address = bound;
    event.family = bound.family;
  }
}

Result<Record> of_known_numbers(Record record) {
  if (!has_known_numbers(std::get<aw_event>(record)))
    return failure("a record has a number that stands for nothing",
                   "The programs and this binary are of different builds: report this.");
  return record;
}

/// Where the packet goes, or went, that its client sent to another place.
std::optional<OwnEnd> own_end_of(const aw_event& record) {
  if (record.nat_port)
    return OwnEnd{to_address(record.ends.family, record.nat_address), record.nat_port};
  constexpr unsigned both = AW_HAS_LISTENER | AW_HAS_PORT;
  const aw_listener& listener = record.listener;
  if ((record.flags & both) != both || !listener.port || listener.port == record.ends.server_port)
    return std::nullopt;
  const Address bound = address_of(listener);
  return OwnEnd{is_any(bound) ? std::nullopt : std::optional{bound}, listener.port};
}

OldConnection old_connection_of(const aw_event& record) {
  OldConnection old{record.old_state, std::nullopt};
  if (record.old_ms != AW_NO_AGE)
    old.idle_seconds = record.old_ms / 1e3;
  return old;
}

} // namespace

bool has_known_numbers(const aw_event& record) {
  return record.header.source <= AW_SOURCE_POLL && record.action < AW_NR_ACTIONS &&
         record.reason < AW_NR_REASONS && record.stage < AW_NR_STAGES &&
         record.hook < AW_NR_HOOKS && record.reason_space <= AW_SK_RST_REASON;
}

Result<Record> decode(std::span<const std::byte> bytes) {
  aw_header header;
  if (bytes.size() < sizeof(header))
    return failure(fmt::format("a record of {} bytes has no header", bytes.size()));
  std::memcpy(&header, bytes.data(), sizeof(header));
  if (header.size > bytes.size())
    return failure(fmt::format("a record claims {} bytes and has {}", header.size, bytes.size()));
  switch (header.kind) {
  case AW_RECORD_EVENT:
    return copy_out<aw_event>(bytes, header.size).and_then(of_known_numbers);
  case AW_RECORD_PROCESS:
    return copy_out<aw_process>(bytes, header.size);
  case AW_RECORD_HOLDER:
    return copy_out<aw_holder>(bytes, header.size);
  default:
    return failure(fmt::format("a record is of unknown kind {}", header.kind));
  }
}

Event to_event(const aw_event& record, const Instant& now, const ReasonNames& names) {
  Event event;
  event.time = now.wall_time(record.header.boot_ns);
  event.action = static_cast<aw_action>(record.action);
  event.reason = static_cast<aw_reason>(record.reason);
  event.stage = static_cast<aw_stage>(record.stage);
  event.source = static_cast<aw_source>(record.header.source);
  if (record.listener.netns)
    event.netns = record.listener.netns;
  if (record.action == AW_SYNACK_RETRANSMIT)
    event.retry = record.retry;
  if (record.flags & AW_HAS_LISTENER)
    add_listener(record, now, event);
  if (record.flags & AW_HAS_PORT)
    event.server_port = record.ends.server_port;
  if (record.flags & AW_HAS_ADDRESSES) {
    event.server_address = to_address(record.ends.family, record.ends.server_address);
    event.client_address = to_address(record.ends.family, record.ends.client_address);
    event.family = event.client_address->family;
    event.client_port = record.ends.client_port;
  } else if (record.flags & AW_HAS_LISTENER) {
    add_bound_address(record.listener, event);
  }
  event.server_nat = own_end_of(record);
  event.is_passing = record.flags & AW_IS_PASSING;
  if (record.flags & AW_HAS_BACKLOG)
    event.backlog = record.backlog;
  event.end = end_of(record);
  if (record.action == AW_CLOSED_AFTER_ACCEPT)
    event.early_close = early_close_of(record);
  if (record.action == AW_QUEUE_PRESSURE)
    event.pressure = QueuePressure{};
  event.device = text_of(record.device);
  if (record.old_state)
    event.old_connection = old_connection_of(record);
  event.netfilter_hook = static_cast<aw_hook>(record.hook);
  if (record.reason_space != AW_NO_KERNEL_REASON)
    event.kernel_reason =
        names(static_cast<aw_reason_space>(record.reason_space), record.kernel_reason);
  return event;
}

static ListenerEnd end_by_exit(uint32_t exit_code, uint32_t pid, std::string name) {
  ListenerEnd end{AW_EXITED, exit_code, pid, std::move(name)};
  if (end.signal())
    end.reason = AW_KILLED;
  return end;
}

ListenerEnd end_of(const aw_process& record) {
  return end_by_exit(record.exit_code, record.pid, text_of(record.comm));
}

static ListenerEnd early_closer_of(const aw_event& record) {
  if (record.exit_code)
    return end_by_exit(record.exit_code, record.pid, text_of(record.comm));
  return {AW_CLOSED, {}, record.pid, text_of(record.comm)};
}

std::optional<ListenerEnd> end_of(const aw_event& record) {
  if (record.action == AW_CLOSED_AFTER_ACCEPT)
    return early_closer_of(record);
  if (record.action != AW_LISTENER_CLOSED || record.reason == AW_REASON_NONE)
    return std::nullopt;
  ListenerEnd end{static_cast<aw_reason>(record.reason), {}, record.pid, text_of(record.comm)};
  if (end.reason == AW_EXITED || end.reason == AW_KILLED)
    end.exit_code = record.exit_code;
  return end;
}

Address address_of(const aw_listener& listener) {
  return to_address(listener.family, listener.address);
}

std::string text_of(std::span<const __u8> name) {
  return {name.begin(), std::ranges::find(name, 0)};
}

} // namespace acceptwatch
