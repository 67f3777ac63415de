#include "visit_outcome.hpp"

namespace wirelag::report {
namespace {

bool is_error(const VisitNode& n, const Dataset& data) {
  constexpr std::uint16_t kServerError = 500;
  if (n.item == Dataset::kNone) return false;
  if (n.kind == VisitNode::Kind::query) return data.database()[n.item].error;
  return data.http()[n.item].status >= kServerError;
}

}  // namespace

VisitOutcome outcome_of(const Visit& v, const Dataset& data) {
  bool asked = false, whole = true, error = false;
  bool opened = false, refused = false, no_tls = false;
  for (const VisitNode& n : v.nodes) {
    switch (n.kind) {
      case VisitNode::Kind::dns: break;
      case VisitNode::Kind::connect: (n.ended ? opened : refused) = true; break;
      case VisitNode::Kind::tls: no_tls |= !n.ended; break;
      case VisitNode::Kind::request:
      case VisitNode::Kind::query:
        asked = true;
        whole &= n.ended;
        error |= is_error(n, data);
        break;
    }
  }
  if (!asked)
    return no_tls || (refused && !opened) ? VisitOutcome::unanswered : VisitOutcome::nothing_asked;
  if (!whole || v.flags.incomplete || v.flags.end_unseen) return VisitOutcome::unanswered;
  return error ? VisitOutcome::error : VisitOutcome::answered;
}

}  // namespace wirelag::report
