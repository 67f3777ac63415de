// A finding: what the packets prove, what to change and how many milliseconds it buys.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <wirelag/base/types.hpp>
#include <wirelag/control/correlate.hpp>

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
  std::string effort;   ///< config line | reload | code change | infrastructure
  std::string risk;
};

/// One line of a what-if list: "only 210.22.84.3" -> 3.406391 ms.
struct WhatIf {
  std::string what;
  DurationNs wait_ns = kUnknownNs;
  DurationNs change_ns = 0;  ///< against what was observed; negative = faster
};

/// A stall of one user that a finding removes, so that no millisecond is promised twice.
struct ChargedTime {
  IpAddress client_ip;
  TimeNs from_ns = 0;
  DurationNs duration_ns = 0;
};

struct Finding {
  std::string rule;   ///< "http-late-connection"
  std::string title;  ///< imperative
  std::string why;    ///< why it matters, one or two sentences
  std::vector<Family> families;
  std::string scope;  ///< "tcp/139.217.146.62:80"
  std::uint64_t affected_actions = 0;
  double affected_share = 0;              ///< of the actions the rule looked at
  Interval saving;                        ///< per affected action
  DurationNs after_higher_ranked_ns = 0;  ///< mid, with the findings above applied
  double user_seconds_per_hour = 0;  ///< saved, over at least one hour: see user_seconds_per_hour()
  bool capacity_only = false;        ///< saves load, not latency: listed apart
  std::string capacity;              ///< what it frees, when it frees something
  std::string confidence;            ///< "A" | "B" | "C"
  std::vector<std::string> why_not_higher;
  std::string threshold;             ///< the threshold that was crossed, with its source
  std::vector<Evidence> evidence;    ///< up to three example flows' worth
  std::vector<ChargedTime> charged;  ///< where the saving comes from; empty for capacity findings
  std::vector<WhatIf> what_if;
  std::vector<std::string> warnings;  ///< "do not ..." with the milliseconds it would cost
  std::vector<Change> change;
  std::string verify;  ///< how to see that the change worked
};

struct NotJudged {
  std::string rule;
  std::string reason;  ///< "could not judge, because ..."
};

}  // namespace wirelag
