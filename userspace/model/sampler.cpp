// SPDX-License-Identifier: Apache-2.0
#include "model/sampler.h"

#include <algorithm>
#include <tuple>

namespace acceptwatch {
namespace {

bool is_lost(uint8_t action) {
  return action == AW_LISTEN_DROP || action == AW_RESET_SENT || action == AW_HANDSHAKE_EXPIRED;
}

uint64_t total_of(const Sample& sample) {
  uint64_t total = 0;
  for (const auto& loss : sample.lost)
    total += loss.count;
  return total;
}

bool has_something_to_tell(const Sample& sample) {
  return sample.accept_peak || sample.syn_peak || !sample.lost.empty() ||
         sample.accepts.value_or(0);
}

/// Packets that found no room in the accept queue: who tries again is counted again.
uint64_t full_of(const Sample& sample) {
  uint64_t full = 0;
  for (const auto& loss : sample.lost) {
    if (loss.action == AW_LISTEN_DROP && loss.reason == AW_ACCEPT_QUEUE_FULL)
      full += loss.count;
  }
  return full;
}

uint64_t grown(uint64_t from, uint64_t to) { return to > from ? to - from : 0; }

Histogram grown(const Histogram& from, const Histogram& to) {
  Histogram between{};
  for (size_t i = 0; i < between.size(); ++i)
    between[i] = grown(from[i], to[i]);
  return between;
}

void keep_the_most_telling(std::vector<Sample>& samples) {
  std::ranges::sort(samples, [](const Sample& a, const Sample& b) {
    return std::tuple{total_of(b), b.accept_peak, b.accepts, a.port, a.netns, a.address.bytes} <
           std::tuple{total_of(a), a.accept_peak, a.accepts, b.port, b.netns, b.address.bytes};
  });
  samples.resize(std::min(samples.size(), Sampler::max_samples));
}

} // namespace

void Sampler::begin(const Instant& now) {
  begun_ns_ = now.boot_ns;
  table_.for_each([this](const Listener& listener) {
    if (listener.recent)
      before_[listener.id].depth = listener.recent->accept_queue.depth;
  });
  table_.begin_interval();
}

Sampler::LostHandshakes Sampler::losses_since(std::span<const Counter> counters) {
  LostHandshakes now;
  for (const auto& [key, count, suppressed] : counters) {
    if (is_lost(key.action) && key.listener && key.listener != AW_OTHER_LISTENERS)
      now[{key.listener, static_cast<aw_action>(key.action), static_cast<aw_reason>(key.reason)}] +=
          count;
  }
  LostHandshakes since;
  for (const auto& [key, count] : now) {
    const auto before = lost_.find(key);
    if (const uint64_t more = grown(before == lost_.end() ? 0 : before->second, count))
      since.emplace(key, more);
  }
  lost_ = std::move(now);
  return since;
}

Sample Sampler::sample_of(const Listener& listener, const Instant& now) const {
  Sample sample;
  sample.time = now.wall_time();
  sample.seconds = static_cast<double>(grown(begun_ns_, now.boot_ns)) / 1e9;
  sample.source = scope_.tier;
  sample.address = listener.address;
  sample.port = listener.port;
  sample.netns = listener.netns;
  if (listener.cookie)
    sample.socket = listener.cookie;
  if (const Holder* owner = owner_of(listener)) {
    sample.owner = to_owner(*owner);
    sample.owners = listener.left_out_holders ? 0 : listener.holders.size();
  }
  if (!listener.recent)
    return sample;
  sample.accept_queue = listener.recent->accept_queue;
  sample.syn_queue = listener.recent->syn_queue;
  sample.accept_peak = listener.recent->accept_peak;
  sample.syn_peak = listener.recent->syn_peak;
  const auto& state = listener.state;
  if (state && state->at_ns > begun_ns_ && state->accept_queue.depth && state->head_us)
    sample.oldest_seconds = now.seconds_since(state->head_us, state->at_ns);
  return sample;
}

void Sampler::add_losses(uint64_t listener, const LostHandshakes& losses, Sample& sample) const {
  for (auto loss = losses.lower_bound({listener}); loss != losses.end(); ++loss) {
    const auto& [key, count] = *loss;
    if (key.listener != listener)
      return;
    sample.lost.push_back({key.action, key.reason, count});
  }
}

void Sampler::add_accepts(const Listener& listener, const Before& before, Before& after,
                          Sample& sample) const {
  const Waits first = before.waits.value_or(Waits{});
  const Waits last = host_.waits(listener.id, listener.cookie).value_or(first);
  after.waits = last;
  sample.accepts = grown(first.accepted, last.accepted);
  sample.waits = percentiles(grown(first.queued, last.queued), last.max_us);
  if (before.depth && after.depth)
    sample.arrivals = grown(*before.depth, *sample.accepts + *after.depth) + full_of(sample);
}

void Sampler::take(const Instant& now, std::span<const Counter> counters, bool lost_is_all,
                   const std::function<void(const Sample&)>& tell) {
  const LostHandshakes losses = losses_since(counters);
  std::unordered_map<uint64_t, Before> after;
  std::vector<Sample> samples;
  size_t asked = 0;
  table_.for_each([&](const Listener& listener) {
    if (!scope_.wants_listener(listener))
      return;
    const auto known = before_.find(listener.id);
    // One that is new has begun with an empty queue.
    const Before before = known == before_.end() ? Before{0, {}, false} : known->second;
    Sample sample = sample_of(listener, now);
    add_losses(listener.id, losses, sample);
    sample.lost_is_all = lost_is_all;
    Before last;
    if (sample.accept_queue)
      last.depth = sample.accept_queue->depth;
    if (scope_.sees_accept && !listener.closed && asked++ < max_asked)
      add_accepts(listener, before, last, sample);
    last.told = has_something_to_tell(sample);
    if (last.told || (before.told && !listener.closed))
      samples.push_back(std::move(sample));
    if (!listener.closed)
      after.emplace(listener.id, last);
  });
  before_ = std::move(after);
  begun_ns_ = now.boot_ns;
  table_.begin_interval();
  keep_the_most_telling(samples);
  for (const Sample& sample : samples)
    tell(sample);
}

} // namespace acceptwatch
