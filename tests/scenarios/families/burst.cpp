// SPDX-License-Identifier: Apache-2.0
// Many losses at once: counted exactly, and every client named.
#include "core/error.h"
#include "core/helper.h"
#include "core/wait.h"
#include "families/families.h"
#include "families/steps.h"

namespace acceptwatch::scenarios {

namespace {

constexpr uint16_t server_port = 9109;
constexpr uint16_t other_port = 9110;
constexpr uint16_t closed_port = 9111;
constexpr size_t burst = 500;

void burst_syn_500(Stage& stage) {
  TunPeers tun;
  stage.go();
  Listener listener = open_listener(stage, {.port = server_port, .backlog = 2});
  const std::vector<uint16_t> queued = fill(tun, listener, 20001);
  const auto crowd = tun.add_many(30001, burst, server_port);
  lose_syns(stage, tun, crowd);
  stage.expect(accept_queue_full("syn", stage.self(), listener, ports_of(crowd)));
  close_listener(stage, listener, queued);
  expect_resends(stage, tun);
}

void burst_ack_500(Stage& stage) {
  TunPeers tun;
  stage.go();
  Listener listener = open_listener(stage, {.port = server_port, .backlog = 1000});
  const auto crowd = tun.add_many(30001, burst, server_port);
  Peer& in_time = tun.add(20001, server_port);
  for (Peer* peer : crowd) {
    tun.send_syn(*peer);
    tun.drain();
  }
  for (Peer* peer : crowd) {
    tun.await_syn_ack(*peer);
  }
  enqueue(tun, depth_of(listener), in_time);
  listener.listen(0);
  for (Peer* peer : crowd) {
    tun.send_ack(*peer);
  }
  stage.await_moved("ListenOverflows", burst);
  Expectation expected = accept_queue_full("ack", stage.self(), listener, ports_of(crowd));
  expected.syn_depth = Range::exactly(burst);
  stage.expect(expected);
  close_listener(stage, listener, {in_time.port});
  expect_resends(stage, tun);
}

// More than are written one by one: lines then stand for many, with a client for an example. The
// sum is as exact as ever.
void burst_syn_20000(Stage& stage) {
  TunPeers tun;
  stage.go();
  Listener listener = open_listener(stage, {.port = server_port, .backlog = 2});
  const std::vector<uint16_t> queued = fill(tun, listener, 20001);
  const auto crowd = tun.add_many(30001, 20000, server_port);
  lose_syns(stage, tun, crowd);
  Expectation expected = accept_queue_full("syn", stage.self(), listener, ports_of(crowd));
  expected.folds = true;
  stage.expect(expected);
  close_listener(stage, listener, queued);
  expect_resends(stage, tun);
}

// Holds a full listener on `port` until told to end.
Helper::Body shop(uint16_t port) {
  return [port](const Channel& parent) {
    const Listener listener({.port = port, .backlog = 1});
    parent.say("listening");
    parent.hear("close");
  };
}

// Two listeners of two processes and a closed port, packet by packet in turn: nothing may end up
// with the neighbour.
void burst_mixed(Stage& stage) {
  TunPeers tun;
  stage.go();
  Helper first("aw-first-shop", shop(server_port));
  first.channel().hear("listening");
  Helper second("aw-second-shop", shop(other_port));
  second.channel().hear("listening");
  const auto queued_first = tun.add_many(20001, 2, server_port);
  const auto queued_second = tun.add_many(21001, 2, other_port);
  for (size_t turn = 0; turn < 2; ++turn) {
    enqueue(tun, depth_of(server_port), *queued_first[turn]);
    enqueue(tun, depth_of(other_port), *queued_second[turn]);
  }

  const auto at_first = tun.add_many(30001, 250, server_port);
  const auto at_second = tun.add_many(31001, 250, other_port);
  const auto at_closed = tun.add_many(32001, 100, closed_port);
  for (size_t turn = 0; turn < at_first.size(); ++turn) {
    tun.send_syn(*at_first[turn]);
    tun.send_syn(*at_second[turn]);
    if (turn < at_closed.size()) {
      tun.send_syn(*at_closed[turn]);
    }
    tun.drain();
  }
  stage.await_moved("ListenDrops", 500);
  stage.await_moved("OutRsts", 100);

  Expectation refused =
      at_listener("reset_sent", "no_listener", {}, closed_port, ports_of(at_closed));
  refused.owner.reset();
  refused.no_owner = true;
  stage.expect(refused);
  for (Helper* helper : {&first, &second}) {
    const bool is_first = helper == &first;
    const Owner owner{helper->pid(), helper->name(), 1};
    const uint16_t port = is_first ? server_port : other_port;
    Expectation dropped = at_listener("listen_drop", "accept_queue_full", owner, port,
                                      ports_of(is_first ? at_first : at_second));
    dropped.stage = "syn";
    dropped.accept_depth = Range::exactly(2);
    dropped.accept_limit = Range::exactly(1);
    stage.expect(opened(owner, port));
    stage.expect(dropped);
    stage.expect(closed(owner, port, 2, 0));
    stage.expect(at_listener("reset_sent", "listener_closed", owner, port,
                             ports_of(is_first ? queued_first : queued_second)));
    helper->channel().say("close");
    helper->await_exit();
    expect_resends(stage, tun, owner, "ack_dropped", port);
  }
  stage.await_moved("OutRsts", 104);
}

} // namespace

std::vector<Scenario> burst_scenarios() {
  return {
      {"burst_syn_20000", "20,000 SYNs dropped: lines are folded, their sum is exact",
       burst_syn_20000, true},
      {"burst_syn_500", "500 SYNs dropped, every client named once", burst_syn_500},
      {"burst_ack_500", "500 last ACKs dropped, every client named once", burst_ack_500},
      {"burst_mixed", "two listeners of two processes and a closed port in turn", burst_mixed},
  };
}

} // namespace acceptwatch::scenarios
