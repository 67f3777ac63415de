// How long users waited and for what, and how busy servers were, as JSON: what the figures of the other
// renderings are drawn from.
#include <cmath>

#include "json_values.hpp"

namespace wirelag::report {
namespace {

Json window_json(const LoadWindow& w) {
  return Json{{"start_time_ns", w.start_ns},
              {"in_flight", w.in_flight},
              {"answers_per_second", w.per_second},
              {"answers", w.requests.size()},
              {"response_ns", std::llround(w.response_ns)},
              {"beyond_knee", w.beyond}};
}

/// null: not held against what was measured.
Json held_json(MarkedChange::Prediction::Held held) {
  using Held = MarkedChange::Prediction::Held;
  switch (held) {
    case Held::not_asked: return nullptr;
    case Held::too_few: return "too_few";
    case Held::yes: return "yes";
    case Held::faster: return "faster";
    case Held::slower: return "slower";
  }
  return nullptr;
}

}  // namespace

Json breakdown_json(const Breakdown& b) {
  Json out = Json::object();
  for (std::size_t c = 0; c < kCategories; ++c) {
    out[std::string(name(static_cast<Category>(c)))] = b[c];
  }
  return out;
}

Json wait_scope_json(const WaitScope& s) {
  return Json{
      {"service", text_or_null(s.name)},
      {"visits", s.visits},
      {"visits_seen", s.seen},
      {"visits_end_unseen", s.end_unseen},
      {"wait_ns", Json{{"sum", s.wait_ns}, {"p50", s.p50_ns}, {"p95", s.p95_ns}}},
      {"breakdown_ns", breakdown_json(s.total[static_cast<std::size_t>(Form::serial)])},
      {"breakdown_parallel_ns", breakdown_json(s.total[static_cast<std::size_t>(Form::parallel)])},
      {"breakdown_p50_ns", breakdown_json(s.at_p50)},
      {"breakdown_p95_ns", breakdown_json(s.at_p95)}};
}

Json unended_json(const Unended& unended) {
  Json what = Json::array();
  const auto say = [&what](bool flag, const char* of) {
    if (flag) what.push_back(of);
  };
  say(unended.requests, "requests");
  say(unended.responses, "responses");
  say(unended.openings, "openings");
  say(unended.handshakes, "handshakes");
  return what;
}

Json typical_json(const TypicalVisit& t) {
  Json after = Json::array();
  for (const WaitAfter& a : t.after) {
    after.push_back(
        Json{{"finding", a.finding}, {"wait_ns", Json{{"low", a.least_ns}, {"high", a.most_ns}}}});
  }
  return Json{{"visit", t.visit}, {"what", t.what}, {"after", std::move(after)}};
}

Json load_json(const ServerLoad& load) {
  Json windows = Json::array();
  for (const LoadWindow& w : load.windows) windows.push_back(window_json(w));
  return Json{
      {"server", endpoint(load.server)},      {"response_unloaded_ns", std::llround(load.r0_ns)},
      {"answers_per_second_max", load.x_max}, {"knee_in_flight", load.n_star},
      {"windows_beyond_knee", load.beyond()}, {"windows", std::move(windows)}};
}

Json server_json(const ServerUse& s) {
  const auto measured = [](double value) { return value > 0 ? Json(value) : Json(nullptr); };
  return Json{{"server", endpoint(s.server)},
              {"clients", s.clients},
              {"connections", s.connections},
              {"open_at_once", s.open_at_once},
              {"requests", s.requests},
              {"requests_per_second", measured(s.per_second)},
              {"response_ns", std::llround(s.answer_ns)},
              {"in_flight", measured(s.in_flight)},
              {"answers_per_second_limit", measured(s.limit_per_second)},
              {"utilisation", measured(s.utilisation())}};
}

Json marked_json(const MarkedChange& c) {
  const auto side = [](const MarkedChange::Side& s) {
    return Json{{"visits", s.visits},
                {"unanswered", s.unanswered},
                {"errors", s.errors},
                {"p50_ns", ns_or_null(s.p50_ns)},
                {"p50_between_ns",
                 Json{{"low", ns_or_null(s.p50_low_ns)}, {"high", ns_or_null(s.p50_high_ns)}}},
                {"p95_ns", ns_or_null(s.p95_ns)}};
  };
  const auto predicted = [](const MarkedChange::Service& s) {
    Json all = Json::array();
    for (const MarkedChange::Prediction& p : s.predicted) {
      all.push_back(Json{{"rule", p.rule},
                         {"named", p.named},
                         {"p50_ns", Json{{"low", p.low_ns}, {"high", p.high_ns}}},
                         {"held", held_json(p.held)}});
    }
    return all;
  };
  Json services = Json::array();
  for (const MarkedChange::Service& s : c.services) {
    services.push_back(Json{{"service", text_or_null(s.name)},
                            {"before", side(s.before)},
                            {"after", side(s.after)},
                            {"more_unanswered", s.more_unanswered},
                            {"more_errors", s.more_errors},
                            {"beyond_chance", s.beyond_chance},
                            {"predicted", predicted(s)}});
  }
  return Json{{"time_ns", c.mark.time_ns},
              {"what", text_or_null(c.mark.what)},
              {"services", std::move(services)},
              {"predicted_nothing", c.predicted_nothing}};
}

Json ledger_json(const LedgerRow& row) {
  return Json{{"rule", row.rule},
              {"predictions", row.predictions},
              {"held", row.held},
              {"saved_share", row.saved_share}};
}

}  // namespace wirelag::report
