// SPDX-License-Identifier: Apache-2.0
// Who is named: the process that holds the listener, whoever was on the CPU, and whatever happened
// to the holders since.
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <array>
#include <csignal>
#include <ctime>
#include <fstream>
#include <sstream>

#include "core/error.h"
#include "core/helper.h"
#include "core/wait.h"
#include "families/exec_holder.h"
#include "families/families.h"
#include "families/full_shop.h"
#include "families/steps.h"

namespace acceptwatch::scenarios {

namespace {

constexpr uint16_t server_port = FullShop::server_port;
constexpr int backlog = FullShop::backlog;

// Older than acceptwatch, of both families: found when it starts.
void old_listener(Stage& stage) {
  TunPeers tun;
  Listener v4({.port = server_port, .backlog = 3});
  Listener v6({.address = "fd98::1", .port = server_port, .backlog = 2});
  const std::vector<uint16_t> queued_early = fill(tun, v6, 21001, AF_INET6);
  stage.go();
  const std::vector<uint16_t> queued = fill(tun, v4, 20001);
  const auto v4_lost = tun.add_many(30001, 4, server_port);
  const auto v6_lost = tun.add_many(31001, 5, server_port, AF_INET6);
  lose_syns(stage, tun, v4_lost);
  lose_syns(stage, tun, v6_lost);
  stage.expect(accept_queue_full("syn", stage.self(), v4, ports_of(v4_lost)));
  stage.expect(accept_queue_full("syn", stage.self(), v6, ports_of(v6_lost), AF_INET6));
  close_listener(stage, v4, queued);
  close_listener(stage, v6, queued_early, AF_INET6);
  expect_resends(stage, tun);
}

// Older than acceptwatch, and its holder has left the namespace that it is in.
void old_listener_elsewhere(Stage& stage) {
  TunPeers tun;
  Helper holder("aw-elsewhere", [](const Channel& parent) {
    const Listener listener({.port = server_port, .backlog = backlog});
    const NetNamespace elsewhere = NetNamespace::create();
    parent.say("listening");
    parent.hear("close");
  });
  holder.channel().hear("listening");
  stage.go();
  FullShop(stage, tun).lose_and_end(holder);
}

constexpr int worker_count = 4;

// listen(), then workers that inherit the socket and live on when the master is gone.
void prefork_master(const Channel& parent) {
  const Listener listener({.port = server_port, .backlog = backlog});
  std::vector<Helper> workers;
  std::string pids;
  for (int number = 1; number <= worker_count; ++number) {
    workers.emplace_back(cat("aw-worker-", number), [](const Channel& master) {
      master.say("here"); // and under its own name
      for (;;) {
        ::pause();
      }
    });
    workers.back().channel().hear("here");
    pids += cat(workers.back().pid(), " ");
  }
  parent.say(pids);
  parent.hear("exit");
  ::_exit(0);
}

std::vector<pid_t> pids_in(const std::string& text) {
  std::istringstream words(text);
  std::vector<pid_t> pids;
  for (pid_t pid = 0; words >> pid;) {
    pids.push_back(pid);
  }
  return pids;
}

// The worker was adopted when its master died.
void end_worker(pid_t pid) {
  ::kill(pid, SIGKILL);
  wait_for("a worker to end", [pid] { return ::waitpid(pid, nullptr, WNOHANG) == pid; });
}

// The one that called listen() is named as long as it holds the socket, then the holder that was
// started first.
void prefork(Stage& stage, bool before_acceptwatch) {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  TunPeers tun;
  if (!before_acceptwatch) {
    stage.go();
  }
  Helper master("aw-master", prefork_master);
  const std::vector<pid_t> workers = pids_in(master.channel().hear());
  if (before_acceptwatch) {
    stage.go();
  } else {
    // One holder at the instant of listen(), five when the record is written: both are true, so
    // neither is asked for.
    stage.expect(opened({master.pid(), master.name(), Owner::any_number}, server_port));
  }
  FullShop shop(stage, tun);
  shop.fill();
  shop.lose(3, {master.pid(), master.name(), 1 + worker_count});

  const pid_t master_pid = master.pid();
  master.channel().say("exit");
  master.await_exit();
  stage.claim(::kill(master_pid, 0) != 0, "the master is gone");
  shop.lose(4, {workers[0], "aw-worker-1", worker_count});
  end_worker(workers[0]);
  shop.lose(5, {workers[1], "aw-worker-2", worker_count - 1});
  end_worker(workers[3]);
  end_worker(workers[2]);
  shop.lose(2, {workers[1], "aw-worker-2", 1});
  end_worker(workers[1]);
  shop.await_end({workers[1], "aw-worker-2", 1}, "killed");
  expect_resends(stage, tun, {master_pid, master.name(), Owner::any_number});
}

void prefork_before(Stage& stage) { prefork(stage, true); }

void prefork_after(Stage& stage) { prefork(stage, false); }

// The same process under another name: the one it has at the time of the loss counts.
void exec_renames(Stage& stage) {
  TunPeers tun;
  stage.go();
  Helper holder("aw-before-exec", [](const Channel& parent) {
    Listener listener({.port = server_port, .backlog = backlog});
    parent.say("listening");
    parent.hear("exec");
    exec_holder(listener.fd(), parent.fd());
  });
  holder.channel().hear("listening");
  const Owner before{holder.pid(), "aw-before-exec", 1};
  stage.expect(opened(before, server_port));
  FullShop shop(stage, tun);
  shop.fill();
  shop.lose(3, before);
  holder.channel().say("exec");
  const std::string new_name = holder.channel().hear();
  stage.claim(new_name != before.name, "exec gave the process another name");
  const Owner after{holder.pid(), new_name, 1};
  shop.lose(4, after);
  holder.channel().say("close");
  holder.await_exit();
  shop.await_end(after, "exited");
  expect_resends(stage, tun, after);
}

struct Link {
  Channel one{UniqueFd()};
  Channel other{UniqueFd()};

  Link() {
    std::array<int, 2> pair;
    must(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.data()), "socketpair");
    one = Channel(UniqueFd(pair[0]));
    other = Channel(UniqueFd(pair[1]));
  }
};

void giver(const Channel& parent, const Channel& link) {
  Listener listener({.port = server_port, .backlog = backlog});
  parent.say("listening");
  parent.hear("pass");
  link.pass_fd(listener.fd());
  parent.hear("close");
  listener.close();
  parent.say("closed");
  parent.hear("exit");
}

void taker(const Channel& parent, const Channel& link) {
  Listener listener(link.take_fd(), server_port);
  parent.say("taken");
  parent.hear("accept");
  const UniqueFd connection = listener.accept();
  parent.say("accepted");
  parent.hear("close");
}

// SCM_RIGHTS: the one that called listen() is named while it holds the socket, then the one that
// accepts.
void passed_fd(Stage& stage) {
  TunPeers tun;
  stage.go();
  Link link;
  Helper first("aw-giver", [&](const Channel& parent) { giver(parent, link.one); });
  Helper second("aw-taker", [&](const Channel& parent) { taker(parent, link.other); });
  first.channel().hear("listening");
  const Owner giver_alone{first.pid(), first.name(), 1};
  stage.expect(opened(giver_alone, server_port));
  FullShop shop(stage, tun);
  shop.fill();
  shop.lose(2, giver_alone);
  stage.await_records();

  first.channel().say("pass");
  second.channel().hear("taken");
  second.channel().say("accept");
  second.channel().hear("accepted");
  stage.let_it_read();
  shop.forget_oldest();
  shop.fill();
  shop.lose(3, {first.pid(), first.name(), 2});
  stage.await_records();

  first.channel().say("close");
  first.channel().hear("closed");
  const Owner taker_alone{second.pid(), second.name(), 1};
  shop.lose(4, taker_alone);
  stage.await_records();
  second.channel().say("close");
  second.await_exit();
  shop.await_end(taker_alone);
  first.channel().say("exit");
  expect_resends(stage, tun, giver_alone);
}

// It listens, loses connections and is gone, all within a millisecond or two: it must have been
// learnt at listen().
void owner_exits(Stage& stage) {
  TunPeers tun;
  stage.go();
  const auto queued = tun.add_many(20001, backlog + 1, server_port);
  const auto crowd = tun.add_many(30001, 5, server_port);
  Helper holder("aw-short-lived", [&](const Channel&) {
    const Listener listener({.port = server_port, .backlog = backlog});
    for (Peer* peer : queued) {
      enqueue(tun, depth_of(listener), *peer);
    }
    for (Peer* peer : crowd) {
      tun.send_syn(*peer);
    }
  });
  const Owner owner{holder.pid(), holder.name(), 1};
  holder.await_exit();
  stage.await_moved("ListenDrops", 5);
  stage.await_moved("OutRsts", backlog + 1);
  stage.expect(opened(owner, server_port));
  Expectation dropped =
      at_listener("listen_drop", "accept_queue_full", owner, server_port, ports_of(crowd));
  dropped.stage = "syn";
  dropped.accept_depth = Range::exactly(backlog + 1);
  dropped.accept_limit = Range::exactly(backlog);
  stage.expect(dropped);
  stage.expect(closed(owner, server_port, backlog + 1, 0));
  stage.expect(at_listener("reset_sent", "listener_closed", owner, server_port, ports_of(queued)));
}

// Kernel threads and clients are on the CPU when a packet is dropped, never the owner: here the
// owner is even stopped.
void owner_stopped(Stage& stage) {
  TunPeers tun;
  stage.go();
  Helper holder("aw-stopped", [](const Channel& parent) {
    const Listener listener({.port = server_port, .backlog = backlog});
    parent.say("listening");
    parent.hear("close");
  });
  holder.channel().hear("listening");
  const Owner owner{holder.pid(), holder.name(), 1};
  stage.expect(opened(owner, server_port));
  ::kill(holder.pid(), SIGSTOP);
  FullShop shop(stage, tun);
  shop.fill();
  shop.lose(6, owner);
  ::kill(holder.pid(), SIGCONT);
  holder.channel().say("close");
  holder.await_exit();
  shop.await_end(owner);
  expect_resends(stage, tun, owner);
}

// Until the process is in clock_nanosleep().
void await_sleep(pid_t pid) {
  wait_for("a process to sleep", [pid] {
    std::ifstream file(cat("/proc/", pid, "/syscall"));
    long number = -1;
    return file >> number && number == SYS_clock_nanosleep;
  });
}

// What keeps it from accept() is in its kernel stack, down to the system call.
void owner_sleeps(Stage& stage) {
  TunPeers tun;
  stage.go();
  Helper holder("aw-sleeping", [](const Channel& parent) {
    const Listener listener({.port = server_port, .backlog = backlog});
    parent.say("listening");
    for (;;) {
      const timespec hour{3600, 0};
      ::clock_nanosleep(CLOCK_MONOTONIC, 0, &hour, nullptr);
    }
  });
  holder.channel().hear("listening");
  const Owner owner = only(holder);
  stage.expect(opened(owner, server_port));
  FullShop shop(stage, tun);
  shop.fill();
  await_sleep(holder.pid());
  shop.lose_one_while_in("__x64_sys_clock_nanosleep", owner);
  stage.await_records();
  holder.kill();
  shop.await_end(owner, "killed");
  expect_resends(stage, tun, owner);
}

} // namespace

std::vector<Scenario> owner_scenarios() {
  return {
      {"old_listener", "listeners older than acceptwatch, IPv4 and IPv6", old_listener},
      {"old_listener_elsewhere", "the same, and its holder is in another namespace",
       old_listener_elsewhere},
      {"prefork_before", "a master and 4 workers older than acceptwatch; holders die one by one",
       prefork_before},
      {"prefork_after", "the same, started under acceptwatch's eyes", prefork_after},
      {"exec_renames", "the owner executes another program", exec_renames},
      {"passed_fd", "the listener is passed to another process, the first holder closes it",
       passed_fd},
      {"owner_exits", "a process listens, loses connections and exits at once", owner_exits},
      {"owner_stopped", "the owner does not run at all", owner_stopped},
      {"owner_sleeps", "the owner sleeps: where, its kernel stack tells", owner_sleeps},
  };
}

} // namespace acceptwatch::scenarios
