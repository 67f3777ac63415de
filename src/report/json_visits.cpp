// Visits as JSON: what one user waited for, by category and step by step.
#include "format.hpp"
#include "json_values.hpp"

namespace wirelag::report {
namespace {

Json index_or_null(std::size_t index) {
  return index == Dataset::kNone ? Json(nullptr) : Json(index);
}

/// The member that says where the node stands in the other lists, and its index there.
std::pair<const char*, std::size_t> place(const VisitNode& n, const HttpIndex& http) {
  switch (n.kind) {
    case VisitNode::Kind::dns: return {"dns_lookup", n.item};
    case VisitNode::Kind::connect: return {"handshake", n.item};
    case VisitNode::Kind::tls: return {"tls_handshake", n.item};
    case VisitNode::Kind::request:
      return {"request", n.item == Dataset::kNone ? Dataset::kNone : http.of(n.item)};
    case VisitNode::Kind::query: return {"query", n.item};
  }
  return {"", Dataset::kNone};
}

Json step_json(const Visit& v, const PathStep& step, const HttpIndex& http) {
  const VisitNode& n = v.nodes[step.node];
  Json out{{"kind", std::string(name(n.kind))}, {"connection", connection_id(n.connection)}};
  if (n.kind != VisitNode::Kind::connect) {
    const auto [member, index] = place(n, http);
    out[member] = index_or_null(index);
  }
  out["start_time_ns"] = n.start_ns;
  out["client_ns"] = step.client_ns;
  out["round_ns"] = step.round_ns;
  out["stall_ns"] = step.stall_ns;
  out["duration_ns"] = step.duration_ns;
  return out;
}

Json path_json(const Visit& v, const CriticalPath& path, const HttpIndex& http) {
  Json out = Json::array();
  for (const PathStep& step : path.steps) out.push_back(step_json(v, step, http));
  return out;
}

Json limits_json(const VisitFlags& f) {
  Json out = Json::array();
  const auto say = [&out](bool flag, const char* text) {
    if (flag) out.push_back(text);
  };
  say(f.incomplete, "incomplete");
  say(f.end_unseen, "end_unseen");
  say(f.think_has_rtt, "think_has_rtt");
  say(f.transfer_unsplit, "transfer_unsplit");
  say(f.encrypted, "encrypted");
  say(f.midstream, "midstream");
  say(f.one_sided, "one_sided");
  say(f.shared_address, "shared_address");
  say(f.cut, "cut");
  return out;
}

}  // namespace

Json visit_json(const Report& r, std::size_t index, const HttpIndex& http) {
  const Visit& v = r.visits.stored[index];
  Json lookups = Json::array();
  Json connections = Json::array();
  Json requests = Json::array();
  Json queries = Json::array();
  for (const VisitNode& n : v.nodes) {
    if (n.kind == VisitNode::Kind::dns) lookups.push_back(std::size_t{n.item});
    if (n.kind == VisitNode::Kind::connect) connections.push_back(connection_id(n.item));
    if (n.kind == VisitNode::Kind::query) queries.push_back(std::size_t{n.item});
    if (n.kind != VisitNode::Kind::request || n.item == Dataset::kNone) continue;
    requests.push_back(http.of(n.item));
  }
  const CriticalPath serial = critical_path(v, Form::serial);
  const CriticalPath parallel = critical_path(v, Form::parallel);
  return Json{{"id", index + 1},
              {"client_ip", v.client_ip.text()},
              {"service", text_or_null(v.service)},
              {"kind", v.database ? "database"
                       : v.api    ? "api"
                                  : "page"},
              {"start_time_ns", v.start_ns},
              {"wait_ns", v.wait_ns},
              {"weight", v.weight},
              {"breakdown_ns", breakdown_json(serial.breakdown)},
              {"breakdown_parallel_ns", breakdown_json(parallel.breakdown)},
              {"critical_path", path_json(v, serial, http)},
              {"critical_path_parallel", path_json(v, parallel, http)},
              {"dns_lookups", std::move(lookups)},
              {"connections", std::move(connections)},
              {"requests", std::move(requests)},
              {"queries", std::move(queries)},
              {"limits", limits_json(v.flags)}};
}

}  // namespace wirelag::report
