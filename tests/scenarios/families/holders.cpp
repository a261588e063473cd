// SPDX-License-Identifier: Apache-2.0
// Descriptors come and go: copies in children, in threads and in the same process change how many
// processes hold a listener, or do not.
#include <fcntl.h>
#include <sys/socket.h>

#include <csignal>
#include <thread>

#include "core/error.h"
#include "families/exec_holder.h"
#include "families/families.h"
#include "families/full_shop.h"

namespace acceptwatch::scenarios {

namespace {

constexpr uint16_t server_port = FullShop::server_port;
constexpr int backlog = FullShop::backlog;

// Plays a shop whose holder does something with its listener between the first losses and the next.
void two_acts(Stage& stage, const std::string& name,
              const std::function<void(const Channel&, Listener&)>& act) {
  TunPeers tun;
  stage.go();
  Helper holder(name, [&](const Channel& parent) {
    Listener listener({.port = server_port, .backlog = backlog});
    parent.say("listening");
    parent.hear("act");
    act(parent, listener);
  });
  holder.channel().hear("listening");
  stage.expect(opened(only(holder), server_port));
  FullShop shop(stage, tun);
  shop.fill();
  shop.lose(2, only(holder));
  stage.await_records(); // what happens to descriptors from here on must not change these
  holder.channel().say("act");
  holder.channel().hear("acted");
  shop.lose(3, only(holder));
  stage.await_records();
  holder.channel().say("close");
  holder.await_exit();
  shop.await_end(only(holder));
  expect_resends(stage, tun, only(holder));
}

// As servers do for each connection: the child closes the listener at once, and lives on.
void child_closes_copy(Stage& stage) {
  two_acts(stage, "aw-forks", [](const Channel& parent, Listener& listener) {
    Helper child("aw-forked", [&](const Channel& master) {
      listener.close();
      master.say("closed");
      master.hear("never");
    });
    child.channel().hear("closed");
    parent.say("acted");
    parent.hear("close");
  });
}

// As system(3) does: FD_CLOEXEC closes the child's copy.
void child_executes(Stage& stage) {
  two_acts(stage, "aw-executes", [](const Channel& parent, Listener&) {
    Helper child("aw-executed", [](const Channel& master) { exec_without_listener(master.fd()); });
    child.channel().hear();
    parent.say("acted");
    parent.hear("close");
    child.channel().say("close");
    child.await_exit();
  });
}

// Two descriptors of one process are one holder, until both are closed.
void second_descriptor(Stage& stage) {
  two_acts(stage, "aw-duplicates", [](const Channel& parent, Listener& listener) {
    const UniqueFd copy(must(::fcntl(listener.fd(), F_DUPFD_CLOEXEC, 100), "F_DUPFD_CLOEXEC"));
    listener.close();
    parent.say("acted");
    parent.hear("close");
  });
}

// A thread calls listen(): the process is named, by its own name.
void listen_in_thread(Stage& stage) {
  TunPeers tun;
  stage.go();
  Helper holder("aw-threads", [&](const Channel& parent) {
    std::thread([&] {
      set_process_name("aw-thread"); // PR_SET_NAME names the calling thread only
      const Listener listener({.port = server_port, .backlog = backlog});
      parent.say("listening");
      parent.hear("close");
    }).join();
  });
  holder.channel().hear("listening");
  stage.expect(opened(only(holder), server_port));
  FullShop(stage, tun).lose_and_end(holder);
}

// The process gives itself another name, as daemons do: the new one is right from then on.
void renames_itself(Stage& stage) {
  TunPeers tun;
  stage.go();
  Helper holder("aw-old-name", [](const Channel& parent) {
    const Listener listener({.port = server_port, .backlog = backlog});
    parent.say("listening");
    parent.hear("rename");
    set_process_name("aw-new-name");
    parent.say("renamed");
    parent.hear("close");
  });
  holder.channel().hear("listening");
  // Whether its first record is written before or after is a matter of microseconds: no name is
  // asked for there.
  stage.expect(opened({holder.pid(), "", 1}, server_port));
  FullShop shop(stage, tun);
  shop.fill();
  holder.channel().say("rename");
  holder.channel().hear("renamed");
  const Owner renamed{holder.pid(), "aw-new-name", 1};
  shop.lose(3, renamed);
  holder.channel().say("close");
  holder.await_exit();
  shop.await_end({holder.pid(), "", 1});
  expect_resends(stage, tun, renamed);
}

// One socket listens, is shut down, and listens again.
void listens_twice(Stage& stage) {
  TunPeers tun;
  stage.go();
  Listener listener = open_listener(stage, {.port = server_port, .backlog = backlog});
  const std::vector<uint16_t> first = fill(tun, listener, 20001);
  must(::shutdown(listener.fd(), SHUT_RD), "shutdown");
  stage.expect(
      closed(stage.self(), server_port, static_cast<unsigned>(first.size()), 0, "shutdown"));
  stage.expect(at_listener("reset_sent", "listener_closed", stage.self(), server_port, first));
  stage.await_moved("OutRsts", static_cast<int64_t>(first.size()));

  Peer& between = tun.add(31001, server_port);
  tun.send_syn(between);
  tun.await_reset(between);
  Expectation refused = at_listener("reset_sent", "no_listener", {}, server_port, {between.port});
  refused.owner.reset();
  refused.no_owner = true;
  stage.expect(refused);

  listener.listen(backlog);
  stage.expect(opened(stage.self(), server_port));
  const std::vector<uint16_t> second = fill(tun, listener, 21001);
  lose_syns(stage, tun, tun.add_many(30001, 3, server_port));
  stage.expect(accept_queue_full("syn", stage.self(), listener, {30001, 30002, 30003}));
  close_listener(stage, listener, second);
  expect_resends(stage, tun);
}

void many_listeners(Stage& stage) {
  constexpr uint16_t first_port = 10000;
  constexpr uint16_t count = 300;
  stage.go();
  std::vector<Listener> listeners;
  for (uint16_t number = 0; number < count; ++number) {
    listeners.push_back(
        open_listener(stage, {.port = static_cast<uint16_t>(first_port + number), .backlog = 10}));
  }
  for (Listener& listener : listeners) {
    stage.expect(closed(stage.self(), listener.port(), 0, 0));
    listener.close();
  }
}

} // namespace

std::vector<Scenario> holder_scenarios() {
  return {
      {"child_closes_copy", "a forked child closes its copy of the listener and lives on",
       child_closes_copy},
      {"child_executes", "a forked child executes a program, which has no copy", child_executes},
      {"second_descriptor", "the listener is duplicated, and the first descriptor closed",
       second_descriptor},
      {"listen_in_thread", "a thread with a name of its own calls listen()", listen_in_thread},
      {"renames_itself", "the owner changes its name", renames_itself},
      {"listens_twice", "listen(), shutdown(), a refused client, listen() again", listens_twice},
      {"many_listeners", "300 listeners are opened and closed", many_listeners},
  };
}

} // namespace acceptwatch::scenarios
