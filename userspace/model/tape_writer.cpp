// SPDX-License-Identifier: Apache-2.0
#include "model/tape.h"
#include "model/tape_codec.h"
#include "model/tape_frames.h"
#include "model/tape_names.h"

namespace acceptwatch {
namespace {

/// Numbers frames and hands them on.
class Frames {
public:
  Frames(bool leaves_out_names, TapeWriter::Write write)
      : leaves_out_names_(leaves_out_names), write_(std::move(write)) {}

  template <typename... T> void put(Frame frame, const T&... values) {
    body_.clear();
    body_(values...);
    head_.clear();
    head_.number(static_cast<uint64_t>(frame));
    head_.number(body_.bytes().size());
    write_(head_.bytes());
    write_(body_.bytes());
  }

  void put_text(std::string_view text) { write_(text); }

  /// As it may leave the host.
  template <typename T> [[nodiscard]] T shown(T value) {
    if (leaves_out_names_)
      pseudonyms_.replace(value);
    return value;
  }
  [[nodiscard]] std::optional<std::string> shown_name(std::optional<std::string> name) {
    if (leaves_out_names_ && name)
      pseudonyms_.replace_name(*name);
    return name;
  }
  [[nodiscard]] std::optional<std::string> shown_cgroup(std::optional<std::string> path) {
    if (leaves_out_names_ && path)
      pseudonyms_.replace_cgroup(*path);
    return path;
  }

private:
  const bool leaves_out_names_;
  TapeWriter::Write write_;
  Pseudonyms pseudonyms_;
  TapeEncoder head_;
  TapeEncoder body_;
};

class RecordingHost final : public Host {
public:
  RecordingHost(Frames& frames, const Host& host) : frames_(frames), host_(host) {}

  std::optional<std::string> name(uint32_t pid) const override {
    auto answer = host_.name(pid);
    frames_.put(Frame::name, frames_.shown_name(answer));
    return answer;
  }
  std::optional<uint64_t> start_ns(uint32_t pid) const override {
    return recorded(Frame::start_ns, host_.start_ns(pid));
  }
  std::optional<std::string> cgroup(uint32_t pid) const override {
    auto answer = host_.cgroup(pid);
    frames_.put(Frame::cgroup, frames_.shown_cgroup(answer));
    return answer;
  }
  std::optional<int> find_socket(uint32_t pid, uint64_t inode, int hint) const override {
    return recorded(Frame::find_socket, host_.find_socket(pid, inode, hint));
  }
  std::optional<FileUsage> descriptors(uint32_t pid) const override {
    return recorded(Frame::descriptors, host_.descriptors(pid));
  }
  bool may_exceed_file_max(uint32_t pid) const override {
    return recorded(Frame::may_exceed_file_max, host_.may_exceed_file_max(pid));
  }
  std::optional<OwnerState> owner_state(const OwnerQuestion& asked) const override {
    auto answer = host_.owner_state(asked);
    auto kept = answer;
    if (kept && kept->threads.told)
      kept->threads.told = frames_.shown(*kept->threads.told);
    frames_.put(Frame::owner_state, kept);
    return answer;
  }
  std::optional<CookieCounts> cookies(uint32_t pid) const override {
    return recorded(Frame::cookies, host_.cookies(pid));
  }
  std::optional<ConntrackTable> conntrack(uint32_t pid) const override {
    return recorded(Frame::conntrack, host_.conntrack(pid));
  }
  std::vector<Translation> translations() const override {
    auto answer = host_.translations();
    auto kept = answer;
    for (Translation& translation : kept)
      translation = frames_.shown(translation);
    frames_.put(Frame::translations, kept);
    return answer;
  }
  std::optional<FileUsage> host_files() const override {
    return recorded(Frame::host_files, host_.host_files());
  }
  NetCounterLook net_counters(std::optional<uint32_t> only,
                              const NetReadings& before) const override {
    return recorded(Frame::net_counters, host_.net_counters(only, before));
  }
  std::vector<uint32_t> mounted_namespaces() const override {
    return recorded(Frame::mounted_namespaces, host_.mounted_namespaces());
  }
  ListenerLook look(const std::function<void(const aw_holder&)>& visit) const override {
    // The visitor asks the host, too: what it was shown comes first.
    return recorded(Frame::look, host_.look([&](const aw_holder& holder) {
      frames_.put(Frame::holder, frames_.shown(holder));
      visit(holder);
    }));
  }
  std::vector<Counter> counters() const override {
    return recorded(Frame::counters, host_.counters());
  }
  bool has_summed_up() const override {
    return recorded(Frame::has_summed_up, host_.has_summed_up());
  }
  Losses losses() const override { return recorded(Frame::losses, host_.losses()); }
  std::optional<Waits> waits(uint64_t listener, uint64_t cookie) const override {
    return recorded(Frame::waits, host_.waits(listener, cookie));
  }
  uint64_t arrivals(const aw_place& place) const override {
    return recorded(Frame::arrivals, host_.arrivals(place));
  }
  std::optional<Chain> chain(uint64_t id) const override {
    auto answer = host_.chain(id);
    frames_.put(Frame::chain, answer ? std::optional{frames_.shown(*answer)} : std::nullopt);
    return answer;
  }

private:
  template <typename T> T recorded(Frame frame, T answer) const {
    frames_.put(frame, answer);
    return answer;
  }

  Frames& frames_;
  const Host& host_;
};

class RecordingControl final : public KernelControl {
public:
  RecordingControl(Frames& frames, KernelControl& control) : frames_(frames), control_(control) {}

  std::optional<aw_peaks> end_pressure(uint64_t listener) override {
    const auto answer = control_.end_pressure(listener);
    frames_.put(Frame::end_pressure, answer);
    return answer;
  }
  void mute(uint64_t listener, uint64_t until_ns) override { control_.mute(listener, until_ns); }
  void unmute(uint64_t listener) override { control_.unmute(listener); }
  bool count_arrivals(const aw_place& place) override {
    const bool answer = control_.count_arrivals(place);
    frames_.put(Frame::count_arrivals, answer);
    return answer;
  }
  void stop_counting(const aw_place& place) override { control_.stop_counting(place); }
  void watch_chains(bool watch) override { control_.watch_chains(watch); }
  void reclaim_counters(const UseOf& use_of) override { control_.reclaim_counters(use_of); }

private:
  Frames& frames_;
  KernelControl& control_;
};

/// The filters name processes and cgroups, by the names that records of theirs will have. As they
/// were typed they stand in two lists besides, of which the names of the options remain.
TapeHead without_names(TapeHead head, Frames& frames) {
  for (std::string& name : head.scope.owners.names)
    name = *frames.shown_name(name);
  for (std::string& path : head.scope.owners.cgroups)
    path = *frames.shown_cgroup(path);
  for (auto* filters : {&head.start.filters, &head.scope.incomparable}) {
    for (std::string& filter : *filters) {
      if (filter.starts_with("comm=") || filter.starts_with("cgroup="))
        filter.resize(filter.find('='));
    }
  }
  return head;
}

} // namespace

struct TapeWriter::State {
  State(bool leaves_out_names, Write write) : frames(leaves_out_names, std::move(write)) {}

  Frames frames;
  std::optional<RecordingHost> host;
  std::optional<RecordingControl> control;
};

TapeWriter::TapeWriter(const TapeHead& head, bool leaves_out_names, Write write)
    : state_(std::make_unique<State>(leaves_out_names, std::move(write))) {
  const TapeHead shown = leaves_out_names ? without_names(head, state_->frames) : head;
  TapeEncoder body;
  body(shown.scope, shown.start, shown.reasons);
  TapeEncoder size;
  size.number(tape_version);
  size.number(body.bytes().size());
  state_->frames.put_text(tape_magic);
  state_->frames.put_text(size.bytes());
  state_->frames.put_text(body.bytes());
}

TapeWriter::~TapeWriter() = default;

/// Of an activation that failed nothing follows.
void TapeWriter::begin(const Result<Instant>& activated) {
  if (activated)
    state_->frames.put(Frame::begin, *activated);
}

void TapeWriter::apply(const Record& record, uint64_t count, const Instant& now) {
  Frames& frames = state_->frames;
  if (const auto* event = std::get_if<aw_event>(&record))
    frames.put(Frame::event, now, count, frames.shown(*event));
  else if (const auto* process = std::get_if<aw_process>(&record))
    frames.put(Frame::process, now, count, frames.shown(*process));
}

void TapeWriter::tick(const Instant& now) { state_->frames.put(Frame::tick, now); }
void TapeWriter::stop(const Instant& now) { state_->frames.put(Frame::stop, now); }
void TapeWriter::finish(const Instant& now) { state_->frames.put(Frame::finish, now); }
void TapeWriter::audit(const Instant& now) { state_->frames.put(Frame::audit, now); }

const Host& TapeWriter::listen_to(const Host& host) {
  return state_->host.emplace(state_->frames, host);
}

KernelControl& TapeWriter::listen_to(KernelControl& control) {
  return state_->control.emplace(state_->frames, control);
}

} // namespace acceptwatch
