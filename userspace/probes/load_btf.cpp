// SPDX-License-Identifier: Apache-2.0
#include "probes/load_btf.h"

#include "base/file.h"

#include "kernel/type_check.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace acceptwatch {
namespace {

TypeInfo::Bytes owned(std::span<const std::byte> bytes, std::shared_ptr<const void> owner) {
  const auto held =
      std::make_shared<std::pair<std::span<const std::byte>, std::shared_ptr<const void>>>(
          bytes, std::move(owner));
  return {held, &held->first};
}

TypeInfo::Bytes of_libbpf(btf* types) {
  const std::shared_ptr<const btf> owner{types, [types](const btf*) { btf__free(types); }};
  __u32 size = 0;
  const auto* raw = static_cast<const std::byte*>(btf__raw_data(types, &size));
  return owned({raw, size}, owner);
}

bool read_all(int fd, char* to, size_t size) {
  while (size > 0) {
    const ssize_t n = read(fd, to, size);
    if (n <= 0)
      return false;
    to += n;
    size -= static_cast<size_t>(n);
  }
  return true;
}

/// On failure errno says why. Since 6.16 the file can be mapped (btf_sysfs_vmlinux_mmap()). On
/// older kernels it is read into an anonymous mapping, which goes back to the system as a whole
/// afterwards.
TypeInfo::Bytes map_file(const char* path) {
  const UniqueFd fd{open(path, O_RDONLY | O_CLOEXEC)};
  struct stat status {};
  if (!fd || fstat(fd.get(), &status) < 0)
    return nullptr;
  if (status.st_size <= 0) {
    errno = ENOENT;
    return nullptr;
  }
  const auto size = static_cast<size_t>(status.st_size);
  void* memory = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd.get(), 0);
  const bool mapped = memory != MAP_FAILED;
  if (!mapped)
    memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    return nullptr;
  const std::shared_ptr<const void> owner{memory,
                                          [memory, size](const void*) { munmap(memory, size); }};
  if (!mapped && !read_all(fd.get(), static_cast<char*>(memory), size))
    return nullptr;
  return owned({static_cast<const std::byte*>(memory), size}, owner);
}

} // namespace

Result<std::optional<TypeInfo>> load_kernel_btf() {
  const char* const path = "/sys/kernel/btf/vmlinux";
  if (auto mapped = map_file(path))
    return TypeInfo::parse(std::move(mapped));
  if (errno != ENOENT)
    return system_failure(fmt::format("cannot read type information from {}", path), errno);
  // Elsewhere on disk: libbpf knows where distributions put it.
  btf* found = btf__load_vmlinux_btf();
  return found ? TypeInfo::parse(of_libbpf(found)) : std::nullopt;
}

std::optional<TypeInfo> load_module_btf(const char* module, const TypeInfo& kernel) {
  auto mapped = map_file(fmt::format("/sys/kernel/btf/{}", module).c_str());
  return mapped ? TypeInfo::parse(std::move(mapped), kernel) : std::nullopt;
}

Result<TypeInfo> load_btf_file(const std::string& path) {
  btf* parsed = btf__parse(path.c_str(), nullptr);
  const int error = errno;
  auto types = parsed ? TypeInfo::parse(of_libbpf(parsed)) : std::nullopt;
  // libbpf has numbers of its own for files that it does not understand (LIBBPF_ERRNO__FORMAT).
  if (!types || !is_sound(*types))
    return system_failure(fmt::format("cannot read type information from {}", path),
                          parsed || error >= __LIBBPF_ERRNO__START ? EINVAL : error,
                          "--btf wants a BTF file of the running kernel, raw or inside an ELF "
                          "file such as vmlinux.",
                          ExitStatus::usage);
  return *std::move(types);
}

} // namespace acceptwatch
