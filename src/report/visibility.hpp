// How far the link could be seen: what the report says first, because every number in it depends on
// that. Taken from the counters and the connections, so that text and JSON agree.
#pragma once

#include <wirelag/report/report.hpp>

namespace wirelag::report {

struct Visibility {
  std::uint64_t connections = 0;
  std::uint64_t one_sided = 0;        ///< connections of which one direction only was captured
  std::uint64_t midstream = 0;        ///< connections whose beginning was not captured
  std::uint64_t evicted = 0;          ///< connections given up because the flow table was full
  std::uint64_t dns_not_visible = 0;  ///< DNS queries whose answers the capture cannot have
  std::uint64_t duplicate_frames = 0;
  std::uint64_t snaplen_cut = 0;  ///< frames
  std::uint64_t clock_steps_back = 0;
  std::uint64_t frames_without_time = 0;
  std::uint64_t link_types_unsupported = 0;  ///< frames of link types that are not understood
  std::uint64_t missing_bytes = 0;           ///< sequence space of both directions never captured
  std::uint64_t connections_with_holes = 0;
  std::uint64_t transactions_lost = 0;  ///< shed on the way to the control core, or dropped there
  std::uint64_t port_drops = 0;         ///< frames lost in the port
  double client_share = 1.0;            ///< of the clients; below 1 the lists are a sample
  std::uint64_t not_analysed = 0;       ///< frames, all reasons

  /// Nothing limits what the report can say.
  [[nodiscard]] bool clear() const;
};

[[nodiscard]] Visibility visibility(const Report& report);

/// "116, all analysed"
[[nodiscard]] std::string packets(const Report& report);
/// "3 not_ip (no IP packet in the frame)", one for each reason that occurred.
[[nodiscard]] std::vector<std::string> not_analysed_reasons(const Report& report);
/// How many lookups, connections, requests there are.
[[nodiscard]] std::string contents(const Report& report);
/// One clause: whether anything limits what the report can say.
[[nodiscard]] std::string sight(const Report& report);
/// What limits it, a line each.
[[nodiscard]] std::vector<std::string> sight_limits(const Report& report);
/// Counters that tell the operator something and are not among the limits.
[[nodiscard]] std::vector<std::string> counter_notes(const Report& report);

}  // namespace wirelag::report
