// SPDX-License-Identifier: Apache-2.0
#include "families/scene.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "core/counters.h"
#include "core/error.h"
#include "core/wait.h"
#include "families/steps.h"

namespace acceptwatch::scenarios {

Listener& Scene::listen(int backlog, bool reuse_port) {
  listeners_.push_back(std::make_unique<Listener>(
      ListenerOptions{.port = port, .backlog = backlog, .reuse_port = reuse_port}));
  owner_ = ::getpid();
  return *listeners_.back();
}

void Scene::connect(int count) {
  for (int i = 0; i < count; ++i) {
    Peer& peer = next_peer();
    shake(tun_, peer);
    tun_.send_ack(peer);
  }
}

void Scene::connect_and_be_served(int count) {
  for (int i = 0; i < count; ++i) {
    connect(1);
    wait_for("the connection to be accepted", [] { return waiting_on(port) == 0; });
  }
}

void Scene::connect_or_lose(int count) {
  for (int i = 0; i < count; ++i) {
    const Counters before = Counters::read();
    Peer& peer = next_peer();
    tun_.send_syn(peer);
    wait_for("an answer, or a loss", [&] {
      tun_.drain();
      return peer.syn_acks || Counters::read().since(before).at("ListenDrops");
    });
    if (peer.syn_acks)
      tun_.send_ack(peer);
  }
}

void Scene::fill() {
  const unsigned room = listener().limit() + 1 - waiting_on(port);
  connect(static_cast<int>(room));
  wait_for("the accept queue to be full",
           [&] { return waiting_on(port) == listener().limit() + 1; });
}

void Scene::overflow(int count) {
  const Counters before = Counters::read();
  for (int i = 0; i < count; ++i) {
    tun_.send_syn(next_peer());
  }
  wait_for("SYNs to be dropped",
           [&] { return Counters::read().since(before).at("ListenDrops") >= count; });
}

std::vector<Peer*> Scene::strangers(int count) {
  std::vector<Peer*> peers;
  for (int i = 0; i < count; ++i) {
    peers.push_back(&next_peer());
  }
  return peers;
}

std::vector<Peer*> Scene::knock(int count) {
  const auto peers = strangers(count);
  for (Peer* peer : peers) {
    tun_.send_syn(*peer);
  }
  return peers;
}

void Scene::shake_with_cookies(int count) {
  const Counters before = Counters::read();
  connect_and_be_served(count);
  wait_for("cookies to come back",
           [&] { return Counters::read().since(before).at("SyncookiesRecv") >= count; });
}

void Scene::hire(const std::string& name, const Helper::Body& body) {
  servers_.emplace_back(name, body);
}

namespace {

// Until the scene is over, which the channel shows.
bool scene_goes_on(const Channel& scene) {
  return !readable(scene.fd(), std::chrono::milliseconds(0));
}

void accept_what_waits(int listener, std::vector<UniqueFd>& accepted) {
  for (int fd = 0;
       (fd = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
    accepted.emplace_back(fd);
  }
}

} // namespace

void Scene::accept_all() {
  const int listener_fd = listener().fd();
  hire("aw-acceptor", [listener_fd](const Channel& scene) {
    std::vector<UniqueFd> accepted;
    ::fcntl(listener_fd, F_SETFL, O_NONBLOCK);
    while (scene_goes_on(scene)) {
      accept_what_waits(listener_fd, accepted);
      readable(listener_fd, std::chrono::milliseconds(20));
    }
  });
}

void Scene::accept_slowly(std::chrono::milliseconds pause) {
  const int listener_fd = listener().fd();
  hire("aw-slow", [listener_fd, pause](const Channel& scene) {
    std::vector<UniqueFd> accepted;
    while (scene_goes_on(scene)) {
      if (readable(listener_fd, pause)) {
        accepted.emplace_back(::accept(listener_fd, nullptr, nullptr));
        std::this_thread::sleep_for(pause); // that is what it does
      }
    }
  });
}

namespace {

// As servers do that cannot.
void try_to_accept(const Listener& listener) {
  if (readable(listener.fd(), std::chrono::milliseconds(100)) &&
      ::accept(listener.fd(), nullptr, nullptr) < 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

constexpr size_t files_left = 100;

// So many files, or as many as there are.
void use_up_files(std::vector<UniqueFd>& used) {
  // The kernel counts by CPU, and adds up now and then: get_nr_files().
  constexpr size_t more_than_there_are = files_left + 500;
  for (int fd = 0; used.size() < more_than_there_are &&
                   (fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0;) {
    used.emplace_back(fd);
  }
}

} // namespace

void Scene::serve_without_files(int backlog, bool as_superuser) {
  few_files_.emplace(files_left);
  hire("aw-exhausted", [backlog, as_superuser](const Channel& scene) {
    constexpr uid_t nobody = 65534;
    Listener listener({.port = port, .backlog = backlog});
    if (!as_superuser) {
      must(::setresuid(nobody, nobody, nobody), "setresuid");
    }
    std::vector<UniqueFd> used;
    use_up_files(used);
    scene.say("listening");
    while (scene_goes_on(scene)) {
      use_up_files(used); // somebody may have closed one
      try_to_accept(listener);
    }
  });
  servers_.back().channel().hear("listening");
  owner_ = servers_.back().pid();
}

void Scene::serve_until(const std::function<void(Listener&)>& ends) {
  hire("aw-ends", [&ends](const Channel& scene) {
    Listener listener({.port = port, .backlog = 8});
    scene.say("listening");
    scene.hear("end");
    ends(listener);
    scene.say("ended");
    scene.hear("never");
  });
  servers_.back().channel().hear("listening");
  owner_ = servers_.back().pid();
}

namespace {

bool has_exited(pid_t pid) {
  siginfo_t info{};
  return ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid == pid;
}

} // namespace

// Not before the end is complete: a listener is out of the kernel's table before it stops.
void Scene::end_server() {
  const Helper& server = servers_.back();
  server.channel().say("end");
  wait_for("the end of the listener", [&] {
    char byte = 0;
    const bool said =
        ::recv(server.channel().fd(), &byte, sizeof(byte), MSG_PEEK | MSG_DONTWAIT) > 0;
    return said || has_exited(server.pid());
  });
}

void Scene::serve_without_descriptors(int backlog) {
  hire("aw-exhausted", [backlog](const Channel& scene) {
    Listener listener({.port = port, .backlog = backlog});
    std::vector<UniqueFd> used;
    const rlimit few{64, 64};
    must(::setrlimit(RLIMIT_NOFILE, &few), "setrlimit");
    for (int fd = 0; (fd = ::dup(listener.fd())) >= 0;) {
      used.emplace_back(fd);
    }
    scene.say("listening");
    while (scene_goes_on(scene)) {
      try_to_accept(listener);
    }
  });
  servers_.back().channel().hear("listening");
  owner_ = servers_.back().pid();
}

} // namespace acceptwatch::scenarios
