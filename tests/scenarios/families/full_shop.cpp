// SPDX-License-Identifier: Apache-2.0
#include "families/full_shop.h"

namespace acceptwatch::scenarios {

void FullShop::fill() {
  while (queued_.size() <= backlog) {
    Peer& peer = tun_.add(next_queued_++, server_port);
    enqueue(tun_, depth_of(server_port), peer);
    queued_.push_back(peer.port);
  }
}

Expectation FullShop::lost(size_t count, const Owner& owner) {
  const auto peers = tun_.add_many(next_lost_, count, server_port);
  next_lost_ = static_cast<uint16_t>(next_lost_ + count);
  lose_syns(stage_, tun_, peers);
  Expectation expected =
      at_listener("listen_drop", "accept_queue_full", owner, server_port, ports_of(peers));
  expected.stage = "syn";
  expected.accept_depth = Range::exactly(backlog + 1);
  expected.accept_limit = Range::exactly(backlog);
  return expected;
}

void FullShop::lose(size_t count, const Owner& owner) { stage_.expect(lost(count, owner)); }

void FullShop::lose_one_while_in(const std::string& kernel_function, const Owner& owner) {
  Expectation expected = lost(1, owner);
  expected.kernel_function = kernel_function;
  stage_.expect(expected);
}

void FullShop::await_end(const Owner& owner, const std::string& end) {
  stage_.expect(closed(owner, server_port, static_cast<unsigned>(queued_.size()), 0, end));
  stage_.expect(at_listener("reset_sent", "listener_closed", owner, server_port, queued_));
  stage_.await_moved("OutRsts", static_cast<int64_t>(queued_.size()));
}

void FullShop::lose_and_end(Helper& holder) {
  fill();
  lose(4, only(holder));
  holder.channel().say("close");
  holder.await_exit();
  await_end(only(holder));
  expect_resends(stage_, tun_, only(holder));
}

} // namespace acceptwatch::scenarios
