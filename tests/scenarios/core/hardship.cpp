// SPDX-License-Identifier: Apache-2.0
#include "core/hardship.h"

#include <linux/capability.h>
#include <mntent.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>

#include <cstdio>
#include <memory>
#include <vector>

#include "core/error.h"

namespace acceptwatch::scenarios {

const std::set<std::string> hardships = {"cgroup2", "admin"};

std::optional<std::string> probe_of(const std::string& what) {
  const std::string begin = "probe:";
  return what.starts_with(begin) ? std::optional(what.substr(begin.size())) : std::nullopt;
}

namespace {

std::vector<std::string> mounts_of_type(const std::string& type) {
  const std::unique_ptr<FILE, int (*)(FILE*)> table(::setmntent("/proc/self/mounts", "r"),
                                                    ::endmntent);
  if (!table) {
    throw Failure("cannot read /proc/self/mounts");
  }
  std::vector<std::string> places;
  while (const mntent* mount = ::getmntent(table.get())) {
    if (mount->mnt_type == type) {
      places.emplace_back(mount->mnt_dir);
    }
  }
  return places;
}

void unmount_cgroup2() {
  must(::unshare(CLONE_NEWNS), "a mount namespace");
  must(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), "keeping mounts to itself");
  for (const std::string& place : mounts_of_type("cgroup2")) {
    must(::umount2(place.c_str(), MNT_DETACH), "unmounting " + place);
  }
}

} // namespace

void do_without(const std::set<std::string>& what) {
  if (what.contains("cgroup2")) {
    unmount_cgroup2();
  }
  if (what.contains("admin")) {
    // What root is given at execve() is cut down to this set.
    for (const int capability : {CAP_SYS_ADMIN, CAP_NET_ADMIN}) {
      must(::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0), "dropping a capability");
    }
  }
}

} // namespace acceptwatch::scenarios
