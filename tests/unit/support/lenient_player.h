// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "model/tape.h"
#include "model/tape_codec.h"
#include "model/tape_frames.h"
#include "support/collecting_sink.h"

#include <deque>
#include <set>

namespace acceptwatch::unit {

/// Events of one action and reason.
using EventKey = std::pair<uint8_t, uint8_t>;

/// Plays a tape without some of its records. Other questions are asked then, so each gets the next
/// answer of its kind from that moment, or the last of an earlier one, or none.
class LenientPlayer {
public:
  explicit LenientPlayer(std::string_view bytes) {
    bytes.remove_prefix(tape_magic.size());
    number(bytes); // version
    const uint64_t size = number(bytes);
    TapeDecoder head{bytes.substr(0, size)};
    head(head_.scope, head_.start, head_.reasons);
    bytes.remove_prefix(size);
    while (!bytes.empty()) {
      const auto frame = static_cast<Frame>(number(bytes));
      const uint64_t length = number(bytes);
      pieces_.push_back({frame, bytes.substr(0, length)});
      bytes.remove_prefix(std::min<size_t>(length, bytes.size()));
    }
  }

  [[nodiscard]] std::set<EventKey> events() const {
    std::set<EventKey> keys;
    for (const Piece& piece : pieces_) {
      if (piece.frame == Frame::event)
        keys.insert(key_of(event_of(piece)));
    }
    return keys;
  }

  /// How it ends without these, of which the plan says that they cannot be seen.
  [[nodiscard]] Snapshot play(std::optional<EventKey> without) const {
    Scope scope = head_.scope;
    if (without)
      scope.blind.push_back({static_cast<aw_action>(without->first),
                             static_cast<aw_reason>(without->second),
                             AW_STAGE_NONE,
                             {},
                             "it was taken out",
                             {}});
    Answers host{without};
    KernelControl control;
    CollectingSink sink;
    Monitor monitor{scope, head_.reasons.names(), host, control, sink};
    size_t at = 0;
    const auto gather = [&] { // up to what is given to the monitor next
      for (; at < pieces_.size() && pieces_[at].frame >= Frame::name; ++at)
        host.add(pieces_[at]);
    };
    gather();
    static_cast<void>(monitor.begin([&]() -> Result<Instant> {
      Instant activated;
      TapeDecoder{pieces_[at++].body}(activated);
      gather();
      return activated;
    }));
    while (at < pieces_.size()) {
      const Piece piece = pieces_[at++];
      host.clear();
      gather();
      give(piece, without, monitor);
    }
    return monitor.snapshot();
  }

private:
  struct Piece {
    Frame frame{};
    std::string_view body;
  };

  static uint64_t number(std::string_view& bytes) {
    TapeDecoder decoder{bytes};
    const uint64_t value = decoder.number();
    TapeEncoder read;
    read.number(value);
    bytes.remove_prefix(read.bytes().size());
    return value;
  }
  static EventKey key_of(const aw_event& event) { return {event.action, event.reason}; }
  static aw_event event_of(const Piece& piece) {
    Instant now;
    uint64_t count = 0;
    aw_event event{};
    TapeDecoder{piece.body}(now, count, event);
    return event;
  }

  template <typename Wire> static void apply(const Piece& piece, Monitor& monitor) {
    Instant now;
    uint64_t count = 0;
    Wire record{};
    TapeDecoder{piece.body}(now, count, record);
    monitor.apply(Record{record}, count, now);
  }

  static void give(const Piece& piece, const std::optional<EventKey>& without, Monitor& monitor) {
    Instant now;
    if (piece.frame == Frame::event) {
      if (key_of(event_of(piece)) != without)
        apply<aw_event>(piece, monitor);
      return;
    }
    if (piece.frame == Frame::process)
      return apply<aw_process>(piece, monitor);
    TapeDecoder{piece.body}(now);
    if (piece.frame == Frame::tick)
      monitor.tick(now);
    else if (piece.frame == Frame::audit)
      monitor.audit(now);
    else if (piece.frame == Frame::stop)
      monitor.stop([] {}, now);
    else
      monitor.finish(now);
  }

  class Answers final : public Host {
  public:
    explicit Answers(std::optional<EventKey> without) : without_(without) {}

    void add(const Piece& piece) { waiting_[piece.frame].push_back(piece.body); }
    void clear() { waiting_.clear(); }

    std::optional<std::string> name(uint32_t) const override {
      return next<std::optional<std::string>>(Frame::name);
    }
    std::optional<uint64_t> start_ns(uint32_t) const override {
      return next<std::optional<uint64_t>>(Frame::start_ns);
    }
    std::optional<std::string> cgroup(uint32_t) const override {
      return next<std::optional<std::string>>(Frame::cgroup);
    }
    std::optional<int> find_socket(uint32_t, uint64_t, int) const override {
      return next<std::optional<int>>(Frame::find_socket);
    }
    std::optional<FileUsage> descriptors(uint32_t) const override {
      return next<std::optional<FileUsage>>(Frame::descriptors);
    }
    bool may_exceed_file_max(uint32_t) const override {
      return next<bool>(Frame::may_exceed_file_max);
    }
    std::optional<OwnerState> owner_state(const OwnerQuestion&) const override {
      return next<std::optional<OwnerState>>(Frame::owner_state);
    }
    std::optional<CookieCounts> cookies(uint32_t) const override {
      return next<std::optional<CookieCounts>>(Frame::cookies);
    }
    std::optional<ConntrackTable> conntrack(uint32_t) const override {
      return next<std::optional<ConntrackTable>>(Frame::conntrack);
    }
    std::vector<Translation> translations() const override {
      return next<std::vector<Translation>>(Frame::translations);
    }
    std::optional<FileUsage> host_files() const override {
      return next<std::optional<FileUsage>>(Frame::host_files);
    }
    NetCounterLook net_counters(std::optional<uint32_t>, const NetReadings&) const override {
      return next<NetCounterLook>(Frame::net_counters);
    }
    std::vector<uint32_t> mounted_namespaces() const override {
      return next<std::vector<uint32_t>>(Frame::mounted_namespaces);
    }
    ListenerLook look(const std::function<void(const aw_holder&)>& visit) const override {
      while (!waiting_[Frame::holder].empty())
        visit(next<aw_holder>(Frame::holder));
      auto look = next<ListenerLook>(Frame::look);
      look.failed.reset();
      return look;
    }
    std::vector<Counter> counters() const override {
      auto all = next<std::vector<Counter>>(Frame::counters);
      std::erase_if(all, [this](const Counter& one) {
        return without_ == EventKey{one.key.action, one.key.reason};
      });
      return all;
    }
    bool has_summed_up() const override { return next<bool>(Frame::has_summed_up); }
    Losses losses() const override { return next<Losses>(Frame::losses); }
    std::optional<Waits> waits(uint64_t, uint64_t) const override {
      return next<std::optional<Waits>>(Frame::waits);
    }
    uint64_t arrivals(const aw_place&) const override { return next<uint64_t>(Frame::arrivals); }
    std::optional<Chain> chain(uint64_t) const override {
      return next<std::optional<Chain>>(Frame::chain);
    }

  private:
    template <typename T> T next(Frame frame) const {
      auto& waiting = waiting_[frame];
      if (!waiting.empty()) {
        last_[frame] = waiting.front();
        waiting.pop_front();
      }
      T value{};
      if (const auto known = last_.find(frame); known != last_.end())
        TapeDecoder{known->second}(value);
      return value;
    }

    std::optional<EventKey> without_;
    mutable std::map<Frame, std::deque<std::string_view>> waiting_;
    mutable std::map<Frame, std::string_view> last_;
  };

  TapeHead head_;
  std::vector<Piece> pieces_;
};

} // namespace acceptwatch::unit
