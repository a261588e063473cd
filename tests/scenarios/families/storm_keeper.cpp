// SPDX-License-Identifier: Apache-2.0
#include "families/storm_keeper.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <optional>
#include <sstream>

#include "core/error.h"
#include "core/socket.h"
#include "core/wait.h"
#include "families/obstacles.h"
#include "families/signatures.h"
#include "families/steps.h"

namespace acceptwatch::scenarios::storm {

namespace {

void filter_nothing(int fd) {
  const int ignored = 0;
  must(::setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &ignored, sizeof(ignored)),
       "SO_DETACH_FILTER");
}

void defer_accept(int fd, int seconds) {
  must(::setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds, sizeof(seconds)),
       "TCP_DEFER_ACCEPT");
}

// A close() with data unread would be a RST.
void read_what_came(int fd) {
  char byte = 0;
  if (::recv(fd, &byte, sizeof(byte), MSG_DONTWAIT) < 0 && errno != EAGAIN && errno != ECONNRESET &&
      errno != ECONNABORTED) {
    must(-1, "reading from a connection");
  }
}

// accept() then fails, and takes nothing from the queue. What else needs a descriptor fails, too.
void use_up_descriptors(const Listener& listener) {
  rlimit limit{};
  must(::getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
  const UniqueFd next(must(::dup(listener.fd()), "dup"));
  limit.rlim_cur = static_cast<rlim_t>(next.get());
  must(::setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
}

void see_accept_fail(const Listener& listener) {
  if (::accept4(listener.fd(), nullptr, nullptr, SOCK_NONBLOCK) >= 0 || errno != EMFILE) {
    throw Failure("accept() without a descriptor left does not fail with EMFILE");
  }
}

void raise_descriptor_limit() {
  rlimit limit{};
  must(::getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
  limit.rlim_cur = limit.rlim_max;
  must(::setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
}

class Keeper {
public:
  explicit Keeper(const Plan& plan) : plan_(plan) {}

  void obey(const std::string& order) {
    std::istringstream words(order);
    std::string what;
    std::string argument;
    words >> what >> argument;
    if (what == "open") {
      open();
    } else if (what == "close") {
      listener_.reset();
    } else if (what == "depth") {
      const auto depth = static_cast<unsigned>(std::stoul(argument));
      wait_for(cat("a queue of ", depth), [&] {
        // Of an MPTCP listener the kernel's own, below it, has the queue.
        return (plan_.is_mptcp ? waiting_on(plan_.port) : listener_->depth()) == depth;
      });
    } else if (what == "accept") {
      for (unsigned long left = std::stoul(argument); left > 0; --left) {
        accepted_.push_back(listener_->accept());
        read_what_came(accepted_.back().get());
      }
    } else if (what == "hang-up") {
      accepted_.clear();
    } else if (what == "filter") {
      attach_filter(*listener_, false);
    } else if (what == "unfilter") {
      filter_nothing(listener_->fd());
    } else if (what == "defer") {
      defer_accept(listener_->fd(), std::stoi(argument));
    } else if (what == "exhaust") {
      use_up_descriptors(*listener_);
      see_accept_fail(*listener_);
    } else if (what == "relieve") {
      see_accept_fail(*listener_);
      raise_descriptor_limit();
    } else if (what == "sign") {
      want_signatures(*listener_, argument);
    } else if (what == "unsign") {
      want_no_signatures(*listener_, argument);
    } else {
      throw Failure("no such order: " + order);
    }
  }

private:
  void open() {
    listener_.emplace(ListenerOptions{.address = plan_.bound_to,
                                      .port = plan_.port,
                                      .backlog = plan_.backlog,
                                      .reuse_port = plan_.is_paired,
                                      .fast_open = plan_.is_mptcp ? 0 : plan_.backlog,
                                      .protocol = plan_.is_mptcp ? ipproto_mptcp : IPPROTO_TCP});
    if (plan_.is_paired) {
      choose_by_client_port(*listener_, 2);
    }
    if (plan_.gives_up_early) {
      const int once = 1;
      must(::setsockopt(listener_->fd(), IPPROTO_TCP, TCP_SYNCNT, &once, sizeof(once)),
           "TCP_SYNCNT");
    }
  }

  const Plan plan_;
  std::optional<Listener> listener_;
  std::vector<UniqueFd> accepted_;
};

} // namespace

Helper::Body keeper_of(const Plan& plan) {
  return [plan](const Channel& parent) {
    Keeper keeper(plan);
    for (;;) {
      parent.await_word();
      const std::string order = parent.hear();
      keeper.obey(order);
      parent.say("done");
    }
  };
}

} // namespace acceptwatch::scenarios::storm
