// SPDX-License-Identifier: Apache-2.0
// SO_REUSEPORT: one port, several listeners of several processes, each with queues of its own.
#include <filesystem>

#include "core/error.h"
#include "core/helper.h"
#include "core/wait.h"
#include "families/families.h"
#include "families/steps.h"

namespace acceptwatch::scenarios {

namespace {

constexpr uint16_t server_port = 9113;
constexpr uint16_t siblings = 3;
constexpr int64_t queued_in_all = 6;

Helper sibling(uint16_t number) {
  Helper helper(cat("aw-sibling-", number), [number](const Channel& parent) {
    const Listener listener({.port = server_port, .backlog = 1, .reuse_port = true});
    if (number == 0) {
      choose_by_client_port(listener, siblings);
    }
    parent.say("listening");
    parent.hear("close");
  });
  helper.channel().hear("listening");
  return helper;
}

// The n-th port from `base` on that belongs to that sibling.
uint16_t port_for(uint16_t base, uint16_t number, uint16_t nth) {
  return static_cast<uint16_t>(base - base % siblings + number + siblings * nth);
}

// Two connections fill sibling n, which then drops n + 2 SYNs.
void reuseport(Stage& stage) {
  TunPeers tun;
  stage.go();
  std::vector<Helper> helpers;
  for (uint16_t number = 0; number < siblings; ++number) {
    helpers.push_back(sibling(number));
  }
  for (uint16_t number = 0; number < siblings; ++number) {
    const Owner owner{helpers[number].pid(), helpers[number].name(), 1};
    std::vector<uint16_t> queued;
    for (uint16_t nth = 0; nth < 2; ++nth) {
      queued.push_back(port_for(20001, number, nth));
      enqueue(tun, depth_of(server_port), tun.add(queued.back(), server_port));
    }
    std::vector<Peer*> lost;
    for (uint16_t nth = 0; nth < number + 2; ++nth) {
      lost.push_back(&tun.add(port_for(30001, number, nth), server_port));
    }
    lose_syns(stage, tun, lost);
    Expectation dropped =
        at_listener("listen_drop", "accept_queue_full", owner, server_port, ports_of(lost));
    dropped.stage = "syn";
    dropped.accept_depth = Range::exactly(2);
    dropped.accept_limit = Range::exactly(1);
    stage.expect(dropped);
    stage.expect(opened(owner, server_port));
    stage.expect(closed(owner, server_port, 2, 0));
    stage.expect(at_listener("reset_sent", "listener_closed", owner, server_port, queued));
  }
  for (Helper& helper : helpers) {
    helper.channel().say("close");
    helper.await_exit();
  }
  stage.await_moved("OutRsts", queued_in_all);
}

// tcp_migrate_req: what waits at a listener that is closed moves to another of its group, and is
// reset where there is none. Before 5.14 (54b92e841937) nothing moves, whatever the sysctl says.
void migration(Stage& stage) {
  if (std::filesystem::exists("/proc/sys/net/ipv4/tcp_migrate_req")) {
    set_sysctl("net.ipv4.tcp_migrate_req", 1);
  }
  TunPeers tun;
  stage.go();
  const ListenerOptions options = {.port = server_port, .backlog = 10, .reuse_port = true};
  Listener first = open_listener(stage, options);
  const std::vector<uint16_t> queued = {20001, 20002};
  for (const uint16_t port : queued) {
    enqueue(tun, depth_of(first), tun.add(port, server_port));
  }
  Listener second = open_listener(stage, options);
  first.close();
  // Not by then where a scan of acceptwatch's holds the file at that moment.
  wait_for("the connections to move, or to be reset", [&] {
    return stage.world().moved("TCPMigrateReqSuccess") == 2 || stage.world().moved("OutRsts") == 2;
  });
  const bool moves = stage.world().moved("TCPMigrateReqSuccess") > 0;
  const unsigned lost_with_first = moves ? 0 : 2;
  stage.claim(second.depth() == 2 - lost_with_first, "both connections have moved, or none");
  stage.beside("TCPMigrateReqSuccess", moves ? 2 : 0);
  stage.expect(closed(stage.self(), server_port, lost_with_first, 0));

  Peer& late = tun.add(30001, server_port);
  shake(tun, late);
  stage.expect(closed(stage.self(), server_port, 2 - lost_with_first, 1));
  second.close();
  Expectation reset =
      at_listener("reset_sent", "listener_closed", stage.self(), server_port, queued);
  // Its last ACK looks for a listener once more, and is answered with a RST.
  Expectation too_late = at_listener("reset_sent", "listener_closed", {}, server_port, {30001});
  too_late.stage = "ack";
  too_late.owner.reset();
  too_late.no_owner = true;
  if (moves) {
    reset.also = "TCPMigrateReqFailure";
    too_late.also = "TCPMigrateReqFailure";
  }
  stage.expect(reset);
  tun.send_ack(late);
  tun.await_reset(late);
  stage.expect(too_late);
  expect_resends(stage, tun);
}

} // namespace

std::vector<Scenario> reuseport_scenarios() {
  return {
      {"reuseport", "3 SO_REUSEPORT listeners of 3 processes, each drops its own", reuseport},
      {"migration", "connections move to the next listener, and are reset with the last",
       migration},
  };
}

} // namespace acceptwatch::scenarios
