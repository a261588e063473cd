// SPDX-License-Identifier: Apache-2.0
//
// usage: floor OBJECT CGROUP <NAMES
// Loads those programs of OBJECT whose names (the 15 characters that the kernel keeps) are on
// stdin, a line each, attaches them, packet hooks to CGROUP, writes a line and waits to be ended.
// Meant for an object compiled with empty.bpf.h.
#include <bpf/libbpf.h>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <iostream>
#include <set>
#include <string>
#include <unistd.h>

namespace {

constexpr size_t kernel_name_length = 15; // BPF_OBJ_NAME_LEN - 1

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

void attach(bpf_program* program, const char* cgroup) {
  if (bpf_program__type(program) != BPF_PROG_TYPE_CGROUP_SKB) {
    if (!bpf_program__attach(program))
      fail(bpf_program__section_name(program));
    return;
  }
  const int directory = open(cgroup, O_RDONLY | O_DIRECTORY);
  if (directory < 0 || !bpf_program__attach_cgroup(program, directory))
    fail(cgroup);
}

} // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: floor OBJECT CGROUP <NAMES\n", stderr);
    return 2;
  }
  std::set<std::string> names;
  for (std::string name; std::getline(std::cin, name);)
    names.insert(name);
  bpf_object* object = bpf_object__open_file(argv[1], nullptr);
  if (!object)
    fail(argv[1]);
  const auto wanted = [&](const bpf_program* program) {
    return names.contains(std::string(bpf_program__name(program)).substr(0, kernel_name_length));
  };
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, object) bpf_program__set_autoload(program, wanted(program));
  if (bpf_object__load(object) != 0)
    fail("load");
  bpf_object__for_each_program(program, object) if (wanted(program)) attach(program, argv[2]);
  std::puts("armed");
  std::fflush(stdout);
  pause();
}
