// SPDX-License-Identifier: Apache-2.0
// What `acceptwatch explain` is asked about: each cause, and beside it what only nearly is one.
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>

#include "core/error.h"
#include "core/netns.h"
#include "core/wait.h"
#include "families/obstacles.h"
#include "families/scene.h"
#include "families/signatures.h"
#include "families/steps.h"

namespace acceptwatch::scenarios {

namespace {

using std::chrono::milliseconds;

void hang(Scene& scene) {
  scene.listen(scene.draw(3, 20));
  scene.fill();
  scene.overflow(scene.draw(1, 10));
}

void serve_the_same(Scene& scene) {
  scene.listen(scene.draw(3, 20));
  scene.accept_all();
  scene.connect_and_be_served(30);
}

void accept_one_by_one(Scene& scene) {
  scene.listen(scene.draw(8, 16));
  scene.fill();
  scene.overflow(2);
  scene.accept_slowly(milliseconds(300));
}

void come_at_once(Scene& scene, int backlog) {
  scene.listen(backlog);
  scene.fill();
  scene.overflow(scene.draw(1, 10));
  scene.accept_all();
}

void come_at_once_to_a_long_queue(Scene& scene) {
  scene.listen(128);
  scene.connect(30);
  scene.accept_all();
}

// Which member a SYN goes to is the kernel's choice: so many that each is full.
void overflow_group(Scene& scene, bool one_serves) {
  scene.listen(4, true);
  scene.listen(4, true);
  if (one_serves)
    scene.accept_all();
  for (int i = 0; i < 60; ++i) {
    scene.connect_or_lose(1);
    if (one_serves)
      wait_for("the member that serves to accept", [&] { return scene.listener().depth() == 0; });
  }
}

void abort_handshake(Scene& scene, int setting) {
  set_sysctl("net.ipv4.tcp_abort_on_overflow", setting);
  scene.listen(3);
  Peer& late = scene.tun().add(15000, Scene::port);
  shake(scene.tun(), late);
  scene.fill();
  scene.tun().send_ack(late);
}

void flood(Scene& scene) {
  scene.listen(16);
  scene.knock(scene.draw(200, 400));
}

void fill_syn_queue_among_others(Scene& scene) {
  scene.listen(16);
  scene.accept_all();
  scene.knock(17);
  scene.shake_with_cookies(40);
}

void fill_syn_queue(Scene& scene, int cookies) {
  set_sysctl("net.ipv4.tcp_syncookies", cookies);
  scene.listen(16);
  scene.knock(40);
}

/// By the same process, which is no restart.
void reopen(Scene& scene) {
  scene.listen(8);
  scene.close();
  Peer& refused = *scene.knock(1).front();
  scene.tun().await_reset(refused);
  scene.listen(8);
}

void die_of(int signal) {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::signal(signal, SIG_DFL);
  ::raise(signal);
}

void be_refused(Scene& scene) {
  Peer& refused = *scene.knock(1).front();
  scene.tun().await_reset(refused);
}

// Processes that listen, one after the other, and end in the same way.
void serve_and_end(Scene& scene, int times, const std::function<void(Listener&)>& ends) {
  for (int i = 0; i < times; ++i) {
    scene.serve_until(ends);
    scene.end_server();
    be_refused(scene);
  }
}

void restart(Scene& scene) {
  serve_and_end(scene, 1, [](Listener&) { die_of(SIGTERM); });
  scene.serve_until([](Listener&) {});
}

// Its descriptor is shared, and the one who calls it lives.
void shut_down(Scene& scene) {
  serve_and_end(scene, 1, [](Listener& listener) {
    Helper sibling("aw-sibling", [&](const Channel& parent) {
      must(::shutdown(listener.fd(), SHUT_RDWR), "shutdown");
      parent.say("done");
      parent.hear("never");
    });
    sibling.channel().hear("done");
  });
}

void reopen_unseen(Scene& scene) {
  scene.listen(8);
  scene.close();
  scene.listen(8);
  scene.connect(3);
  scene.accept_all();
}

void knock_at_closed_port(Scene& scene) {
  for (Peer* peer : scene.knock(scene.draw(1, 5)))
    scene.tun().await_reset(*peer);
}

void close_with(Scene& scene, int connections) {
  scene.listen(16);
  scene.connect(connections);
  wait_for("connections to be queued",
           [&] { return waiting_on(Scene::port) == static_cast<unsigned>(connections); });
  scene.close();
}

void stay_silent(Scene& scene) {
  scene.listen(16);
  scene.accept_all();
  const auto peers = scene.knock(scene.draw(2, 6));
  wait_for("a SYN-ACK to be sent again", [&] {
    scene.tun().drain();
    return peers.front()->syn_acks > 1;
  });
}

// Clients that come to a listener behind something that refuses those of one port.
void pass_by(Scene& scene, uint16_t of_port) {
  scene.listen(16);
  scene.accept_all();
  scene.knock(of_port == Scene::port ? 3 : 0);
  if (of_port != Scene::port)
    scene.connect(3);
}

void drop_packets(Scene& scene, uint16_t of_port) {
  drop_by_firewall(Hook::input, of_port);
  pass_by(scene, of_port);
}

void reject_packets(Scene& scene, uint16_t of_port) {
  reject_by_firewall(Hook::input, of_port);
  pass_by(scene, of_port);
}

void filter_at_socket(Scene& scene, bool passes) {
  attach_filter(scene.listen(16), passes);
  scene.accept_all();
  if (passes)
    scene.connect_and_be_served(3);
  else
    scene.knock(3);
}

// A rule for another port has connections tracked.
void track_connections(Scene& /*scene*/) {
  translate(Scene::port + 1, TunPeers::server_address(AF_INET), Scene::port + 2);
}

void track_at_most(Scene& scene, long most) {
  scene.listen(16);
  scene.accept_all();
  scene.connect_and_be_served(1);
  const FewTracked limit(most);
  if (most == 1)
    scene.knock(3);
  else
    scene.connect_and_be_served(3);
}

constexpr const char* somebody_else = "10.98.0.77";

void want_signatures_of(Scene& scene, const std::string& client) {
  want_signatures(scene.listen(16), client);
  scene.accept_all();
  if (client == somebody_else)
    scene.connect_and_be_served(3);
  else
    scene.knock(3);
}

void lose_the_way_to(Scene& scene, const std::string& client) {
  scene.listen(16);
  scene.accept_all();
  add_unreachable(client);
  if (client == somebody_else)
    scene.connect_and_be_served(3);
  else
    scene.knock(3);
}

void answer_cookies(Scene& scene, bool forged) {
  set_sysctl("net.ipv4.tcp_syncookies", 2);
  scene.listen(16);
  scene.accept_all();
  scene.shake_with_cookies(3);
  for (Peer* forger : scene.strangers(forged ? 3 : 0)) {
    scene.tun().send_ack_of(*forger, 0x12345678);
    scene.tun().await_reset(*forger);
  }
}

std::vector<Incident> incidents_everywhere() {
  const std::set<std::string> burst_of_a_small_backlog{"burst_larger_than_backlog",
                                                       "backlog_too_small"};
  const auto nothing = [](Scene&) {};
  const auto client = TunPeers::client_address(AF_INET);
  return {
      {"hangs", {"stuck_acceptor"}, {}, nothing, hang, "listen_drop", "accept_queue_full"},
      {"hangs_not", {}, {}, nothing, serve_the_same, "", ""},
      {"no_descriptors",
       {"descriptors_exhausted"},
       {},
       [](Scene& s) { s.serve_without_descriptors(8); },
       [](Scene& s) { s.connect(5); },
       "",
       ""},
      {"no_files",
       {"host_files_exhausted"},
       {},
       [](Scene& s) { s.serve_without_files(8, false); },
       [](Scene& s) { s.connect(5); },
       "",
       "",
       true},
      {"files_run_out",
       {"host_files_exhausted"},
       {},
       nothing,
       [](Scene& s) {
         s.serve_without_files(8, false);
         s.connect(5);
       },
       "",
       "",
       true},
      {"no_files_but_for_root",
       {},
       {},
       [](Scene& s) { s.serve_without_files(8, true); },
       [](Scene& s) { s.connect_and_be_served(5); },
       "",
       "",
       true},
      {"slow",
       {"slow_acceptor"},
       {},
       nothing,
       accept_one_by_one,
       "listen_drop",
       "accept_queue_full"},
      {"burst",
       burst_of_a_small_backlog,
       {},
       nothing,
       [](Scene& s) { come_at_once(s, s.draw(4, 20)); },
       "listen_drop",
       "accept_queue_full"},
      {"burst_that_fits", {}, {}, nothing, come_at_once_to_a_long_queue, "", ""},
      {"capped",
       {"burst_larger_than_backlog", "limit_capped_by_somaxconn"},
       {},
       [](Scene&) { set_sysctl("net.core.somaxconn", 8); },
       [](Scene& s) { come_at_once(s, 64); },
       "listen_drop",
       "accept_queue_full"},
      {"capped_not",
       burst_of_a_small_backlog,
       {},
       [](Scene&) { set_sysctl("net.core.somaxconn", 64); },
       [](Scene& s) { come_at_once(s, 8); },
       "listen_drop",
       "accept_queue_full"},
      {"one_member_hangs",
       {"reuseport_imbalance", "stuck_acceptor"},
       {},
       nothing,
       [](Scene& s) { overflow_group(s, true); },
       "listen_drop",
       "accept_queue_full"},
      {"all_members_hang",
       {"stuck_acceptor"},
       {},
       nothing,
       [](Scene& s) { overflow_group(s, false); },
       "listen_drop",
       "accept_queue_full"},
      {"aborts",
       {"abort_on_overflow"},
       {"stuck_acceptor"},
       nothing,
       [](Scene& s) { abort_handshake(s, 1); },
       "reset_sent",
       "abort_on_overflow"},
      {"aborts_not",
       {"stuck_acceptor"},
       {},
       nothing,
       [](Scene& s) { abort_handshake(s, 0); },
       "listen_drop",
       "accept_queue_full"},
      {"flood",
       {"syn_flood"},
       {"cookies_hide_full_syn_queue"},
       nothing,
       flood,
       "syncookie_sent",
       "syn_queue_full"},
      {"cookies",
       {"cookies_hide_full_syn_queue"},
       {},
       nothing,
       fill_syn_queue_among_others,
       "syncookie_sent",
       "syn_queue_full"},
      {"syn_queue",
       {"syn_queue_full"},
       {},
       nothing,
       [](Scene& s) { fill_syn_queue(s, 0); },
       "listen_drop",
       "syn_queue_full"},
      {"syn_queue_with_cookies",
       {"cookies_hide_full_syn_queue"},
       {},
       nothing,
       [](Scene& s) { fill_syn_queue(s, 1); },
       "syncookie_sent",
       "syn_queue_full"},
      {"reopened", {"reopened_by_owner"}, {}, nothing, reopen, "reset_sent", "no_listener"},
      {"restarted", {"restart_gap"}, {}, nothing, restart, "reset_sent", "no_listener"},
      {"stopped",
       {"service_stopped"},
       {},
       nothing,
       [](Scene& s) { serve_and_end(s, 1, [](Listener&) { die_of(SIGTERM); }); },
       "reset_sent",
       "no_listener"},
      {"crashed",
       {"owner_died"},
       {},
       nothing,
       [](Scene& s) { serve_and_end(s, 2, [](Listener&) { die_of(SIGSEGV); }); },
       "reset_sent",
       "no_listener"},
      {"crashes",
       {"crash_loop"},
       {"owner_died"},
       nothing,
       [](Scene& s) { serve_and_end(s, 3, [](Listener&) { die_of(SIGSEGV); }); },
       "reset_sent",
       "no_listener"},
      {"exited",
       {"owner_died"},
       {},
       nothing,
       [](Scene& s) { serve_and_end(s, 1, [](Listener&) { ::_exit(3); }); },
       "reset_sent",
       "no_listener"},
      {"closed_and_lives",
       {"closed_by_owner"},
       {},
       nothing,
       [](Scene& s) { serve_and_end(s, 1, [](Listener& l) { l.close(); }); },
       "reset_sent",
       "no_listener"},
      {"shut_down", {"listener_shut_down"}, {}, nothing, shut_down, "reset_sent", "no_listener"},
      {"reopened_unseen", {}, {}, nothing, reopen_unseen, "", ""},
      {"closed_port",
       {"closed_port"},
       {},
       nothing,
       knock_at_closed_port,
       "reset_sent",
       "no_listener"},
      {"closed_full",
       {"closed_with_queue"},
       {},
       nothing,
       [](Scene& s) { close_with(s, s.draw(1, 10)); },
       "listener_closed",
       ""},
      {"closed_empty", {}, {}, nothing, [](Scene& s) { close_with(s, 0); }, "", ""},
      {"silent", {"handshakes_lost"}, {}, nothing, stay_silent, "synack_retransmit", "no_ack"},
      {"firewall",
       {"firewall"},
       {},
       nothing,
       [](Scene& s) { drop_packets(s, Scene::port); },
       "listen_drop",
       "firewall"},
      {"firewall_elsewhere",
       {},
       {},
       nothing,
       [](Scene& s) { drop_packets(s, Scene::port + 1); },
       "",
       ""},
      {"firewall_rejects",
       {"firewall"},
       {},
       nothing,
       [](Scene& s) { reject_packets(s, Scene::port); },
       "reset_sent",
       "firewall"},
      {"firewall_rejects_elsewhere",
       {},
       {},
       nothing,
       [](Scene& s) { reject_packets(s, Scene::port + 1); },
       "",
       ""},
      {"conntrack_full",
       {"conntrack_full"},
       {},
       track_connections,
       [](Scene& s) { track_at_most(s, 1); },
       "listen_drop",
       "firewall",
       true},
      {"conntrack_has_room",
       {},
       {},
       track_connections,
       [](Scene& s) { track_at_most(s, 100); },
       "",
       "",
       true},
      {"socket_filter",
       {"socket_filter"},
       {},
       nothing,
       [](Scene& s) { filter_at_socket(s, false); },
       "listen_drop",
       "socket_filter"},
      {"socket_filter_that_passes",
       {},
       {},
       nothing,
       [](Scene& s) { filter_at_socket(s, true); },
       "",
       ""},
      {"signatures",
       {"authentication"},
       {},
       nothing,
       [client](Scene& s) { want_signatures_of(s, client); },
       "listen_drop",
       "authentication"},
      {"signatures_of_others",
       {},
       {},
       nothing,
       [](Scene& s) { want_signatures_of(s, somebody_else); },
       "",
       ""},
      {"no_route",
       {"no_route"},
       {},
       nothing,
       [client](Scene& s) { lose_the_way_to(s, client); },
       "listen_drop",
       "no_route"},
      {"no_route_to_others",
       {},
       {},
       nothing,
       [](Scene& s) { lose_the_way_to(s, somebody_else); },
       "",
       ""},
      {"forged_cookies",
       {"cookie_invalid"},
       {},
       nothing,
       [](Scene& s) { answer_cookies(s, true); },
       "listen_drop",
       "cookie_invalid"},
      {"honest_cookies", {}, {}, nothing, [](Scene& s) { answer_cookies(s, false); }, "", ""},
  };
}

// Where the kernel takes modules that are programs.
std::vector<Incident> incidents_with_modules() {
  const auto refuse = [](uint16_t port) {
    return [port](Scene& s) { s.have_module_refuse(port); };
  };
  return {
      {"security_module",
       {"security_module"},
       {},
       refuse(Scene::port),
       [](Scene& s) { pass_by(s, Scene::port); },
       "listen_drop",
       "security_module"},
      {"security_module_elsewhere",
       {},
       {},
       refuse(Scene::port + 1),
       [](Scene& s) { pass_by(s, Scene::port + 1); },
       "",
       ""},
  };
}

} // namespace

std::vector<Incident> all_incidents() {
  auto incidents = incidents_everywhere();
  if (has_bpf_modules()) {
    for (auto& incident : incidents_with_modules())
      incidents.push_back(std::move(incident));
  }
  return incidents;
}

} // namespace acceptwatch::scenarios
