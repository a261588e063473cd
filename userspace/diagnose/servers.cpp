// SPDX-License-Identifier: Apache-2.0
#include "diagnose/servers.h"

#include <algorithm>
#include <array>

namespace acceptwatch {
namespace {

/// Each as its documentation or source has it.
constexpr std::array defaults{
    DefaultBacklog{"java", 50, "Java's ServerSocket", "new ServerSocket(port, backlog)"},
    DefaultBacklog{"java", 100, "Tomcat",
                   "acceptCount in its server.xml, or "
                   "server.tomcat.accept-count of Spring Boot"},
    DefaultBacklog{"nginx", 511, "nginx", "listen ... backlog=NUMBER"},
    DefaultBacklog{"apache2", 511, "Apache httpd", "ListenBacklog"},
    DefaultBacklog{"httpd", 511, "Apache httpd", "ListenBacklog"},
    DefaultBacklog{"redis-server", 511, "Redis", "tcp-backlog in redis.conf"},
    DefaultBacklog{"node", 511, "Node.js", "server.listen({port, backlog})"},
    DefaultBacklog{"python", 5, "Python's socketserver", "request_queue_size"},
    DefaultBacklog{"python", 100, "Python's asyncio", "create_server(..., backlog=NUMBER)"},
    DefaultBacklog{"python", 128, "Python's socket.listen()", "listen(NUMBER)"},
    DefaultBacklog{"gunicorn", 2048, "gunicorn", "--backlog"},
    DefaultBacklog{"", 128, "Rust's TcpListener (128) and of SOMAXCONN in old headers",
                   "the backlog that the program gives to listen()"},
};

} // namespace

std::optional<DefaultBacklog> default_backlog(std::string_view process, uint32_t limit) {
  const auto* found = std::ranges::find_if(defaults, [&](const DefaultBacklog& entry) {
    return entry.backlog == limit && process.starts_with(entry.process);
  });
  return found == defaults.end() ? std::nullopt : std::optional{*found};
}

} // namespace acceptwatch
