// SPDX-License-Identifier: Apache-2.0
#include "events/container.h"

#include <gtest/gtest.h>

namespace acceptwatch {
namespace {

const std::string id = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const std::string other = "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210";

TEST(ContainerOfCgroup, IsFoundWhereEachRuntimePutsIt) {
  for (const auto& path : {
           "/docker/" + id,
           "/system.slice/docker-" + id + ".scope",
           "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod0a1b_2c3d.slice/"
           "cri-containerd-" +
               id + ".scope",
           "/kubepods/besteffort/pod0a1b2c3d-0000-1111-2222-333344445555/" + id,
           "/kubepods.slice/kubepods-pod1.slice/crio-" + id + ".scope",
           "/machine.slice/libpod-" + id + ".scope/container",
           "/system.slice/containerd.service/kubepods-pod1.slice:cri-containerd:" + id,
       })
    EXPECT_EQ(container_of_cgroup(path), id) << path;
}

TEST(ContainerOfCgroup, StaysKnownBelowTheContainersRoot) {
  EXPECT_EQ(container_of_cgroup("/docker/" + id + "/system.slice/nginx.service"), id);
}

TEST(ContainerOfCgroup, IsTheInnermost) {
  EXPECT_EQ(container_of_cgroup("/docker/" + other + "/kubelet/kubepods/pod1/" + id), id);
}

TEST(ContainerOfCgroup, IsAbsentWhereThereIsNone) {
  for (const auto& path : {
           std::string{},
           std::string{"/"},
           std::string{"/system.slice/nginx.service"},
           "/docker/" + id.substr(1),
           "/docker/0" + id,
           "/docker/G" + id.substr(1),
           "/docker/x" + id,
           "/system.slice/" + id + ".service",
       })
    EXPECT_EQ(container_of_cgroup(path), std::nullopt) << path;
}

TEST(ContainerOfCgroup, IsNotThatOfTheContainersMonitor) {
  EXPECT_EQ(container_of_cgroup("/kubepods.slice/crio-conmon-" + id + ".scope"), std::nullopt);
  EXPECT_EQ(container_of_cgroup("/machine.slice/libpod-conmon-" + id + ".scope"), std::nullopt);
}

} // namespace
} // namespace acceptwatch
