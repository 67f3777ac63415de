// The list of rules, from rules.def, and the names of the enumerators in reports.
#include <wirelag/advise/rule.hpp>

namespace wirelag {

namespace rules {
#define X(symbol) extern const Rule symbol;
#include "rules.def"
#undef X
}  // namespace rules

const std::vector<Rule>& all_rules() {
  static const std::vector<Rule> all = {
#define X(symbol) rules::symbol,
#include "rules.def"
#undef X
  };
  return all;
}

std::string_view name(Outcome o) {
  switch (o) {
    case Outcome::fires: return "fires";
    case Outcome::fine: return "fine";
    case Outcome::not_applicable: return "not_applicable";
    case Outcome::not_visible: return "not_visible";
  }
  return "";
}

std::string_view name(DoneAlready::Since since) {
  switch (since) {
    case DoneAlready::Since::seen: return "seen";
    case DoneAlready::Since::not_seen: return "not_seen";
    case DoneAlready::Since::not_captured: return "not_captured";
  }
  return "";
}

std::string_view name(Family f) {
  switch (f) {
    case Family::algorithms: return "ALG";
    case Family::database: return "DB";
    case Family::batching: return "BATCH";
    case Family::caching: return "CACHE";
    case Family::async: return "ASYNC";
    case Family::concurrency: return "CONC";
    case Family::network: return "NET";
  }
  return "";
}

}  // namespace wirelag
