// How a wave is judged. R = the pair's smallest handshake round trip in the visit, times 1 plus the
// round trips of the TLS handshake.
//
//   waited for        SYN --R-- request          a ready connection would have carried the request
//                                                one R earlier
//   opened for        SYN --R------              the request left on a connection that became free
//   another's request      ^ request elsewhere   first: plausible, at most R
//   spare             SYN --R-- nothing          costs nothing
//
// Surely on the path is a wait whose answer was the last to come before the client went on. A
// request that was under way already and ended later hides the wait: the part it hides saves
// nothing.
#include "late_wave.hpp"

#include <algorithm>

namespace wirelag {
namespace {

/// Round trips of the TLS handshake before the client may send (RFC 8446 section 2, RFC 5246
/// section 7.3); the fewest possible where it was not seen.
DurationNs tls_rounds(const TlsHandshake& t) {
  const bool tls13 = t.version == 0x0304;
  const bool one_round = tls13 || t.version == 0 || t.resumed == TriState::yes;
  return (one_round ? 1 : 2) + (t.hello_retry ? 1 : 0);
}

DurationNs rounds_before_request(const RuleInput& input, std::size_t connection) {
  const std::size_t tls = input.correlation.channels[connection].tls;
  return 1 + (tls == Dataset::kNone ? 0 : tls_rounds(input.data.tls()[tls]));
}

bool waited_for(const RuleInput& input, std::size_t connection) {
  const DurationNs after =
      elapsed_ns(ready_ns(input, connection), first_request_ns(input, connection));
  return known(after) && after <= input.thresholds.http_late_connection.request_after_handshake_ns;
}

bool stayed_spare(const RuleInput& input, std::size_t connection) {
  const Connection& c = input.data.connections()[connection];
  const DurationNs after = elapsed_ns(c.established_time_ns, first_request_ns(input, connection));
  return !known(after) || after > input.thresholds.http_late_connection.speculative_after_ns;
}

class WaveJudge {
 public:
  WaveJudge(const RuleInput& input, const Visit& visit, DurationNs rtt_ns, LateWave& wave)
      : input_(input), http_(input.data.http()), visit_(visit), rtt_ns_(rtt_ns), wave_(wave) {
    opened_ns_ = connection(wave.connections.front()).start_time_ns;
  }

  void judge() {
    for (const std::size_t i : wave_.connections) {
      if (waited_for(input_, i)) wave_.waited.push_back(i);
      if (stayed_spare(input_, i)) wave_.spare.push_back(i);
    }
    if (wave_.waited.empty()) {
      judge_request_elsewhere();
    } else {
      judge_waited();
    }
  }

 private:
  [[nodiscard]] const Connection& connection(std::size_t i) const {
    return input_.data.connections()[i];
  }

  [[nodiscard]] bool on(const std::vector<std::size_t>& connections, std::size_t request) const {
    const std::size_t c = input_.data.connection_index(http_[request].connection);
    return std::find(connections.begin(), connections.end(), c) != connections.end();
  }

  /// Nobody waited for these handshakes. But when every open connection was busy at the SYN, a
  /// request was at hand; if one then left on a connection that became free, before the handshake
  /// was done, that was it, and it had waited since the SYN.
  void judge_request_elsewhere() {
    for (const std::size_t i : wave_.connections) {
      const Channel& channel = input_.correlation.channels[i];
      if (channel.others_open == 0 || channel.others_busy < channel.others_open) continue;
      for (std::size_t n = requests_before(connection(i).start_time_ns + 1);
           n < visit_.requests.size(); ++n) {
        const std::size_t r = visit_.requests[n];
        const HttpTransaction& h = http_[r];
        if (h.server != wave_.server) continue;
        if (h.request_first_ns > connection(i).established_time_ns) break;
        const std::size_t carrier = input_.data.connection_index(h.connection);
        if (carrier == Dataset::kNone || on(wave_.connections, r)) continue;
        const TimeNs carrier_ready = connection(carrier).established_time_ns;
        if (known(carrier_ready) && carrier_ready > connection(i).start_time_ns) continue;
        wave_.elsewhere = r;
        wave_.opened_for = i;
        wave_.high_ns = std::min(rtt_ns_ * rounds_before_request(input_, i),
                                 h.request_first_ns - connection(i).start_time_ns);
        return;
      }
    }
  }

  void judge_waited() {
    DurationNs gain_ns = INT64_MAX;
    bool unreadable = false;
    for (const std::size_t i : wave_.waited) {
      gain_ns = std::min(gain_ns, rtt_ns_ * rounds_before_request(input_, i));
      unreadable = unreadable || input_.correlation.channels[i].http.empty();
    }
    wave_.high_ns = gain_ns;
    if (unreadable) return;  // when its answer came, and what else was under way, cannot be read

    find_answers();
    const TimeNs blocker_ns = last_blocker_ns();
    const TimeNs peer_ns = last_peer_ns();
    if (blocker_ns == kNeverAnswered) return;
    if (!known(answered_last_ns_)) {  // the capture ends first: only a peer could hide the wait
      if (!known(peer_ns)) wave_.low_ns = gain_ns;
      return;
    }
    if (known(peer_ns) && peer_ns > answered_last_ns_ - gain_ns) return;
    if (!known(blocker_ns) || blocker_ns <= answered_last_ns_ - gain_ns) {
      wave_.low_ns = gain_ns;
      return;
    }
    wave_.low_ns = std::max<DurationNs>(0, answered_last_ns_ - blocker_ns);
    if (!went_on_before(blocker_ns)) wave_.high_ns = wave_.low_ns;
  }

  /// When the first requests of the waited connections were answered.
  void find_answers() {
    bool all_answered = true;
    for (const std::size_t i : wave_.waited) {
      const HttpTransaction& h = http_[input_.correlation.channels[i].http.front()];
      if (known(h.response_first_ns) &&
          (!known(answered_first_ns_) || h.response_first_ns < answered_first_ns_)) {
        answered_first_ns_ = h.response_first_ns;
      }
      answered_last_ns_ = std::max(answered_last_ns_, h.response_last_ns);
      all_answered = all_answered && known(h.response_last_ns);
    }
    if (!all_answered) answered_last_ns_ = kUnknownNs;
  }

  /// How many requests of the visit began before `t`.
  [[nodiscard]] std::size_t requests_before(TimeNs t) const {
    const auto& requests = visit_.requests;
    const auto end = std::partition_point(requests.begin(), requests.end(), [&](std::size_t r) {
      return http_[r].request_first_ns < t;
    });
    return static_cast<std::size_t>(end - requests.begin());
  }

  /// When the requests under way at the wave's opening were answered; unknown without any.
  [[nodiscard]] TimeNs last_blocker_ns() const {
    const std::size_t before = requests_before(opened_ns_);
    return before == 0 ? kUnknownNs : visit_.answered_ns[before - 1];
  }

  /// When the last request that began beside the wave was answered; unknown without any. As many of
  /// them as there are spare sockets are what these were opened for: ready connections would have
  /// carried them earlier as well, so they do not count.
  [[nodiscard]] TimeNs last_peer_ns() const {
    TimeNs last = kUnknownNs;
    std::size_t peers = 0;
    for (std::size_t n = requests_before(opened_ns_); n < visit_.requests.size(); ++n) {
      const std::size_t r = visit_.requests[n];
      if (known(answered_last_ns_) && http_[r].request_first_ns >= answered_last_ns_) break;
      if (on(wave_.waited, r)) continue;
      const TimeNs end = http_[r].response_last_ns;
      last = std::max(last, known(end) ? end : kNeverAnswered);
      if (++peers > wave_.spare.size() && last == kNeverAnswered) break;
    }
    return peers > wave_.spare.size() ? last : kUnknownNs;
  }

  /// Whether the client began anything between the wave's first answer and `blocker_ns`: the answer
  /// may have led to it.
  [[nodiscard]] bool went_on_before(TimeNs blocker_ns) const {
    if (!known(answered_first_ns_)) return true;
    if (requests_before(answered_first_ns_) < requests_before(blocker_ns)) return true;
    const auto& opened = visit_.connections;
    const auto next = std::partition_point(opened.begin(), opened.end(), [&](std::size_t i) {
      return connection(i).start_time_ns < answered_first_ns_;
    });
    return next != opened.end() && connection(*next).start_time_ns <= blocker_ns;
  }

  const RuleInput& input_;
  const std::vector<HttpTransaction>& http_;
  const Visit& visit_;
  DurationNs rtt_ns_;
  LateWave& wave_;
  TimeNs opened_ns_;
  TimeNs answered_first_ns_ = kUnknownNs;
  TimeNs answered_last_ns_ = kUnknownNs;
};

/// The smallest handshake round trip; unknown when none was clean.
DurationNs smallest_rtt_ns(const RuleInput& input, const std::vector<std::size_t>& connections) {
  DurationNs smallest = kUnknownNs;
  for (const std::size_t i : connections) {
    const DurationNs rtt = input.data.connections()[i].handshake_rtt_ns;
    if (known(rtt) && (!known(smallest) || rtt < smallest)) smallest = rtt;
  }
  return smallest;
}

/// Whether the visit had asked this server for this name before the connection was opened.
bool contacted_before(const RuleInput& input, const Visit& visit, std::size_t connection) {
  const Connection& c = input.data.connections()[connection];
  const std::string& name = input.correlation.channels[connection].name;
  for (const std::size_t r : visit.requests) {
    const HttpTransaction& h = input.data.http()[r];
    if (h.request_first_ns >= c.start_time_ns) return false;
    if (h.server == c.server && h.host == name) return true;
  }
  return false;
}

}  // namespace

bool judgeable(const Connection& c) {
  return c.state == ConnectionState::complete && !c.one_sided && known(c.established_time_ns);
}

TimeNs ready_ns(const RuleInput& input, std::size_t connection) {
  const Connection& c = input.data.connections()[connection];
  const std::size_t tls = input.correlation.channels[connection].tls;
  if (tls == Dataset::kNone) return c.established_time_ns;
  const TlsHandshake& t = input.data.tls()[tls];
  const DurationNs hello_after = elapsed_ns(c.established_time_ns, t.client_hello_ns);
  const DurationNs limit = input.thresholds.http_late_connection.request_after_handshake_ns;
  if (!known(hello_after) || hello_after > limit) return kUnknownNs;
  return std::max(t.client_finished_ns, t.server_finished_ns);
}

TimeNs first_request_ns(const RuleInput& input, std::size_t connection) {
  const Channel& channel = input.correlation.channels[connection];
  for (const std::size_t i : channel.http) {
    if (known(input.data.http()[i].request_first_ns)) return input.data.http()[i].request_first_ns;
  }
  if (channel.tls != Dataset::kNone) return input.data.tls()[channel.tls].first_client_data_ns;
  return input.data.connections()[connection].half.c2s.first_payload_ns;
}

std::vector<LateWave> find_late_waves(const RuleInput& input, const Visit& visit,
                                      const std::vector<std::size_t>& connections) {
  const std::vector<Connection>& all = input.data.connections();
  const DurationNs rtt_ns = smallest_rtt_ns(input, connections);
  if (!known(rtt_ns)) return {};

  std::vector<LateWave> waves;
  TimeNs wave_ends_ns = kUnknownNs;  // when the first handshake of the current wave is done
  bool wave_is_late = false;
  for (std::size_t n = 0; n < connections.size(); ++n) {
    const std::size_t i = connections[n];
    if (!judgeable(all[i])) continue;
    const bool same_wave = known(wave_ends_ns) && all[i].start_time_ns < wave_ends_ns;
    if (!same_wave) {
      const ChannelPurpose purpose = input.correlation.channels[i].purpose;
      wave_is_late = (n > 0 || contacted_before(input, visit, i)) &&
                     purpose != ChannelPurpose::first_contact &&
                     purpose != ChannelPurpose::retry_after_failure;
      wave_ends_ns = all[i].established_time_ns;
      if (wave_is_late) waves.emplace_back().server = all[i].server;
    }
    if (wave_is_late) waves.back().connections.push_back(i);
  }
  for (LateWave& wave : waves) WaveJudge(input, visit, rtt_ns, wave).judge();
  return waves;
}

}  // namespace wirelag
