#include "losses.hpp"

#include <algorithm>
#include <initializer_list>

#include <fmt/format.h>

#include "estimate.hpp"

namespace wirelag {
namespace {

/// Of these classes together.
std::uint64_t resent(const Impairment& impairment,
                     std::initializer_list<RetransmissionClass> classes) {
  std::uint64_t n = 0;
  for (const RetransmissionClass c : classes) {
    n += impairment.retransmissions[static_cast<std::size_t>(c)];
  }
  return n;
}

class Finder {
 public:
  explicit Finder(const RuleInput& input) : input_(input), timer_(input.thresholds.resend_timer) {}

  Losses run() {
    const Dataset& data = input_.data;
    for (const Channel& channel : input_.correlation.channels) {
      for (const std::size_t i : channel.http) {
        const HttpTransaction& t = data.http()[i];
        add(channel, VisitNode::Kind::request, i, t, i == channel.http.back());
        add_silence(channel, i, t);
      }
      for (const std::size_t i : channel.database) {
        const DatabaseTransaction& t = data.database()[i];
        add(channel, VisitNode::Kind::query, i, t, i == channel.database.back());
      }
    }
    return std::move(losses_);
  }

 private:
  template <class Exchange>
  void add(const Channel& channel, VisitNode::Kind kind, std::size_t item, const Exchange& t,
           bool last) {
    ++losses_.seen;
    const ExchangeStalls& s = t.stalls();
    // Midstream a request may go by before a round trip is known: then of its answer alone.
    if (known(s.request_resend_ns) && known(s.response_resend_ns)) ++losses_.judged;
    if (!known(s.request_resend_ns) && !known(s.response_resend_ns)) return;
    const Connection& c = input_.data.connections()[channel.connection];
    const auto lost = [&](Direction d, DurationNs stall, TimeNs time, const FrameSpan& frames) {
      if (!known(stall) || stall <= 0) return;
      const Resends resends = resends_of(c.half[d]);
      if (resends.lost == 0 && resends.needless > 0) return;
      losses_.found.push_back({channel.connection, kind, item, d, stall, time, frames});
    };
    lost(Direction::c2s, s.request_resend_ns, t.request_first_ns, t.request_frames);
    lost(Direction::s2c, s.response_resend_ns, t.response_first_ns, t.response_frames);
    lost(Direction::s2c, s.earlier_resend_ns, t.request_first_ns, t.request_frames);
    if (last)
      lost(Direction::s2c, after_last_ns(channel, t.response_last_ns), t.response_last_ns,
           t.response_frames);
  }

  void add_silence(const Channel& channel, std::size_t item, const HttpTransaction& t) {
    const TransferShape& s = t.response_shape;
    if (s.flights == 0 || s.bursts != s.flights + 1 || s.resent_segments > 0) return;
    if (!known(s.pause_ns) || !known(s.rtt_ns)) return;
    if (s.pause_ns < timer_.min_ns + s.rtt_ns) return;
    const DurationNs timer_ns = timer_.min_ns + 2 * s.rtt_ns;
    const DurationNs late_ns = s.pause_ns - timer_ns;
    // Timers run late: by a tick, and SRTT is above the smallest round trip.
    const DurationNs may_be_late_ns = timer_.delayed_ack_ns + timer_.tick_ns + s.rtt_ns / 4;
    losses_.silences.push_back({{channel.connection, VisitNode::Kind::request, item, Direction::s2c,
                                 s.pause_ns, t.response_first_ns, t.response_frames},
                                late_ns >= 0 && late_ns <= may_be_late_ns});
  }

  /// The last answer was sent again after all of it had passed.
  [[nodiscard]] DurationNs after_last_ns(const Channel& channel, TimeNs last_ns) const {
    const HalfConnection& half = input_.data.connections()[channel.connection].half.s2c;
    const bool payload = known(half.impairment().lost_until_ns) &&
                         half.impairment().lost_until_ns == half.last_payload_ns;
    return payload ? elapsed_ns(last_ns, half.impairment().lost_until_ns) : kUnknownNs;
  }

  const RuleInput& input_;
  const decltype(Thresholds::resend_timer)& timer_;
  Losses losses_;
};

}  // namespace

Losses find_losses(const RuleInput& input) { return Finder(input).run(); }

Resends resends_of(const HalfConnection& half) {
  using Class = RetransmissionClass;
  const Impairment& impairment = half.impairment();
  const std::uint64_t again = resent(impairment, {Class::rto, Class::fast, Class::tail_probe});
  // The receiver reports these as duplicates, too.
  const std::uint64_t others = resent(impairment, {Class::spurious, Class::fin});
  const std::uint64_t reported = impairment.duplicates_reported;
  const std::uint64_t needless = std::min(again, reported - std::min(reported, others));
  return {again - needless, needless};
}

Evidence evidence_of(const RuleInput& input, const Loss& loss) {
  const Connection& c = input.data.connections()[loss.connection];
  Evidence e{fmt::format("{} {}: silence of {} until the next segment", c.client.text(),
                         loss.direction == Direction::c2s ? "to the server" : "from the server",
                         in_ms(loss.stall_ns)),
             loss.connection,
             {loss.frames.first, loss.frames.last},
             loss.time_ns,
             loss.stall_ns};
  std::erase(e.frames, 0U);
  return e;
}

bool capture_has_holes(const RuleInput& input, const Connection& c) {
  const auto missing = static_cast<double>(c.half.c2s.impairment().missing_bytes +
                                           c.half.s2c.impairment().missing_bytes);
  const auto all = static_cast<double>(c.half.c2s.payload_bytes + c.half.s2c.payload_bytes);
  return missing > input.thresholds.confidence.max_missing_share * all;
}

}  // namespace wirelag
