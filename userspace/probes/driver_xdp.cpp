// SPDX-License-Identifier: Apache-2.0
#include "probes/driver_xdp.h"

#include "base/file.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <memory>
#include <net/if.h>
#include <set>

namespace acceptwatch {
namespace {

bool is_xdp(uint32_t id) {
  const UniqueFd program{bpf_prog_get_fd_by_id(id)};
  bpf_prog_info info{};
  uint32_t size = sizeof(info);
  return program && bpf_obj_get_info_by_fd(program.get(), &info, &size) == 0 &&
         info.type == BPF_PROG_TYPE_XDP;
}

/// Absent: it is for CAP_SYS_ADMIN to know.
std::optional<std::set<uint32_t>> loaded_xdp_programs() {
  std::set<uint32_t> loaded;
  uint32_t id = 0;
  int failed = 0;
  while ((failed = bpf_prog_get_next_id(id, &id)) == 0) {
    if (is_xdp(id))
      loaded.insert(id);
  }
  return failed == -ENOENT ? std::optional{loaded} : std::nullopt;
}

using Devices = std::unique_ptr<struct if_nameindex, decltype(&if_freenameindex)>;

} // namespace

DriverXdp find_driver_xdp() {
  DriverXdp found;
  auto loaded = loaded_xdp_programs();
  if (loaded && loaded->empty())
    return found;
  const Devices devices{if_nameindex(), &if_freenameindex};
  for (const auto* device = devices.get(); device && device->if_index; ++device) {
    LIBBPF_OPTS(bpf_xdp_query_opts, attached);
    if (bpf_xdp_query(static_cast<int>(device->if_index), 0, &attached) != 0)
      continue;
    if (attached.drv_prog_id || attached.hw_prog_id)
      found.devices.emplace_back(device->if_name);
    for (const uint32_t id :
         {attached.prog_id, attached.drv_prog_id, attached.hw_prog_id, attached.skb_prog_id}) {
      if (loaded)
        loaded->erase(id);
    }
  }
  found.elsewhere_known = loaded.has_value();
  found.elsewhere = loaded && !loaded->empty();
  return found;
}

} // namespace acceptwatch
