#include "visibility.hpp"

#include "words.hpp"

namespace wirelag::report {

bool Visibility::clear() const {
  return one_sided == 0 && midstream == 0 && evicted == 0 && duplicate_frames == 0 &&
         snaplen_cut == 0 && clock_steps_back == 0 && frames_without_time == 0 &&
         link_types_unsupported == 0 && missing_bytes == 0 && transactions_lost == 0 &&
         port_drops == 0 && client_share >= 1.0;
}

Visibility visibility(const Report& report) {
  Visibility v;
  for (const Connection& c : report.data.connections()) {
    ++v.connections;
    // An attempt that nobody answered has one side by nature; it says nothing about the capture.
    const bool unanswered = c.state == ConnectionState::syn_unanswered && !server_not_captured(c);
    v.one_sided += c.one_sided && !unanswered;
    v.midstream += c.state == ConnectionState::midstream || c.state == ConnectionState::no_syn_seen;
    v.evicted += c.end == ConnectionEnd::evicted;
    const std::uint64_t missing = c.half.c2s.missing_bytes + c.half.s2c.missing_bytes;
    v.missing_bytes += missing;
    v.connections_with_holes += missing > 0;
  }
  v.duplicate_frames = report.counters.of(Counter::mirror_duplicates);
  v.snaplen_cut = report.counters.of(Counter::snaplen_cut);
  v.clock_steps_back = report.counters.of(Counter::clock_steps_back);
  v.frames_without_time = report.capture.frames_without_time;
  v.link_types_unsupported = report.accounting.of(NotAnalysed::link_type_unsupported);
  v.transactions_lost = report.counters.of(Counter::transactions_shed) + report.data.dropped() +
                        report.capture.transactions_dropped;
  v.port_drops = report.capture.port_drops;
  v.client_share = report.capture.client_share;
  for (const std::uint64_t n : report.accounting.not_analysed) v.not_analysed += n;
  return v;
}

}  // namespace wirelag::report
