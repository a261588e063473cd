// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "host/host.h"

#include <map>
#include <string>

namespace acceptwatch {

/// Replaces what may not leave a host by something of the same kind that is the same for the same:
/// addresses by some of documentation's ranges, names by "name-1", "name-2". Wildcard and loopback
/// addresses stay, for listeners and packets are matched by them; so does which cgroup is in which,
/// and which address of IPv6 is one of IPv4.
class Pseudonyms {
public:
  void replace(aw_event& record);
  void replace(aw_process& record);
  void replace(aw_holder& record);
  void replace(Chain& chain);
  void replace(ToldThread& thread);
  void replace(Translation& translation);
  void replace_name(std::string& name);
  void replace_cgroup(std::string& path);

private:
  void replace(Address& address);
  void replace_address(uint16_t family, __u8 (&bytes)[AW_ADDRESS_LEN]);
  void replace_ipv4(__u8* bytes);
  void replace_comm(__u8 (&comm)[AW_COMM_LEN]);
  size_t number_of(std::map<std::string, size_t>& known, const std::string& text);

  std::map<std::string, size_t> names_;
  std::map<std::string, size_t> cgroups_;
  std::map<std::string, size_t> addresses_;
};

} // namespace acceptwatch
