// SPDX-License-Identifier: Apache-2.0
#include "families/security_module.h"

#include <security_module.skel.h>
#include <sys/stat.h>

#include <fstream>
#include <string>

#include "core/error.h"

namespace acceptwatch::scenarios {

bool has_bpf_modules() {
  std::ifstream file("/sys/kernel/security/lsm");
  std::string names;
  std::getline(file, names);
  return ("," + names + ",").find(",bpf,") != std::string::npos;
}

void SecurityModule::Unload::operator()(security_module_bpf* object) const {
  security_module_bpf::destroy(object);
}

SecurityModule::SecurityModule() : object_(security_module_bpf::open()) {
  if (!object_) {
    throw Failure("cannot open the program of the security module");
  }
  must(security_module_bpf::load(object_.get()), "loading the program of the security module");
  must(security_module_bpf::attach(object_.get()), "attaching the program of the security module");
}

SecurityModule::~SecurityModule() = default;

void SecurityModule::refuse(uint16_t port) {
  struct stat here {};
  must(::stat("/proc/thread-self/ns/net", &here), "the network namespace");
  object_->bss->refused_netns = static_cast<uint32_t>(here.st_ino);
  object_->bss->refused_port = port;
}

} // namespace acceptwatch::scenarios
