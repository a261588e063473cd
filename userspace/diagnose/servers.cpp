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
    // nodejs.org/api/net.html, server.listen(): "The default value of this parameter is 511"
    DefaultBacklog{"node", 511, "Node.js", "server.listen({port, backlog})"},
    DefaultBacklog{"python", 5, "Python's socketserver", "request_queue_size"},
    DefaultBacklog{"python", 100, "Python's asyncio", "create_server(..., backlog=NUMBER)"},
    DefaultBacklog{"python", 128, "Python's socket.listen()", "listen(NUMBER)"},
    DefaultBacklog{"memcached", 1024, "memcached", "-b"},
    DefaultBacklog{"php-fpm", 511, "php-fpm", "listen.backlog of the pool"},
    DefaultBacklog{"uwsgi", 100, "uWSGI", "listen (--listen)"},
    DefaultBacklog{"uvicorn", 2048, "uvicorn", "--backlog"},
    DefaultBacklog{"mariadbd", 80, "MariaDB", "back_log in my.cnf"},
    DefaultBacklog{"mysqld", 151, "MySQL", "back_log in my.cnf"},
    DefaultBacklog{"gunicorn", 2048, "gunicorn", "--backlog"},
    // learn.microsoft.com, SocketTransportOptions.Backlog: "Defaults to 512 pending connections"
    DefaultBacklog{"dotnet", 512, ".NET Kestrel", "Backlog of SocketTransportOptions (UseSockets)"},
    DefaultBacklog{"rsyslogd", 64, "rsyslog's imptcp", "SocketBacklog of the input"},
    // sshd.c, server_listen(): no option changes it
    DefaultBacklog{"sshd", 128, "OpenSSH, of whom it is a constant",
                   "SSH_LISTEN_BACKLOG in its source"},
    DefaultBacklog{"", 128, "Rust's TcpListener (128) and of SOMAXCONN in old headers",
                   "the backlog that the program gives to listen()"},
};

struct Setting {
  std::string_view process; ///< begin of its name
  std::string_view setting;
};

// Each as the program's documentation has it.

/// Its limit of connections. Some stop to accept at it, others turn away who comes then: see
/// turning_away.
constexpr std::array connection_limits{
    // docs.haproxy.org, "maxconn"; its process stops to accept at the global one
    Setting{"haproxy", "maxconn, of the frontend and in global of haproxy.cfg"},
    // man memcached: -c, -o no_maxconns_fast
    Setting{"memcached", "-c (/etc/memcached.conf)"},
    // nginx.org/en/docs/ngx_core_module.html: at the limit it closes what it accepts, or, with
    // accept_mutex, leaves it to other workers
    Setting{"nginx", "worker_connections in events {} of nginx.conf"},
    // httpd.apache.org/docs/2.4/mod/mpm_common.html
    Setting{"apache2", "MaxRequestWorkers and ServerLimit (/etc/apache2/mods-enabled/mpm_*.conf)"},
    Setting{"httpd", "MaxRequestWorkers and ServerLimit (httpd.conf)"},
    // redmine.lighttpd.net, server.max-connections
    Setting{"lighttpd", "server.max-connections in lighttpd.conf"},
    // envoyproxy.io, overload manager and its monitor of downstream connections
    Setting{"envoy", "max_active_downstream_connections of the overload manager, or its action "
                     "stop_accepting_connections"},
    // tomcat.apache.org/tomcat-10.1-doc/config/http.html
    Setting{"java", "maxConnections of the Connector (Tomcat: server.xml; Spring Boot: "
                    "server.tomcat.max-connections), or the program's own"},
    // php.net/manual/en/install.fpm.configuration.php
    Setting{"php-fpm", "pm.max_children of the pool (pool.d/www.conf)"},
    // docs.gunicorn.org/en/stable/settings.html
    Setting{"gunicorn", "--worker-connections, --workers and --threads (gunicorn.conf.py)"},
    // uvicorn.org/settings
    Setting{"uvicorn", "--limit-concurrency and --workers"},
    // uwsgi-docs.readthedocs.io/en/latest/Options.html
    Setting{"uwsgi", "processes and threads (its ini file)"},
    // mariadb.com/kb/en/server-system-variables/
    Setting{"mariadbd", "max_connections in my.cnf"},
    Setting{"mysqld", "max_connections in my.cnf"},
    // postgresql.org/docs/current/runtime-config-connection.html
    Setting{"postgres", "max_connections in postgresql.conf"},
    // redis.io/docs/latest/operate/oss_and_stack/management/config/
    Setting{"redis-server", "maxclients in redis.conf"},
    // man sshd_config
    Setting{"sshd", "MaxStartups in sshd_config"},
    // man xinetd.conf
    Setting{"xinetd", "instances, per_source and cps (/etc/xinetd.d)"},
    // man systemd.socket
    Setting{"systemd", "MaxConnections= and TriggerLimitBurst= of the socket unit"},
    // rsyslog.com/doc/configuration/modules/imtcp.html
    Setting{"rsyslogd", "MaxSessions of imtcp (rsyslog.conf)"},
    // nodejs.org/api/net.html
    Setting{"node", "server.maxConnections"},
};

/// What keeps them from accepting while they are busy.
constexpr std::array busy_servers{
    // php.net/manual/en/install.fpm.configuration.php
    Setting{"php-fpm", "a worker serves one request at a time: raise pm.max_children of the pool "
                       "(pool.d/www.conf), and see what takes so long (request_slowlog_timeout)"},
    // docs.gunicorn.org/en/stable/design.html
    Setting{"gunicorn", "a sync worker serves one request at a time: raise --workers or --threads "
                        "(gunicorn.conf.py)"},
    // uwsgi-docs.readthedocs.io/en/latest/Options.html
    Setting{"uwsgi", "a worker serves one request at a time: raise processes or threads (its ini "
                     "file)"},
    // redis.io/docs/latest/operate/oss_and_stack/management/optimization/latency/
    Setting{"redis-server", "it executes one command at a time: SLOWLOG GET and CLIENT LIST say "
                            "which is slow, and whose it is"},
    // nodejs.org/en/learn/asynchronous-work/dont-block-the-event-loop
    Setting{"node", "JavaScript that runs for long blocks its event loop: find it (node "
                    "--cpu-prof), and run it in worker_threads or in more processes (cluster)"},
};

/// At which they close their listener for a while.
constexpr std::array rate_limits{
    // man xinetd.conf
    Setting{"xinetd", "cps (/etc/xinetd.conf, /etc/xinetd.d)"},
    // man systemd.socket
    Setting{"systemd", "TriggerLimitIntervalSec= and TriggerLimitBurst= of the socket unit"},
    // man inetd of inetutils and of openbsd-inetd
    Setting{"inetd", "-R"},
};

/// Why a connection is closed right after accept().
struct TurnsAway {
  std::string_view process; ///< begin of its name
  bool writes;              ///< to the client, before it has read anything
  std::string_view why;
};

constexpr std::array turning_away{
    // man sshd_config: random early drop of clients that have not logged in; "Exceeded MaxStartups"
    TurnsAway{
        "sshd", true,
        "MaxStartups (or PerSourceMaxStartups) in sshd_config is reached by clients that have "
        "not logged in"},
    // postgresql.org/docs/current/runtime-config-connection.html; its backend exits with status 1
    TurnsAway{"postgres", false,
              "max_connections in postgresql.conf is reached (\"too many clients already\"), or a "
              "login fails"},
    // mariadb.com/kb/en/server-system-variables/: errors 1040 and 1129, before the client speaks
    TurnsAway{"mariadbd", true,
              "max_connections in my.cnf is reached (error 1040), or max_connect_errors blocks the "
              "client's host (1129)"},
    TurnsAway{"mysqld", true,
              "max_connections in my.cnf is reached (error 1040), or max_connect_errors blocks the "
              "client's host (1129)"},
    // redis.conf: "max number of clients reached"; protected-mode
    TurnsAway{"redis-server", true,
              "maxclients in redis.conf is reached, or protected-mode refuses who is not local"},
    // man memcached: maxconns_fast, which 1.6 does by default
    TurnsAway{"memcached", true, "-c (/etc/memcached.conf) is reached"},
    // nodejs.org/api/net.html: server.maxConnections, and the event "drop"
    TurnsAway{"node", false, "server.maxConnections is reached"},
    // nginx.org/en/docs/ngx_core_module.html: "worker_connections are not enough"
    TurnsAway{"nginx", false,
              "worker_connections in events {} of nginx.conf are not enough, or `return 444` says "
              "so"},
    // docs.docker.com: the proxy accepts before it connects to the container
    TurnsAway{
        "docker-proxy", false,
        "nobody listens at the container's address and port that it forwards to (docker port, "
        "docker logs)"},
    // docs.haproxy.org, mode tcp; tcp-request connection reject
    TurnsAway{"haproxy", false,
              "no server of the backend is up, or `tcp-request connection reject` applies"},
    // man xinetd.conf
    TurnsAway{"xinetd", false,
              "instances or per_source (/etc/xinetd.d) is reached, or only_from and no_access "
              "refuse the client"},
    // man systemd.socket
    TurnsAway{"systemd", false,
              "MaxConnections= or MaxConnectionsPerSource= of the socket unit is reached"},
    // rsyslog.com/doc/configuration/modules/imtcp.html
    TurnsAway{"rsyslogd", false, "MaxSessions of imtcp (rsyslog.conf) is reached"},
    // man vsftpd.conf: 421
    TurnsAway{"vsftpd", true, "max_clients or max_per_ip in vsftpd.conf is reached"},
};

const TurnsAway* turning_away_of(std::string_view process) {
  const auto* found = std::ranges::find_if(
      turning_away, [&](const TurnsAway& entry) { return process.starts_with(entry.process); });
  return found == turning_away.end() ? nullptr : found;
}

/// They set RLIMIT_NOFILE themselves.
constexpr std::array descriptor_settings{
    Setting{"memcached", "-c, from which memcached makes it (/etc/memcached.conf)"},
    Setting{"nginx", "worker_rlimit_nofile in nginx.conf"},
    Setting{"haproxy", "maxconn or ulimit-n in global of haproxy.cfg"},
    Setting{"mariadbd", "open_files_limit in my.cnf"},
    Setting{"mysqld", "open_files_limit in my.cnf"},
    Setting{"redis-server", "maxclients in redis.conf"},
    Setting{"php-fpm", "rlimit_files of the pool"},
};

template <typename Table>
std::optional<std::string_view> setting_of(const Table& table, std::string_view process) {
  const auto found = std::ranges::find_if(
      table, [&](const Setting& entry) { return process.starts_with(entry.process); });
  return found == table.end() ? std::nullopt : std::optional{found->setting};
}

} // namespace

std::optional<std::string_view> connection_limit(std::string_view process) {
  return setting_of(connection_limits, process);
}

std::optional<std::string_view> busy_by(std::string_view process) {
  return setting_of(busy_servers, process);
}

std::optional<std::string_view> rate_limit(std::string_view process) {
  return setting_of(rate_limits, process);
}

std::optional<std::string_view> turns_away_by(std::string_view process) {
  const TurnsAway* found = turning_away_of(process);
  return found ? std::optional{found->why} : std::nullopt;
}

bool writes_before_it_turns_away(std::string_view process) {
  const TurnsAway* found = turning_away_of(process);
  return found && found->writes;
}

std::optional<std::string_view> descriptor_setting(std::string_view process) {
  return setting_of(descriptor_settings, process);
}

std::optional<DefaultBacklog> default_backlog(std::string_view process, uint32_t limit) {
  const auto* found = std::ranges::find_if(defaults, [&](const DefaultBacklog& entry) {
    return entry.backlog == limit && process.starts_with(entry.process);
  });
  return found == defaults.end() ? std::nullopt : std::optional{*found};
}

} // namespace acceptwatch
