// SPDX-License-Identifier: Apache-2.0
#include "model/tape.h"
#include "model/tape_codec.h"
#include "model/tape_frames.h"

#include <fmt/format.h>

namespace acceptwatch {
namespace {

/// The pieces of a tape, one after the other. What does not fit is remembered: then nothing more
/// is to be had.
class Pieces {
public:
  explicit Pieces(std::string_view bytes) : rest_(bytes) {}

  /// The kind of the next one; none: the end, or it is broken.
  [[nodiscard]] std::optional<Frame> next() {
    if (!has_next_ && !take_next())
      return std::nullopt;
    return frame_;
  }

  /// The values of the next one, which has to be of that kind.
  template <typename... T> bool take(Frame frame, T&... values) {
    if (next() != frame)
      return fail(fmt::format("a piece of kind {} is where one of kind {} was expected",
                              has_next_ ? static_cast<unsigned>(frame_) : 0,
                              static_cast<unsigned>(frame)));
    has_next_ = false;
    TapeDecoder decoder{body_};
    decoder(values...);
    if (decoder.is_broken() || !decoder.is_at_end())
      return fail(fmt::format("a piece of kind {} cannot be read", static_cast<unsigned>(frame)));
    return true;
  }

  bool fail(std::string why) {
    if (why_.empty())
      why_ = fmt::format("{}, {} bytes before the end", why, rest_.size() + body_.size());
    rest_ = {};
    has_next_ = false;
    return false;
  }
  [[nodiscard]] const std::string& why_broken() const { return why_; }

private:
  bool take_next() {
    if (rest_.empty())
      return false;
    const auto kind = take_number();
    const auto size = take_number();
    if (!kind || !size || *size > rest_.size())
      return fail("a piece is cut off");
    frame_ = static_cast<Frame>(*kind);
    body_ = rest_.substr(0, *size);
    rest_.remove_prefix(*size);
    has_next_ = true;
    return true;
  }

  std::optional<uint64_t> take_number() {
    constexpr size_t longest = 10;
    const std::string_view begin = rest_.substr(0, longest);
    size_t length = 0;
    while (length < begin.size() && (static_cast<unsigned char>(begin[length]) & 0x80))
      ++length;
    TapeDecoder decoder{begin.substr(0, length + 1)};
    const uint64_t number = decoder.number();
    if (decoder.is_broken())
      return std::nullopt;
    rest_.remove_prefix(length + 1);
    return number;
  }

  std::string_view rest_;
  std::string_view body_;
  Frame frame_{};
  bool has_next_ = false;
  std::string why_;
};

/// Answers what was answered then.
class PlayedHost final : public Host {
public:
  explicit PlayedHost(Pieces& pieces) : pieces_(pieces) {}

  std::optional<std::string> name(uint32_t) const override {
    return answer<std::optional<std::string>>(Frame::name);
  }
  std::optional<uint64_t> start_ns(uint32_t) const override {
    return answer<std::optional<uint64_t>>(Frame::start_ns);
  }
  std::optional<std::string> cgroup(uint32_t) const override {
    return answer<std::optional<std::string>>(Frame::cgroup);
  }
  std::optional<int> find_socket(uint32_t, uint64_t, int) const override {
    return answer<std::optional<int>>(Frame::find_socket);
  }
  std::optional<FileUsage> descriptors(uint32_t) const override {
    return answer<std::optional<FileUsage>>(Frame::descriptors);
  }
  bool may_exceed_file_max(uint32_t) const override {
    return answer<bool>(Frame::may_exceed_file_max);
  }
  std::optional<OwnerState> owner_state(const OwnerQuestion&) const override {
    return answer<std::optional<OwnerState>>(Frame::owner_state);
  }
  std::optional<CookieCounts> cookies(uint32_t) const override {
    return answer<std::optional<CookieCounts>>(Frame::cookies);
  }
  std::optional<ConntrackTable> conntrack(uint32_t) const override {
    return answer<std::optional<ConntrackTable>>(Frame::conntrack);
  }
  std::vector<Translation> translations() const override {
    return answer<std::vector<Translation>>(Frame::translations);
  }
  std::optional<FileUsage> host_files() const override {
    return answer<std::optional<FileUsage>>(Frame::host_files);
  }
  NetCounterLook net_counters(std::optional<uint32_t>, const NetReadings&) const override {
    return answer<NetCounterLook>(Frame::net_counters);
  }
  std::vector<uint32_t> mounted_namespaces() const override {
    return answer<std::vector<uint32_t>>(Frame::mounted_namespaces);
  }
  ListenerLook look(const std::function<void(const aw_holder&)>& visit) const override {
    while (pieces_.next() == Frame::holder) {
      aw_holder holder{};
      if (pieces_.take(Frame::holder, holder))
        visit(holder);
    }
    return answer<ListenerLook>(Frame::look);
  }
  std::vector<Counter> counters() const override {
    return answer<std::vector<Counter>>(Frame::counters);
  }
  bool has_summed_up() const override { return answer<bool>(Frame::has_summed_up); }
  Losses losses() const override { return answer<Losses>(Frame::losses); }
  std::optional<Waits> waits(uint64_t, uint64_t) const override {
    return answer<std::optional<Waits>>(Frame::waits);
  }
  uint64_t arrivals(const aw_place&) const override { return answer<uint64_t>(Frame::arrivals); }
  std::optional<Chain> chain(uint64_t) const override {
    return answer<std::optional<Chain>>(Frame::chain);
  }

private:
  template <typename T> T answer(Frame frame) const {
    T value{};
    if (!pieces_.take(frame, value))
      value = T{};
    return value;
  }

  Pieces& pieces_;
};

class PlayedControl final : public KernelControl {
public:
  explicit PlayedControl(Pieces& pieces) : pieces_(pieces) {}

  std::optional<aw_peaks> end_pressure(uint64_t) override {
    std::optional<aw_peaks> peaks;
    if (!pieces_.take(Frame::end_pressure, peaks))
      peaks.reset();
    return peaks;
  }
  bool count_arrivals(const aw_place&) override {
    bool counted = false;
    return pieces_.take(Frame::count_arrivals, counted) && counted;
  }

private:
  Pieces& pieces_;
};

/// What is told while the tape is whole. Where an answer is missing, what follows from it is not
/// what was.
class WhileWhole final : public EventSink {
public:
  WhileWhole(const Pieces& pieces, EventSink& sink) : pieces_(pieces), sink_(sink) {}

  void take(const Event& event) override { pass(event); }
  void take(const Lost& lost) override { pass(lost); }
  void sampled(const Sample& sample) override {
    if (is_whole())
      sink_.sampled(sample);
  }
  void audited(const Audit& audit) override {
    if (is_whole())
      sink_.audited(audit);
  }

private:
  [[nodiscard]] bool is_whole() const { return pieces_.why_broken().empty(); }
  template <typename T> void pass(const T& told) {
    if (is_whole())
      sink_.take(told);
  }

  const Pieces& pieces_;
  EventSink& sink_;
};

template <typename Wire> void play_record(Frame frame, Pieces& pieces, Monitor& monitor) {
  Instant now;
  uint64_t count = 0;
  Wire record{};
  if (pieces.take(frame, now, count, record))
    monitor.apply(Record{record}, count, now);
}

/// What comes next. False: it is nothing that could.
bool play_one(Frame frame, Pieces& pieces, Monitor& monitor) {
  Instant now;
  switch (frame) {
  case Frame::event:
    play_record<aw_event>(frame, pieces, monitor);
    return true;
  case Frame::process:
    play_record<aw_process>(frame, pieces, monitor);
    return true;
  case Frame::tick:
    if (pieces.take(frame, now))
      monitor.tick(now);
    return true;
  case Frame::audit:
    if (pieces.take(frame, now))
      monitor.audit(now);
    return true;
  case Frame::stop:
    if (pieces.take(frame, now))
      monitor.stop([] {}, now);
    return true;
  case Frame::finish:
    if (pieces.take(frame, now))
      monitor.finish(now);
    return true;
  default:
    return pieces.fail(
        fmt::format("a piece of kind {} answers no question", static_cast<unsigned>(frame)));
  }
}

Result<TapeHead> read_head(std::string_view& bytes) {
  constexpr const char* what_it_is = "A tape is what --tape FILE has written.";
  if (!bytes.starts_with(tape_magic))
    return failure("this is no tape", what_it_is);
  bytes.remove_prefix(tape_magic.size());
  TapeDecoder sizes{bytes.substr(0, 20)};
  const uint64_t version = sizes.number();
  if (sizes.is_broken() || version != tape_version)
    return failure(
        fmt::format("the tape is of version {}, and this reads version {}", version, tape_version),
        "Play it with the acceptwatch that wrote it: its start record names it.");
  const uint64_t size = sizes.number();
  TapeEncoder read;
  read.number(version);
  read.number(size);
  bytes.remove_prefix(std::min(bytes.size(), read.bytes().size()));
  TapeHead head;
  TapeDecoder body{bytes.substr(0, size)};
  body(head.scope, head.start, head.reasons);
  if (sizes.is_broken() || size > bytes.size() || body.is_broken())
    return failure("the head of the tape is cut off", what_it_is);
  bytes.remove_prefix(size);
  return head;
}

} // namespace

Result<void> play_tape(std::string_view bytes, EventSink& sink,
                       const std::function<void(const Start&)>& take_start,
                       const std::function<void(const Snapshot&)>& take_summary) {
  const auto head = read_head(bytes);
  if (!head)
    return tl::unexpected{head.error()};
  Pieces pieces{bytes};
  const PlayedHost host{pieces};
  PlayedControl control{pieces};
  WhileWhole told{pieces, sink};
  Monitor monitor{head->scope, head->reasons.names(), host, control, told};
  const auto begun = monitor.begin([&]() -> Result<Instant> {
    Instant activated;
    if (!pieces.take(Frame::begin, activated))
      return failure("nothing was activated");
    Start start = head->start;
    start.time = activated.wall_time();
    take_start(start);
    return activated;
  });
  bool finished = false;
  while (begun && !finished) {
    const auto frame = pieces.next();
    if (!frame || !play_one(*frame, pieces, monitor))
      break;
    finished = frame == Frame::finish;
  }
  if (!pieces.why_broken().empty())
    return failure(fmt::format("the tape is damaged: {}", pieces.why_broken()),
                   "What came before that was told.");
  if (!begun)
    return tl::unexpected{begun.error()};
  if (finished)
    take_summary(monitor.snapshot());
  return {};
}

} // namespace acceptwatch
