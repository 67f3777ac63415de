#include "visit_outcome.hpp"

#include <wirelag/control/capture_end.hpp>

namespace wirelag::report {
namespace {

bool is_error(const VisitNode& n, const Dataset& data) {
  constexpr std::uint16_t kServerError = 500;
  if (n.item == Dataset::kNone) return false;
  if (n.kind == VisitNode::Kind::query) return data.database()[n.item].error;
  return data.http()[n.item].status >= kServerError;
}

/// Of a node that did not end: it may have, behind the capture.
bool is_unfinished(const VisitNode& n, const Dataset& data) {
  switch (n.kind) {
    case VisitNode::Kind::dns: return false;
    case VisitNode::Kind::connect: return unfinished(data, data.connections()[n.item]);
    case VisitNode::Kind::tls: return unfinished(data, data.tls()[n.item]);
    case VisitNode::Kind::query: return unfinished(data, data.database()[n.item]);
    case VisitNode::Kind::request:
      return n.item == Dataset::kNone
                 ? may_be_answered(data, data.connections()[n.connection], n.start_ns)
                 : unfinished(data, data.http()[n.item]);
  }
  return false;
}

/// What the visit lacks may have come behind the capture: of what it asked all of that; before, any way in.
bool is_unfinished(const Visit& v, const Dataset& data, bool asked) {
  bool unfinished = false, in_vain = false;
  for (const VisitNode& n : v.nodes) {
    if (n.ended || (asked && n.kind == VisitNode::Kind::connect)) continue;
    (is_unfinished(n, data) ? unfinished : in_vain) = true;
  }
  return unfinished && !(asked && in_vain);
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
  const bool lacking =
      asked ? !whole || v.flags.incomplete || v.flags.end_unseen : no_tls || (refused && !opened);
  if (lacking) {
    return is_unfinished(v, data, asked) ? VisitOutcome::unfinished : VisitOutcome::unanswered;
  }
  if (!asked) return VisitOutcome::nothing_asked;
  return error ? VisitOutcome::error : VisitOutcome::answered;
}

}  // namespace wirelag::report
