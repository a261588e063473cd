// SPDX-License-Identifier: Apache-2.0
#include "families/obstacles.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <net/route.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>

#include "core/error.h"
#include "core/netns.h"

namespace acceptwatch::scenarios {

void attach_filter(const Listener& listener, bool passes) {
  sock_filter instruction[] = {BPF_STMT(BPF_RET | BPF_K, passes ? 0xFFFFFFFFU : 0U)};
  const sock_fprog program{1, instruction};
  must(::setsockopt(listener.fd(), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)),
       "SO_ATTACH_FILTER");
}

namespace {

void change_unreachable(unsigned long what, const std::string& address) {
  const UniqueFd fd(must(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket"));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  ::inet_pton(AF_INET, address.c_str(), &to.sin_addr);
  rtentry route{};
  std::memcpy(&route.rt_dst, &to, sizeof(to));
  route.rt_flags = RTF_UP | RTF_HOST | RTF_REJECT;
  must(::ioctl(fd.get(), what, &route), "a route to " + address);
}

// What the kernel answers to SOCK_DESTROY: 0, or an errno.
int destroy(const inet_diag_req_v2& connection) {
  struct {
    nlmsghdr header;
    inet_diag_req_v2 request;
  } message{};
  message.header.nlmsg_len = sizeof(message);
  message.header.nlmsg_type = SOCK_DESTROY;
  message.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
  message.request = connection;
  const UniqueFd fd(
      must(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG), "sock_diag"));
  must(::send(fd.get(), &message, sizeof(message), 0), "SOCK_DESTROY");
  struct {
    nlmsghdr header;
    nlmsgerr error;
    char rest[512];
  } answer{};
  must(::recv(fd.get(), &answer, sizeof(answer), 0), "the answer to SOCK_DESTROY");
  if (answer.header.nlmsg_type != NLMSG_ERROR) {
    throw Failure(cat("SOCK_DESTROY was answered by message ", answer.header.nlmsg_type));
  }
  return -answer.error.error;
}

inet_diag_req_v2 connection_between(const Address& server, uint16_t server_port,
                                    const Address& client, uint16_t client_port) {
  inet_diag_req_v2 request{};
  request.sdiag_family = static_cast<uint8_t>(server.family);
  request.sdiag_protocol = IPPROTO_TCP;
  request.idiag_states = ~0U;
  request.id.idiag_sport = htons(server_port);
  request.id.idiag_dport = htons(client_port);
  std::copy(server.bytes.begin(), server.bytes.end(),
            reinterpret_cast<uint8_t*>(request.id.idiag_src));
  std::copy(client.bytes.begin(), client.bytes.end(),
            reinterpret_cast<uint8_t*>(request.id.idiag_dst));
  request.id.idiag_cookie[0] = INET_DIAG_NOCOOKIE;
  request.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
  return request;
}

} // namespace

void add_unreachable(const std::string& address) { change_unreachable(SIOCADDRT, address); }

void remove_unreachable(const std::string& address) { change_unreachable(SIOCDELRT, address); }

bool kills_connections() {
  const Address nobody = Address::parse("127.0.0.1");
  return destroy(connection_between(nobody, 1, nobody, 1)) == ENOENT;
}

bool kill_connection(const Address& server, uint16_t server_port, const Address& client,
                     uint16_t client_port) {
  return destroy(connection_between(server, server_port, client, client_port)) == 0;
}

namespace {

void run_before_all_others_on(size_t cpu) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(cpu, &one);
  must(::sched_setaffinity(0, sizeof(one), &one), "sched_setaffinity");
  const sched_param first{.sched_priority = 1};
  must(::sched_setscheduler(0, SCHED_FIFO, &first), "SCHED_FIFO");
}

std::atomic<bool>* shared_flag() {
  void* page = ::mmap(nullptr, sizeof(std::atomic<bool>), PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  must(page == MAP_FAILED ? -1 : 0, "mmap");
  return new (page) std::atomic<bool>(false);
}

// Busy whenever it is told to be.
Helper occupant_of(size_t cpu, const std::atomic<bool>* busy) {
  return Helper(cat("aw-busy-", cpu), [cpu, busy](const Channel& scenario) {
    run_before_all_others_on(cpu);
    scenario.say("ready");
    scenario.await_word();
    scenario.say("busy");
    while (*busy) {
    }
    scenario.await_word();
  });
}

} // namespace

// The limit is in kilobytes; a page has four, and atomic allocations stop at a part of the limit
// only. The file is opened, and this process in memory, beforehand: neither can be had later.
MemoryShortage::MemoryShortage()
    : limit_(
          must(::open("/proc/sys/vm/min_free_kbytes", O_RDWR | O_CLOEXEC), "vm.min_free_kbytes")),
      too_much_(std::to_string(must(::sysconf(_SC_PHYS_PAGES), "pages") * 128)),
      keeps_busy_(shared_flag()) {
  std::array<char, 32> text{};
  const ssize_t size = must(::read(limit_.get(), text.data(), text.size()), "vm.min_free_kbytes");
  usual_.assign(text.data(), static_cast<size_t>(size));
  const long cpus = ::sysconf(_SC_NPROCESSORS_ONLN);
  for (size_t cpu = 1; cpu < static_cast<size_t>(cpus); ++cpu) {
    busy_.push_back(occupant_of(cpu, keeps_busy_));
    busy_.back().channel().hear("ready");
  }
  must(::mlockall(MCL_CURRENT | MCL_FUTURE), "mlockall");
}

MemoryShortage::~MemoryShortage() { end(); }

void MemoryShortage::begin() const {
  *keeps_busy_ = true;
  for (const Helper& helper : busy_) {
    helper.channel().say("be busy");
    helper.channel().hear("busy");
  }
  run_before_all_others_on(0);
  set(too_much_);
}

void MemoryShortage::end() const {
  set(usual_);
  *keeps_busy_ = false;
}

void MemoryShortage::set(const std::string& kilobytes) const {
  must(::pwrite(limit_.get(), kilobytes.data(), kilobytes.size(), 0), "vm.min_free_kbytes");
}

FewFiles::FewFiles(unsigned left) {
  std::ifstream file_nr("/proc/sys/fs/file-nr");
  unsigned long open = 0;
  std::string constant;
  if (!(file_nr >> open >> constant >> usual_)) {
    throw Failure("/proc/sys/fs/file-nr cannot be read");
  }
  set_sysctl("fs.file-max", static_cast<long>(open + left));
}

namespace {

// Of all namespaces; only the first one may change it, and /proc/sys shows each its own.
long change_tracked(long most) {
  const NetNamespace here = NetNamespace::current();
  const UniqueFd first(must(::open("/proc/1/ns/net", O_RDONLY | O_CLOEXEC), "/proc/1/ns/net"));
  must(::setns(first.get(), CLONE_NEWNET), "setns");
  long before = 0;
  std::ifstream("/proc/sys/net/netfilter/nf_conntrack_max") >> before;
  std::ofstream("/proc/sys/net/netfilter/nf_conntrack_max") << most;
  here.enter();
  if (before == 0) {
    throw Skip("connections are not tracked on this kernel (module not loaded)");
  }
  return before;
}

} // namespace

FewTracked::FewTracked(long most) : usual_(change_tracked(most)) {}

FewTracked::~FewTracked() { change_tracked(usual_); }

FewFiles::~FewFiles() { std::ofstream("/proc/sys/fs/file-max") << usual_; }

} // namespace acceptwatch::scenarios
