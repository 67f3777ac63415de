// One rule = one file in src/advise/rules/ and one line in rules.def. A rule looks at the sealed
// data and the visits and says one of four things: it fires (findings), all is fine, it does not
// apply, or it cannot see what it would need. A finding says how its change would change the graphs
// of the visits (edits); what that saves is worked out for all rules alike by advise().
//
// Control thread; pure: no clock, no I/O.
#pragma once

#include <string_view>
#include <vector>

#include <wirelag/advise/finding.hpp>

namespace wirelag {

/// Thresholds of all rules; the configuration's [rule.*] tables. Every one carries its unit.
struct Thresholds {
  struct {
    std::uint32_t min_servers = 2;  ///< one question sent to at least so many
    DurationNs within_ns = 5 * kMillisecondNs;
    double min_share = 0.5;           ///< of the forwarded questions
    double slack_at_p99 = 0.05;       ///< so much slower at p99 the others may be without one
    std::uint32_t min_for_p99 = 100;  ///< questions; of fewer the p99 says nothing
  } dns_redundant_fanout;
  struct {
    DurationNs request_after_handshake_ns = 10 * kMillisecondNs;
    DurationNs speculative_after_ns = 1 * kSecondNs;  ///< no request by then: a spare socket
  } http_late_connection;
  struct {
    DurationNs p50_ns = 200 * kMillisecondNs;     ///< thinks longer than this at the median
    DurationNs p95_ns = 600 * kMillisecondNs;     ///< or this at the slow end
    DurationNs target_ns = 100 * kMillisecondNs;  ///< what a server should need
    double min_share = 0.3;                       ///< of the visit's wait
    std::uint32_t max_per_server = 5;             ///< targets, those with the most time
    std::uint32_t min_for_p10 = 10;               ///< answers; of fewer the p10 says nothing
  } http_slow_ttfb;
  struct {
    double min_share = 0.3;  ///< of the connections carry one request and are opened again
    DurationNs return_within_ns = 60 * kSecondNs;
  } tcp_connection_churn;
  struct {
    DurationNs min_wait_ns = 900 * kMillisecondNs;  ///< first SYN to the one that was answered
    double min_share = 0.001;                       ///< of the connections to the server
  } tcp_syn_loss;
  struct {
    std::uint32_t min_events = 2;  ///< on one listener
    DurationNs within_ns = 1 * kSecondNs;
    DurationNs min_wait_ns = 200 * kMillisecondNs;      ///< a request unacknowledged
    DurationNs min_syn_wait_ns = 900 * kMillisecondNs;  ///< first SYN to the one that was answered
  } tcp_accept_overflow;
  struct {
    DurationNs p50_ns = 20 * kMillisecondNs;
    DurationNs p95_ns = 100 * kMillisecondNs;
    double faster_factor = 2.0;  ///< another resolver answers so many times faster
  } dns_slow_resolver;
  struct {
    DurationNs min_wait_ns = 900 * kMillisecondNs;  ///< from the question to the retry
    double min_share = 0.001;                       ///< of the lookups
    double alive_share =
        0.9;  ///< of a resolver's queries answered in time: it lives, packets are lost
  } dns_timeout_retry;
  struct {
    std::uint64_t max_response_bytes = 200'000;
    std::uint32_t initial_segments = 10;   ///< a first flight of at most so many is a default one
    std::uint32_t proposed_segments = 20;  ///< what the change sets
    double min_share = 0.2;                ///< of the responses of more than one flight
    /// By so many a flight may be counted too large, or a response spill over into one more.
    std::uint32_t slack_segments = 2;
  } tcp_initcwnd_rounds;
  struct {
    std::uint32_t min_requests = 6;     ///< of one visit to one server
    std::uint32_t min_connections = 6;  ///< that carried them
  } http_h1_parallel_limit;
  struct {
    DurationNs window_ns = 1 * kSecondNs;
    std::uint32_t min_windows = 5;        ///< beyond the knee
    double response_factor = 2.0;         ///< slower than when it has little to do
    std::uint32_t min_completions = 5;    ///< of a window that counts
    std::uint32_t longest_windows = 120;  ///< an answer that took as many is left out: a long poll
    double more_capacity = 1.5;           ///< that a change gives at least (the low end)
  } srv_saturation_knee;
  struct {
    double min_share = 0.2;  ///< of the handshakes
  } tls_extra_rtt;
  struct {
    std::uint32_t min_run = 5;                     ///< queries in a row
    DurationNs turn_gap_ns = 2 * kMillisecondNs;   ///< the client's own time before the next one
    DurationNs min_waste_ns = 5 * kMillisecondNs;  ///< in round trips of a run
    DurationNs min_rtt_ns = 100 * kMicrosecondNs;  ///< on a shorter path nothing is to be gained
  } db_serial_roundtrips;
  struct {
    std::uint32_t min_repeats = 5;
    DurationNs within_ns = 200 * kMillisecondNs;    ///< from one repeat to the next
    DurationNs min_total_ns = 10 * kMillisecondNs;  ///< all repeats together
    std::uint32_t max_per_server = 5;               ///< statements, those with the most time
  } db_n_plus_one;
  struct {
    DurationNs sql_p95_ns = 50 * kMillisecondNs;    ///< the server's own time, PostgreSQL and MySQL
    DurationNs cache_p95_ns = 10 * kMillisecondNs;  ///< Redis and memcached
    std::uint32_t max_per_server = 5;               ///< shapes, those with the most time
    std::uint32_t min_for_p10 = 10;                 ///< calls; of fewer the p10 says nothing
    std::uint64_t few_rows = 100;  ///< an answer of at most so many: an index may be missing
  } db_slow_fingerprint;
  struct {
    DurationNs quick_min_ns =
        30 * kMillisecondNs;  ///< a delayed ACK of 40 ms (Linux), and its noise
    DurationNs quick_max_ns = 60 * kMillisecondNs;
    DurationNs slow_min_ns = 150 * kMillisecondNs;  ///< one of 200 ms
    DurationNs slow_max_ns = 250 * kMillisecondNs;
    std::uint32_t min_events = 5;  ///< of one server, or
    double min_share = 0.01;       ///< of its exchanges
    std::uint32_t max_delays = 8;  ///< one after another; more are something else
  } tcp_nagle_delack;
  struct {
    double min_share = 0.01;            ///< of the data segments were sent again
    std::uint32_t min_segments = 1000;  ///< of a client's network, one direction
  } tcp_path_loss;
  struct {
    DurationNs min_stall_ns = 190 * kMillisecondNs;  ///< silence that a resend ended
    double min_share = 0.001;                        ///< of the exchanges
    std::uint32_t min_alike = 3;  ///< silences of a timer's length, where the loss was not seen
  } tcp_tail_rto;
  struct {
    std::uint64_t min_response_bytes = 14'000;
    DurationNs min_idle_ns = 200 * kMillisecondNs;  ///< since the answer before
    std::uint32_t initial_segments = 10;  ///< a first flight of at most so many: begun anew
    double min_share = 0.2;               ///< of such answers after such a pause
    std::uint32_t slack_segments = 2;     ///< by so many a flight may be counted too large
  } tcp_idle_restart;
  struct {
    DurationNs min_effect_ns = 1 * kMillisecondNs;  ///< smaller savings are not reported
    double min_effect_share = 0.02;                 ///< nor those below this share of the wait
  } gate;
  struct {
    std::uint32_t samples_for_a = 300;  ///< visits or actions
    std::uint32_t samples_for_b = 100;
    double max_missing_share =
        0.001;                    ///< of a connection's bytes; more lowers it for rules on loss
    double min_sure_share = 0.9;  ///< of the saving; below, what is left is inferred
  } confidence;
  struct {
    DurationNs min_ns = 200 * kMillisecondNs;         ///< Linux TCP_RTO_MIN
    DurationNs delayed_ack_ns = 40 * kMillisecondNs;  ///< Linux TCP_DELACK_MIN: it may be so late
    DurationNs tick_ns = 10 * kMillisecondNs;         ///< and a tick (HZ = 100)
  } resend_timer;
  LookupLimits lookups;
  VisitLimits visits;
};

struct RuleResult {
  Outcome outcome = Outcome::not_applicable;
  std::vector<Finding> findings;  ///< when it fires
  std::string note;               ///< fine: what it looked at; not_*: the reason
};

struct RuleInput {
  const Dataset& data;
  const Correlation& correlation;
  const Visits& visits;
  const Thresholds& thresholds;
};

struct Rule {
  std::string_view id;
  std::string_view title_when_fine;  ///< says no more than what the rule looks for
  RuleResult (*judge)(const RuleInput& input);
};

/// All rules, in the order of src/advise/rules.def.
[[nodiscard]] const std::vector<Rule>& all_rules();

/// What a rule recommends was done then, says the operator. What was captured since alone has been judged.
struct ChangeMade {
  std::string rule;
  TimeNs time_ns = kUnknownNs;
  std::string what;  ///< in the operator's words
  /// The rule's findings in that. Their evidence has indexes into the whole Dataset; their edits' visits say nothing.
  std::vector<Finding> still;
  bool judged = false;  ///< since then it could be seen whether there is what the rule looks for
  /// Nothing of before is in the capture: `still` and `judged` say nothing.
  bool before_all = false;
};

struct Advice {
  std::vector<Finding> findings;  ///< ranked: user-seconds saved per hour; capacity findings last
  std::vector<Finding> done;      ///< what was changed already and not seen since; ranked likewise
  std::vector<Verdict> not_judged;  ///< not_applicable or not_visible
  std::vector<Verdict> fine;  ///< looked and found nothing to change, or nothing that costs time
};

/// Runs every rule, settles which of them owns a millisecond that two want (precedence.def),
/// simulates every visit with and without each finding's edits, ranks, and works out what each saves
/// once those above it are done. A finding of a change that was made is of the visits since then, or is no advice
/// any more (Advice::done); `made`: at most one for a rule.
[[nodiscard]] Advice advise(const RuleInput& input, const std::vector<ChangeMade>& made = {});

/// How long a visit would wait with one finding's change made and those ranked above it.
struct WaitAfter {
  std::size_t finding = 0;  ///< index into Advice::findings
  DurationNs least_ns = 0;  ///< over both forms and all that is plausible
  DurationNs most_ns = 0;   ///< what is sure
};
/// In order of rank; without the findings that do not change this visit (an index into
/// Visits::stored).
[[nodiscard]] std::vector<WaitAfter> waits_after(const Visits& visits, std::uint32_t visit,
                                                 const Advice& advice);

/// How long every stored visit would wait with the changes of all findings of one rule made, and of no other
/// rule: by index into Visits::stored. `finding` says nothing.
[[nodiscard]] std::vector<WaitAfter> waits_with(const Visits& visits, const Advice& advice,
                                                std::string_view rule);

}  // namespace wirelag
