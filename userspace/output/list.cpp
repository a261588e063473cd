// SPDX-License-Identifier: Apache-2.0
#include "output/list.h"

#include "base/text.h"
#include "output/cells.h"
#include "output/json_parts.h"
#include "output/local_time.h"

#include <algorithm>
#include <fmt/format.h>

namespace acceptwatch {
namespace {

void write_queue(JsonWriter& json, std::string_view key, const ListedQueue& queue) {
  if (queue == ListedQueue{})
    return;
  json.begin_object(key);
  json.member("depth", queue.depth);
  json.member("limit", queue.limit);
  if (queue.limit_from)
    json.member("limit_from", name_of(*queue.limit_from));
  json.member("peak", queue.peak);
  json.end_object();
}

void write_details(JsonWriter& json, const Listed& entry, std::string_view version) {
  json.begin_object("acceptwatch");
  if (entry.owners)
    json.member("owners", uint64_t{entry.owners});
  write_queue(json, "accept_queue", entry.accept_queue);
  write_queue(json, "syn_queue", entry.syn_queue);
  json.member("drops", entry.drops);
  json.member("reuseport", entry.reuseport);
  json.member("netns", entry.netns);
  if (entry.socket)
    write_as_text(json, "socket", *entry.socket);
  json.member("schema", "1");
  json.member("version", version);
  json.end_object();
}

struct Column {
  std::string_view header;
  bool right = false;
  size_t width = 0;
};

using Row = std::vector<std::string>;

std::string number_text(const auto& value) { return value ? fmt::format("{}", *value) : "-"; }

std::string queue_text(const ListedQueue& queue) {
  if (!queue.depth && !queue.limit)
    return "-";
  return fmt::format("{}/{}", number_text(queue.depth), number_text(queue.limit));
}

std::string peak_text(const ListedQueue& queue) { return number_text(queue.peak); }

std::string from_text(const ListedQueue& queue) {
  return std::string{queue.limit_from ? name_of(*queue.limit_from) : "-"};
}

enum Place : size_t { address_column = 1, owner_column = 2 };

/// Which columns there are.
struct Shape {
  bool wide = false;
  bool peaks = false; ///< there were several looks
  bool netns = false; ///< there are several
};

std::vector<Column> columns_of(const Shape& shape) {
  const std::vector<Column> none;
  const std::vector<Column> peak{{"PEAK", true}};
  std::vector<Column> columns{{"PORT", true}, {"ADDRESS"}, {"PROCESS"}, {"ACCEPTQ", true}};
  const auto add = [&](const std::vector<Column>& more) {
    columns.insert(columns.end(), more.begin(), more.end());
  };
  add(shape.peaks ? peak : none);
  add({{"FROM"}, {"SYNQ", true}});
  add(shape.peaks ? peak : none);
  if (shape.wide)
    add({{"FROM"}});
  add({{"DROPS", true}});
  if (shape.netns && !shape.wide)
    add({{"NETNS", true}});
  if (shape.wide)
    add({{"STARTED"}, {"REUSEPORT"}, {"NETNS", true}, {"SOCKET", true}, {"CONTAINER"}, {"CGROUP"}});
  return columns;
}

/// As `docker ps` shows it.
std::string container_text(const std::optional<Owner>& owner) {
  constexpr size_t short_id = 12;
  return owner && owner->container ? owner->container->substr(0, short_id) : "-";
}

/// Local time, as `ps -o lstart` has it.
std::string started_text(std::optional<Timestamp> time) {
  return time ? local_date_and_time(*time) : "-";
}

Row row_of(const Listed& entry, const Shape& shape) {
  Row row{fmt::format("{}", entry.port), std::string{to_string(entry.address)},
          owner_text(entry.owner, entry.owners), queue_text(entry.accept_queue)};
  if (shape.peaks)
    row.push_back(peak_text(entry.accept_queue));
  row.push_back(from_text(entry.accept_queue));
  row.push_back(queue_text(entry.syn_queue));
  if (shape.peaks)
    row.push_back(peak_text(entry.syn_queue));
  if (shape.wide)
    row.push_back(from_text(entry.syn_queue));
  row.push_back(number_text(entry.drops));
  if (shape.netns && !shape.wide)
    row.push_back(number_text(entry.netns));
  if (!shape.wide)
    return row;
  row.push_back(started_text(entry.owner_started));
  row.emplace_back(!entry.reuseport ? "-" : *entry.reuseport ? "yes" : "no");
  row.push_back(number_text(entry.netns));
  row.push_back(number_text(entry.socket));
  row.push_back(container_text(entry.owner));
  row.push_back(entry.owner && entry.owner->cgroup ? printable(*entry.owner->cgroup) : "-");
  return row;
}

void measure(std::vector<Column>& columns, const std::vector<Row>& rows) {
  for (size_t i = 0; i < columns.size(); ++i) {
    columns[i].width = columns[i].header.size();
    for (const Row& row : rows)
      columns[i].width = std::max(columns[i].width, row[i].size());
  }
}

/// Names are cut first, then addresses, neither below what most of them need.
void fit_to_terminal(std::vector<Column>& columns) {
  constexpr size_t terminal = 80, narrow_owner = 12, narrow_address = 15;
  size_t total = columns.size() - 1;
  for (const Column& column : columns)
    total += column.width;
  const auto shrink = [&](Column& column, size_t least) {
    const size_t spare = column.width > least ? column.width - least : 0;
    const size_t by = std::min(spare, total > terminal ? total - terminal : 0);
    column.width -= by;
    total -= by;
  };
  shrink(columns[owner_column], narrow_owner);
  shrink(columns[address_column], narrow_address);
}

void fit_row(Row& row, const Listed& entry, const std::vector<Column>& columns) {
  row[owner_column] = owner_text(entry.owner, entry.owners, columns[owner_column].width);
  if (row[address_column].size() > columns[address_column].width)
    row[address_column] = cut(row[address_column], columns[address_column].width - 1) + "~";
}

void append_row(std::string& out, const std::vector<Column>& columns, const Row& cells) {
  std::string line;
  for (size_t i = 0; i < columns.size(); ++i) {
    const auto& [header, right, width] = columns[i];
    const std::string space(width - std::min(width, cells[i].size()), ' ');
    line += right ? space + cells[i] : cells[i] + space;
    line += ' ';
  }
  line.erase(line.find_last_not_of(' ') + 1);
  out += line + '\n';
}

} // namespace

std::string list_as_ndjson(const std::vector<Listed>& listeners, const Origin& origin) {
  std::string out;
  for (const Listed& entry : listeners) {
    JsonWriter json{out};
    json.begin_object();
    write_time_and_host(json, origin.time, origin.host);
    write_end(json, "server", entry.address, entry.port);
    write_network(json, entry.address.family);
    write_owner(json, entry.owner, entry.owner_started);
    write_container(json, entry.owner);
    write_details(json, entry, origin.version);
    json.end_object();
    out.push_back('\n');
  }
  return out;
}

std::string list_as_text(const std::vector<Listed>& listeners, bool wide) {
  const auto another = [&](const Listed& entry) { return entry.netns != listeners.front().netns; };
  const auto has_peak = [](const Listed& entry) { return entry.accept_queue.peak.has_value(); };
  const Shape shape{wide, std::ranges::any_of(listeners, has_peak),
                    std::ranges::any_of(listeners, another)};
  std::vector<Column> columns = columns_of(shape);
  std::vector<Row> rows;
  rows.reserve(listeners.size());
  for (const Listed& entry : listeners)
    rows.push_back(row_of(entry, shape));
  measure(columns, rows);
  if (!wide) {
    fit_to_terminal(columns);
    for (size_t i = 0; i < rows.size(); ++i)
      fit_row(rows[i], listeners[i], columns);
  }
  std::string out;
  Row headers;
  for (const Column& column : columns)
    headers.emplace_back(column.header);
  append_row(out, columns, headers);
  for (const Row& row : rows)
    append_row(out, columns, row);
  return out;
}

} // namespace acceptwatch
