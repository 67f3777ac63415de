#include "tcp_model.hpp"

#include <algorithm>

namespace wirelag::traffic {
namespace {

constexpr DurationNs kDelayedAckNs = 40 * kMillisecondNs;
constexpr DurationNs kLeastTimeoutNs = 200 * kMillisecondNs;
constexpr unsigned kMostTimeouts = 8;
constexpr unsigned kMostSynAcks = 5;
constexpr std::uint32_t kLargestWindow = 1024;  ///< segments

}  // namespace

void TcpModel::play(const TcpScript& script, TimeNs start_ns, Random& random,
                    std::vector<Sighting>& out) {
  script_ = &script;
  random_ = &random;
  out_ = &out;
  now_ = start_ns;
  order_ = 0;
  step_ = 0;
  step_sent_ = false;
  for (End& end : end_) {
    std::vector<std::uint32_t> ends = std::move(end.ends);
    auto beyond = std::move(end.beyond);
    ends.clear();
    beyond.clear();
    end = End{};
    end.ends = std::move(ends);
    end.beyond = std::move(beyond);
  }
  sent_by_[0] = sent_by_[1] = 0;
  events_.clear();
  send_opening(kClient, Cause::first);
  while (!events_.empty()) {
    std::pop_heap(events_.begin(), events_.end());
    const Event event = events_.back();
    events_.pop_back();
    now_ = event.time_ns;
    handle(event);
  }
}

void TcpModel::at(TimeNs time_ns, What what, std::uint8_t side, const Sighting& segment) {
  events_.push_back({time_ns, order_++, what, side, segment});
  std::push_heap(events_.begin(), events_.end());
}

void TcpModel::handle(const Event& event) {
  End& end = end_[event.side];
  switch (event.what) {
    case What::arrival: on_arrival(event.side, event.segment); break;
    case What::timer: on_timer(event.side); break;
    case What::delayed_ack:
      if (end.ack_due_ns == now_ && !end.dead) send_ack(event.side);
      break;
    case What::step: begin_step(); break;
    case What::handshake_timer:
      if (!end.open && !end.dead && end.copies == event.segment.copy) {
        send_opening(event.side, Cause::handshake);
      }
      break;
    case What::close: close(event.side); break;
  }
}

std::uint32_t TcpModel::ts_now(std::uint8_t side) const {
  return script_->ts_base[side] + static_cast<std::uint32_t>(now_ / kMillisecondNs);
}

DurationNs TcpModel::rtt_ns() const {
  return 2 * (script_->client_delay_ns + script_->server_delay_ns);
}

// --------------------------------------------------------------------------------------- sending

/// The client's SYN or the server's SYN-ACK, and the timer that sends it again.
void TcpModel::send_opening(std::uint8_t side, Cause cause) {
  End& end = end_[side];
  if (end.copies == (side == kClient ? script_->syn_tries : kMostSynAcks)) {
    end.dead = side == kClient;
    return;
  }
  Sighting s;
  s.seq = script_->isn[side];
  s.flags = kSyn;
  s.cause = cause;
  s.copy = ++end.copies;
  if (side == kServer) {
    s.flags |= kAck;
    s.ack = script_->isn[kClient] + 1;
    s.answers = end.answers;
  }
  travel(side, s);
  at(now_ + (kSecondNs << (end.copies - 1)), What::handshake_timer, side, s);
}

void TcpModel::send_segment(std::uint8_t side, std::uint32_t offset, std::uint32_t length,
                            Cause cause) {
  End& end = end_[side];
  const bool fin = end.fin_sent && offset + length == end.queued + 1;
  Sighting s;
  s.seq = script_->isn[side] + 1 + offset;
  s.ack = script_->isn[side ^ 1] + 1 + end.received;
  s.length = static_cast<std::uint16_t>(length - (fin ? 1 : 0));
  s.flags = kAck | (fin ? kFin : 0);
  if (s.length > 0 && offset + s.length == end.queued) s.flags |= kPsh;
  s.cause = cause;
  s.answers = end.answers;
  end.unacknowledged = 0;
  end.ack_due_ns = kNever;
  travel(side, s);
}

void TcpModel::send_ack(std::uint8_t side, bool out_of_order) {
  End& end = end_[side];
  Sighting s;
  s.seq = script_->isn[side] + 1 + end.nxt;
  s.ack = script_->isn[side ^ 1] + 1 + end.received;
  s.flags = kAck;
  s.answers = end.answers;
  if (out_of_order && !end.beyond.empty()) {
    s.sack_begin = script_->isn[side ^ 1] + 1 + end.beyond.back().first;
    s.sack_end = script_->isn[side ^ 1] + 1 + end.beyond.back().second;
  }
  end.unacknowledged = 0;
  end.ack_due_ns = kNever;
  travel(side, s);
}

void TcpModel::send_reset(std::uint8_t side, std::uint32_t seq) {
  Sighting s;
  s.seq = seq;
  s.ack = script_->isn[side ^ 1] + 1 + end_[side].received;
  s.flags = kRst | kAck;
  travel(side, s);
}

/// Through the sender's link, past the probe, to the peer: first come, first served, unless the
/// segment is one that others overtake.
void TcpModel::travel(std::uint8_t side, Sighting s) {
  End& end = end_[side];
  s.sender = side;
  if (script_->timestamps && (s.flags & kRst) == 0) {
    s.tsval = ts_now(side);
    s.tsecr = end.ts_recent;
  }
  const auto on_link_ns =
      static_cast<DurationNs>((s.length + 80ULL) * 8 * kSecondNs / script_->bits_per_s);
  end.link_free_ns = std::max(end.link_free_ns, now_) + on_link_ns;
  const DurationNs before = side == kClient ? script_->client_delay_ns : script_->server_delay_ns;
  const DurationNs after = side == kClient ? script_->server_delay_ns : script_->client_delay_ns;
  const bool lost_before = random_->chance(script_->loss / 2);
  const bool lost_after = random_->chance(script_->loss / 2);
  const bool overtaken = s.length > 0 && random_->chance(script_->reorder);
  s.time_ns = std::max(end.link_free_ns + before + random_->between(0, script_->jitter_ns),
                       end.at_probe_ns + 1);
  if (lost_before) return;
  if (overtaken) {
    s.time_ns += random_->between(0, std::min(rtt_ns() / 6, 2 * kMillisecondNs));
  } else {
    end.at_probe_ns = s.time_ns;
  }
  out_->push_back(s);
  if (lost_after) return;
  TimeNs arrives = s.time_ns + after + random_->between(0, script_->jitter_ns);
  if (!overtaken) {
    arrives = std::max(arrives, end.at_peer_ns + 1);
    end.at_peer_ns = arrives;
  }
  at(arrives, What::arrival, side ^ 1, s);
}

void TcpModel::pump(std::uint8_t side) {
  End& end = end_[side];
  if (!end.open || end.dead) return;
  while (end.nxt < end.queued && end.nxt - end.una < end.cwnd * kMss) {
    const std::uint32_t length = std::min<std::uint32_t>(kMss, end.queued - end.nxt);
    const std::uint32_t offset = end.nxt;
    end.nxt += length;
    end.ends.push_back(end.nxt);
    send_segment(side, offset, length, Cause::first);
  }
  if (end.fin_wanted && !end.fin_sent && end.nxt == end.queued) {
    end.fin_sent = true;
    ++end.nxt;
    end.ends.push_back(end.nxt);
    send_segment(side, end.nxt - 1, 1, Cause::first);
  }
  if (end.timer_ns == kNever) arm(side);
}

/// The oldest segment that is not acknowledged.
void TcpModel::resend(std::uint8_t side, Cause cause) {
  End& end = end_[side];
  const auto next = std::upper_bound(end.ends.begin(), end.ends.end(), end.una);
  if (next != end.ends.end()) send_segment(side, end.una, *next - end.una, cause);
}

void TcpModel::arm(std::uint8_t side) {
  End& end = end_[side];
  if (end.una == end.nxt) {
    end.timer_ns = kNever;
    return;
  }
  end.timer_ns = std::max(now_, end.link_free_ns) + ((rtt_ns() + kLeastTimeoutNs) << end.backoff);
  if (end.timer_queued) return;
  end.timer_queued = true;
  at(end.timer_ns, What::timer, side);
}

void TcpModel::on_timer(std::uint8_t side) {
  End& end = end_[side];
  end.timer_queued = false;
  if (end.timer_ns == kNever || end.dead) return;
  if (end.timer_ns > now_) {
    end.timer_queued = true;
    at(end.timer_ns, What::timer, side);
    return;
  }
  if (++end.backoff > kMostTimeouts) {
    end.dead = true;
    return;
  }
  end.ssthresh = std::max((end.nxt - end.una) / kMss / 2, 2U);
  end.cwnd = 1;
  end.recovering = true;
  end.cause = Cause::rto;
  end.recover = end.nxt;
  end.duplicate_acks = 0;
  resend(side, Cause::rto);
  arm(side);
}

// ------------------------------------------------------------------------------------- receiving

void TcpModel::on_arrival(std::uint8_t side, const Sighting& s) {
  End& end = end_[side];
  if ((s.flags & kRst) != 0) {
    end.dead = true;
    end.timer_ns = kNever;
    return;
  }
  if (end.dead) {
    if ((s.flags & kSyn) == 0 && (s.length > 0 || (s.flags & kFin) != 0)) send_reset(side, s.ack);
    return;
  }
  if (on_opening(side, s)) return;
  if (s.seq - (script_->isn[side ^ 1] + 1) <= end.received) end.ts_recent = s.tsval;
  on_ack(side, s);
  if (s.length > 0 || (s.flags & kFin) != 0) on_data(side, s);
  pump(side);
}

/// True when the segment has done its work.
bool TcpModel::on_opening(std::uint8_t side, const Sighting& s) {
  End& end = end_[side];
  if ((s.flags & kSyn) == 0) {
    if (!end.open && side == kServer) end.open = true;
    return !end.open;
  }
  if (side == kServer) {
    if (end.open || script_->opening == Opening::silent) return true;
    if (script_->opening == Opening::refused) {
      send_reset(kServer, 0);
      return true;
    }
    end.ts_recent = s.tsval;
    end.answers = s.copy;
    send_opening(kServer, end.copies == 0 ? Cause::first : Cause::handshake);
    return true;
  }
  end.ts_recent = s.tsval;
  end.answers = s.copy;
  send_ack(kClient);
  if (!end.open) {
    end.open = true;
    if (!script_->steps.empty()) at(now_ + script_->steps[0].wait_ns, What::step, kClient);
  }
  return true;
}

void TcpModel::on_ack(std::uint8_t side, const Sighting& s) {
  End& end = end_[side];
  const std::uint32_t acked = s.ack - (script_->isn[side] + 1);
  if (acked > end.nxt) return;
  if (acked > end.una) {
    const std::uint32_t segments = (acked - end.una + kMss - 1) / kMss;
    end.una = acked;
    end.backoff = 0;
    end.duplicate_acks = 0;
    if (end.recovering && end.una < end.recover) {
      resend(side, end.cause);  // the next hole
    } else if (end.recovering) {
      end.recovering = false;
      end.cwnd = end.ssthresh;
    } else if (end.cwnd < end.ssthresh) {
      end.cwnd = std::min(end.cwnd + segments, kLargestWindow);
    } else if ((end.grown += segments) >= end.cwnd) {
      end.grown = 0;
      end.cwnd = std::min(end.cwnd + 1, kLargestWindow);
    }
    arm(side);
    return;
  }
  const bool duplicate = acked == end.una && s.length == 0 && (s.flags & kFin) == 0;
  if (!duplicate || end.una == end.nxt) return;
  ++end.duplicate_acks;
  if (end.recovering) {
    ++end.cwnd;
  } else if (end.duplicate_acks == 3) {
    end.ssthresh = std::max((end.nxt - end.una) / kMss / 2, 2U);
    end.cwnd = end.ssthresh + 3;
    end.recovering = true;
    end.cause = Cause::fast;
    end.recover = end.nxt;
    resend(side, Cause::fast);
    arm(side);
  }
}

void TcpModel::on_data(std::uint8_t side, const Sighting& s) {
  End& end = end_[side];
  const std::uint32_t begin = s.seq - (script_->isn[side ^ 1] + 1);
  const std::uint32_t stop = begin + s.length + ((s.flags & kFin) != 0 ? 1 : 0);
  if (begin > end.received) {
    std::erase(end.beyond, std::pair(begin, stop));
    end.beyond.emplace_back(begin, stop);
    send_ack(side, true);
    return;
  }
  if (stop <= end.received) {
    send_ack(side);
    return;
  }
  end.received = stop;
  const bool filled = !end.beyond.empty();
  for (bool more = filled; more;) {
    more = false;
    for (const auto& [b, e] : end.beyond) {
      if (b > end.received || e <= end.received) continue;
      end.received = e;
      more = true;
    }
  }
  std::erase_if(end.beyond, [&](const auto& range) { return range.second <= end.received; });
  if (filled || ++end.unacknowledged >= 2 || (s.flags & kFin) != 0) {
    send_ack(side, true);
  } else if (end.ack_due_ns == kNever) {
    end.ack_due_ns = now_ + kDelayedAckNs;
    at(end.ack_due_ns, What::delayed_ack, side);
  }
  progress(side);
}

// ----------------------------------------------------------------------------------- application

void TcpModel::begin_step() {
  const Step& step = script_->steps[step_];
  End& end = end_[step.sender];
  if (end.dead || end_[step.sender ^ 1].dead) return;
  step_sent_ = true;
  sent_by_[step.sender] += step.bytes;
  end.queued += step.bytes;
  pump(step.sender);
}

/// `side` has received more: the step may be over, or the peer has closed.
void TcpModel::progress(std::uint8_t side) {
  End& end = end_[side];
  const End& peer = end_[side ^ 1];
  if (peer.fin_sent && end.received == peer.queued + 1) {
    end.fin_wanted = true;
    return;
  }
  if (!step_sent_ || script_->steps[step_].sender == side || end.received < sent_by_[side ^ 1]) {
    return;
  }
  step_sent_ = false;
  if (++step_ < script_->steps.size()) {
    at(now_ + script_->steps[step_].wait_ns, What::step, script_->steps[step_].sender);
    return;
  }
  const bool by_client =
      script_->ending == Ending::fin_client || script_->ending == Ending::rst_client;
  at(now_ + script_->linger_ns, What::close, by_client ? kClient : kServer);
}

void TcpModel::close(std::uint8_t side) {
  End& end = end_[side];
  if (end.dead) return;
  if (script_->ending == Ending::fin_client || script_->ending == Ending::fin_server) {
    end.fin_wanted = true;
    pump(side);
    return;
  }
  send_reset(side, script_->isn[side] + 1 + end.nxt);
  end.dead = true;
  end.timer_ns = kNever;
}

}  // namespace wirelag::traffic
