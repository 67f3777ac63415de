// A finding: what the packets prove, what to change and how many milliseconds it buys.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <wirelag/advise/visit.hpp>
#include <wirelag/base/types.hpp>

namespace wirelag {

/// Low, mid and high estimate of one quantity in nanoseconds.
struct Interval {
  DurationNs low_ns = 0;
  DurationNs mid_ns = 0;
  DurationNs high_ns = 0;
};

enum class Family : std::uint8_t {
  algorithms,
  database,
  batching,
  caching,
  async,
  concurrency,
  network
};
[[nodiscard]] std::string_view name(
    Family f);  ///< "ALG", "DB", "BATCH", "CACHE", "ASYNC", "CONC", "NET"

struct Evidence {
  std::string what;                         ///< one clause, e.g. "handshake of 10.0.0.1:60690"
  std::size_t connection = Dataset::kNone;  ///< index into Dataset::connections()
  std::vector<FrameNumber> frames;
  TimeNs time_ns = kUnknownNs;
  DurationNs duration_ns = kUnknownNs;
};

struct Change {
  std::string label;    ///< what it is done with: "nginx", "dnsmasq", "HTML"
  std::string snippet;  ///< the directive itself
  /// What it takes for it to work: one statement | config line (read at once, or by the next process)
  /// | reload | restart | code change | infrastructure
  std::string effort;
  std::string risk;
};

/// One line of a what-if list: "only 210.22.84.3" -> 3.406391 ms.
struct WhatIf {
  std::string what;
  DurationNs wait_ns = kUnknownNs;
  DurationNs change_ns = 0;  ///< against what was observed; negative = faster
};

/// How a change that a finding proposes would change the graph of one visit. Changes are data, so
/// that those of several findings can be made together. Low is what it surely does, high what it
/// plausibly does.
struct Edit {
  enum class What : std::uint8_t {
    shorten,  ///< the node's parts of one category, by that much; negative: lengthen
    unqueue,  ///< no wait for the connection to be free; where low_ns or high_ns is not 0
  };
  std::uint32_t visit = 0;  ///< index into Visits::stored
  std::uint32_t node = 0;   ///< index into Visit::nodes
  What what = What::shorten;
  Category category = Category::client;
  DurationNs low_ns = 0;
  DurationNs high_ns = 0;
};

/// That the operator made the change already (ChangeMade), and what the visits since say of it.
struct DoneAlready {
  enum class Since : std::uint8_t {
    seen,  ///< there still is what the rule found: the finding is of the visits since alone
    not_seen,  ///< so many visits since do not have it that it would be no chance: the finding is of those before
    not_captured,  ///< nothing since, or too little, that would show it
  };
  TimeNs time_ns = kUnknownNs;
  std::string what;  ///< in the operator's words
  Since since = Since::not_captured;
  /// With something to a server that the finding's edits are about (of one about lookups: with a lookup), on either
  /// side of the mark, and those of them with an edit. Of a sample: what those looked into stand for.
  std::uint64_t visits_before = 0;
  std::uint64_t visits_since = 0;
  std::uint64_t affected_before = 0;
  std::uint64_t affected_since = 0;
};
/// "seen", "not_seen" or "not_captured".
[[nodiscard]] std::string_view name(DoneAlready::Since since);

struct Finding {
  // What the rule says.
  std::string rule;   ///< "http-late-connection"
  std::string title;  ///< imperative
  std::string why;    ///< what was seen and why it matters, one to three sentences
  std::string fault;  ///< what was seen, a clause: "3 connections were opened late"
  std::vector<Family> families;
  std::string scope;        ///< "tcp/139.217.146.62:80"
  std::vector<Edit> edits;  ///< empty: no visit gets shorter
  /// Of what it is about: in no visit that was looked into, or cannot be read: nobody knows who waited for it.
  std::size_t unplaced = 0;
  std::vector<std::size_t> lookups;    ///< of a rule about lookups: Correlation's that it is about
  std::uint64_t looked_at = 0;         ///< actions the rule looked at
  std::uint64_t affected_actions = 0;  ///< without edits by the rule, else by advise()
  bool capacity_only = false;          ///< saves load, not latency: listed apart
  bool keep_for_capacity = false;      ///< becomes capacity_only when it turns out to save no time
  std::string capacity;                ///< what it frees, when it frees something
  std::vector<std::string> why_not_higher;  ///< what lowers the confidence
  std::string threshold;                    ///< the threshold that was crossed, with its source
  std::vector<Evidence> evidence;           ///< up to three example flows' worth
  std::vector<WhatIf> what_if;
  std::vector<std::string> warnings;  ///< "do not ..." with the milliseconds it would cost
  std::vector<Change> change;
  std::string verify;  ///< how to see that the change worked

  // What advise() works out from the edits.
  /// Of all visits, or of those on the same side of `done`; capacity_only: of the actions the rule looked at.
  double affected_share = 0;
  /// Per affected action: median, widened by what sampling leaves open and by the jitter of the
  /// round trips (jitter_ns).
  Interval saving;
  DurationNs jitter_ns = 0;  ///< by so much low and high were moved apart because round trips vary
  DurationNs after_higher_ranked_ns = 0;  ///< mid, with the findings above applied
  double user_seconds_per_hour = 0;       ///< saved, over at least one hour: mid
  /// What all users together save lies between these, as `saving` does; over at least one hour.
  double least_user_seconds_per_hour = 0;
  double most_user_seconds_per_hour = 0;
  std::string confidence;  ///< "A" | "B" | "C"
  std::optional<DoneAlready> done;
};

enum class Outcome : std::uint8_t {
  fires,
  fine,
  not_applicable,  ///< the capture has nothing that the rule is about
  not_visible,     ///< it has, but not what it takes to judge it
};
[[nodiscard]] std::string_view name(Outcome o);

/// What a rule said that has no finding.
struct Verdict {
  std::string rule;
  std::string reason;  ///< fine: what is so; else what the capture lacks
  Outcome outcome = Outcome::not_visible;
  std::string
      looked_at;  ///< fine: the servers, resolvers or networks; empty where they do not matter
};

}  // namespace wirelag
