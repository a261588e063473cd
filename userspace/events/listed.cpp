// SPDX-License-Identifier: Apache-2.0
#include "events/listed.h"

#include "events/decode.h"

#include <algorithm>
#include <tuple>

namespace acceptwatch {

std::string_view name_of(LimitFrom from) {
  switch (from) {
  case LimitFrom::listen:
    return "listen()";
  case LimitFrom::somaxconn:
    return "somaxconn";
  case LimitFrom::max_syn_backlog:
    return "tcp_max_syn_backlog";
  }
  return {};
}

std::optional<LimitFrom> accept_limit_from(uint32_t limit, const QueueSettings& settings) {
  if (limit > settings.somaxconn)
    return std::nullopt;
  return limit == settings.somaxconn ? LimitFrom::somaxconn : LimitFrom::listen;
}

ListedQueue syn_queue_of(std::optional<uint32_t> depth, uint32_t accept_limit,
                         const QueueSettings& settings) {
  aw_syn_facts facts{};
  facts.accept_limit = accept_limit;
  facts.max_syn_backlog = settings.max_syn_backlog;
  facts.syncookies = settings.syncookies;
  const uint32_t limit = aw_syn_queue_limit(&facts, AW_REASON_NONE);
  return {depth, limit,
          limit < accept_limit ? LimitFrom::max_syn_backlog
                               : accept_limit_from(accept_limit, settings),
          std::nullopt};
}

Listed listed(const aw_listener& listener) {
  Listed entry;
  entry.id = listener.id;
  entry.address = address_of(listener);
  entry.port = listener.port;
  if (listener.netns)
    entry.netns = listener.netns;
  if (listener.cookie)
    entry.socket = listener.cookie;
  entry.accept_queue.depth = listener.accept_depth;
  return entry;
}

Listed listed(const aw_holder& holder) {
  const QueueSettings settings{holder.somaxconn, holder.max_syn_backlog, holder.syncookies};
  const aw_listener& listener = holder.listener;
  Listed entry = listed(listener);
  entry.accept_queue.limit = listener.accept_limit;
  entry.accept_queue.limit_from = accept_limit_from(listener.accept_limit, settings);
  entry.syn_queue = syn_queue_of(listener.syn_depth, listener.accept_limit, settings);
  entry.drops = holder.drops;
  entry.reuseport = holder.reuseport != 0;
  return entry;
}

void Peaks::note(const Listed& entry) {
  Depths& depths = depths_[entry.id];
  // What is not known is less than any number.
  depths.accept = std::max(depths.accept, entry.accept_queue.depth);
  depths.syn = std::max(depths.syn, entry.syn_queue.depth);
}

void Peaks::show(Listed& entry) const {
  const auto found = depths_.find(entry.id);
  if (found == depths_.end())
    return;
  entry.accept_queue.peak = found->second.accept;
  entry.syn_queue.peak = found->second.syn;
}

bool listed_before(const Listed& a, const Listed& b) {
  const auto rank = [](const Listed& entry) {
    return std::tuple{entry.port, entry.address.family, entry.address.bytes,
                      entry.netns.value_or(0), entry.id};
  };
  return rank(a) < rank(b);
}

} // namespace acceptwatch
