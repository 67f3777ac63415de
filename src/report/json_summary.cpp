// The blocks of the JSON report that exist once, and the findings.
#include "format.hpp"
#include "json_values.hpp"
#include "visibility.hpp"

namespace wirelag::report {

Json capture_json(const Report& report) {
  const CaptureBlock& c = report.capture;
  Json links = Json::array();
  for (const std::string& link : c.link_types) links.push_back(utf8(link));
  Json unsupported = Json::object();
  for (const auto& [link, frames] : c.link_types_unsupported) unsupported[utf8(link)] = frames;
  return Json{{"name", utf8(c.name)},
              {"format", utf8(c.format)},
              {"link_types", std::move(links)},
              {"link_types_unsupported", std::move(unsupported)},
              {"packets", c.packets},
              {"frames_without_time", c.frames_without_time},
              {"first_time_ns", ns_or_null(c.first_time_ns)},
              {"last_time_ns", ns_or_null(c.last_time_ns)},
              {"cut_short", !c.cut_short.empty()},
              {"cut_short_reason", text_or_null(c.cut_short)},
              {"snaplen_cut", report.counters.of(Counter::snaplen_cut)}};
}

Json accounting_json(const Report& report) {
  const Accounting& a = report.accounting;
  Json reasons = Json::object();
  for (std::size_t i = 0; i < a.not_analysed.size(); ++i) {
    if (a.not_analysed[i] == 0) continue;
    reasons[std::string(name(static_cast<NotAnalysed>(i + 1)))] = a.not_analysed[i];
  }
  return Json{
      {"received", a.received}, {"analysed", a.analysed}, {"not_analysed", std::move(reasons)}};
}

Json visibility_json(const Report& report) {
  const Visibility v = visibility(report);
  return Json{{"connections", v.connections},
              {"one_sided_connections", v.one_sided},
              {"midstream_connections", v.midstream},
              {"evicted_connections", v.evicted},
              {"connections_with_holes", v.connections_with_holes},
              {"missing_bytes", v.missing_bytes},
              {"duplicate_frames", v.duplicate_frames},
              {"snaplen_cut_frames", v.snaplen_cut},
              {"clock_steps_back", v.clock_steps_back},
              {"transactions_lost", v.transactions_lost},
              {"port_drops", v.port_drops},
              {"client_share", v.client_share}};
}

Json counters_json(const Report& report) {
  Json out = Json::object();
  for (std::size_t i = 0; i < report.counters.values.size(); ++i) {
    out[std::string(info(static_cast<Counter>(i)).symbol)] = report.counters.values[i];
  }
  return out;
}

Json verdict_json(const Verdict& v) {
  Json out{{"rule", v.rule}, {"outcome", std::string(name(v.outcome))}};
  out[v.outcome == Outcome::fine ? "title" : "reason"] = utf8(v.reason);
  if (v.outcome == Outcome::fine) out["looked_at"] = text_or_null(v.looked_at);
  return out;
}

namespace {

Json done_json(const DoneAlready& d) {
  return Json{{"time_ns", d.time_ns},
              {"what", utf8(d.what)},
              {"since", std::string(name(d.since))},
              {"visits_before", d.visits_before},
              {"visits_since", d.visits_since},
              {"affected_before", d.affected_before},
              {"affected_since", d.affected_since}};
}

}  // namespace

Json finding_json(const Finding& f) {
  Json families = Json::array();
  for (const Family family : f.families) families.push_back(std::string(name(family)));
  Json evidence = Json::array();
  for (const Evidence& e : f.evidence) {
    evidence.push_back(Json{{"what", utf8(e.what)},
                            {"connection", connection_id(e.connection)},
                            {"frames", frame_numbers(e.frames)},
                            {"time_ns", ns_or_null(e.time_ns)},
                            {"duration_ns", ns_or_null(e.duration_ns)}});
  }
  Json what_if = Json::array();
  for (const WhatIf& w : f.what_if) {
    what_if.push_back(Json{{"what", utf8(w.what)},
                           {"wait_ns", ns_or_null(w.wait_ns)},
                           {"change_ns", ns_or_null(w.change_ns)}});
  }
  Json change = Json::array();
  for (const Change& c : f.change) {
    change.push_back(Json{{"label", utf8(c.label)},
                          {"snippet", utf8(c.snippet)},
                          {"effort", utf8(c.effort)},
                          {"risk", utf8(c.risk)}});
  }
  const auto texts = [](const std::vector<std::string>& list) {
    Json out = Json::array();
    for (const std::string& text : list) out.push_back(utf8(text));
    return out;
  };
  const Json capacity = f.capacity.empty() ? Json(nullptr) : Json{{"frees", utf8(f.capacity)}};
  return Json{
      {"rule", f.rule},
      {"title", utf8(f.title)},
      {"why", utf8(f.why)},
      {"fault", utf8(f.fault)},
      {"families", std::move(families)},
      {"scope", utf8(f.scope)},
      {"affected", Json{{"actions", f.affected_actions}, {"share", f.affected_share}}},
      {"saving_ns",
       Json{{"low", f.saving.low_ns}, {"mid", f.saving.mid_ns}, {"high", f.saving.high_ns}}},
      {"jitter_ns", f.jitter_ns},
      {"user_seconds_per_hour", f.user_seconds_per_hour},
      {"least_user_seconds_per_hour", f.least_user_seconds_per_hour},
      {"most_user_seconds_per_hour", f.most_user_seconds_per_hour},
      {"after_higher_ranked_ns", ns_or_null(f.after_higher_ranked_ns)},
      {"capacity_only", f.capacity_only},
      {"capacity", capacity},
      {"confidence", f.confidence},
      {"why_not_higher", texts(f.why_not_higher)},
      {"threshold", utf8(f.threshold)},
      {"evidence", std::move(evidence)},
      {"what_if", std::move(what_if)},
      {"warnings", texts(f.warnings)},
      {"change", std::move(change)},
      {"verify", utf8(f.verify)},
      {"done", f.done ? done_json(*f.done) : Json(nullptr)}};
}

}  // namespace wirelag::report
