// What the rules about databases and caches share: which exchanges count, what they are called, and
// the words for changes. Private to advise; pure.
#pragma once

#include <string>

#include <fmt/format.h>

#include <wirelag/advise/statement.hpp>

#include "estimate.hpp"

namespace wirelag {

[[nodiscard]] inline bool is_sql(Protocol p) {
  return p == Protocol::postgres || p == Protocol::mysql;
}

/// An exchange whose time is the network's and the server's: no login, nothing that waits by design or
/// has no reply, and answered whole.
[[nodiscard]] inline bool counts(const DatabaseTransaction& t) {
  return !t.login && !t.no_reply && !t.waits_by_design && t.response_complete &&
         known(t.server_wait_ns());
}

/// The time of one category in a node.
[[nodiscard]] inline DurationNs time_of(const VisitNode& n, Category category) {
  DurationNs sum = 0;
  for (const VisitPart& p : n.parts) sum += p.category == category ? p.duration_ns : 0;
  return sum;
}

/// The first to the last frame and byte of exchanges that follow each other on one connection.
[[nodiscard]] inline Evidence stretch(const RuleInput& input, std::string what,
                                      const DatabaseTransaction& first,
                                      const DatabaseTransaction& last) {
  Evidence e{std::move(what),
             input.data.connection_index(first.connection),
             {first.request_frames.first, last.response_frames.last},
             first.request_first_ns,
             elapsed_ns(first.request_first_ns, last.response_last_ns)};
  std::erase(e.frames, 0U);
  return e;
}

/// Why no database rule can judge: nothing there, or nothing with its answer. Empty: it can.
struct Unjudged {
  Outcome outcome = Outcome::not_applicable;
  std::string reason;
};
[[nodiscard]] inline Unjudged cannot_judge_queries(const RuleInput& input, bool any_counted) {
  if (any_counted) return {};
  if (input.data.database().empty()) {
    return {Outcome::not_applicable, "no request to a database or cache that can be read"};
  }
  return {Outcome::not_visible, "no request to a database or cache was seen with its answer"};
}

}  // namespace wirelag
