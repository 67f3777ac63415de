#include "estimate.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace wirelag {
namespace {

constexpr DurationNs kHourNs = 3600 * kSecondNs;

}  // namespace

std::string in_ms(DurationNs duration_ns) {
  const double ms = static_cast<double>(duration_ns) / kMillisecondNs;
  const int decimals = std::abs(ms) < 10 ? 2 : std::abs(ms) < 1000 ? 1 : 0;
  return fmt::format("{:.{}f} ms", ms, decimals);
}

std::string slow_end(std::size_t samples, DurationNs p95_ns) {
  constexpr std::size_t kEnoughForP95 = 20;
  return (samples < kEnoughForP95 ? "longest " : "p95 ") + in_ms(p95_ns);
}

std::string count_of(std::size_t n, std::string_view thing) {
  return n == 1 ? fmt::format("1 {}", thing)
         : !thing.empty() && thing.back() == 'y'
             ? fmt::format("{} {}ies", n, thing.substr(0, thing.size() - 1))
             : fmt::format("{} {}s", n, thing);
}

void set_confidence(Finding& finding, const Thresholds& thresholds, std::size_t samples,
                    std::string_view sample, std::string_view inferred) {
  const std::size_t for_a = thresholds.confidence.samples_for_a;
  const std::size_t for_b = thresholds.confidence.samples_for_b;
  std::size_t lowered = finding.why_not_higher.empty() ? 0 : 1;
  if (samples < for_a) {
    lowered = std::max<std::size_t>(lowered, samples < for_b ? 2 : 1);
    finding.why_not_higher.push_back(fmt::format(
        "only {} (fewer than {})", count_of(samples, sample), samples < for_b ? for_b : for_a));
  }
  if (!inferred.empty()) {
    lowered = 2;
    finding.why_not_higher.emplace_back(inferred);
  }
  finding.confidence = lowered == 0 ? "A" : lowered == 1 ? "B" : "C";
}

double per_hour(double amount, DurationNs span_ns) {
  return amount / (static_cast<double>(std::max(span_ns, kHourNs)) / kHourNs);
}

std::vector<FrameNumber> handshake_frames(const Connection& c) {
  std::vector<FrameNumber> frames(c.syn_frames.begin(), c.syn_frames.end());
  frames.insert(frames.end(), c.syn_ack_frames.begin(), c.syn_ack_frames.end());
  frames.push_back(c.ack_frame);
  std::erase(frames, 0U);
  return frames;
}

Evidence evidence_of_response(const RuleInput& input, const HttpTransaction& h, std::string what) {
  Evidence e{std::move(what),
             input.data.connection_index(h.connection),
             {h.response_frames.first, h.response_frames.last},
             h.response_first_ns,
             h.transfer_ns()};
  std::erase(e.frames, 0U);
  return e;
}

std::size_t node_of(const Visit& visit, VisitNode::Kind kind, std::size_t item) {
  for (std::size_t i = 0; i < visit.nodes.size(); ++i) {
    if (visit.nodes[i].kind == kind && visit.nodes[i].item == item) return i;
  }
  return Dataset::kNone;
}

std::string tcp_scope(const Endpoint& server) { return "tcp/" + server.text(); }

}  // namespace wirelag
