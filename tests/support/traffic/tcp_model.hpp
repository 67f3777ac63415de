// One TCP connection played between two hosts, with a probe on the path between them:
//
//   client --(client_delay)-- probe --(server_delay)-- server
//
// Both ends send by slow start and congestion avoidance (RFC 5681), recover by fast retransmit after
// three duplicate ACKs and, for further holes, by partial ACKs (RFC 6582), and by a retransmission
// timer of one round trip + 200 ms that doubles (RFC 6298); they delay ACKs, carry timestamps
// (RFC 7323) and one SACK block (RFC 2018). Packets are lost before or after the probe and may be
// overtaken. What passes the probe, with why it was sent, is what truth.hpp reads.
#pragma once

#include <vector>

#include "random.hpp"

namespace wirelag::traffic {

inline constexpr std::uint8_t kClient = 0, kServer = 1;
inline constexpr std::uint8_t kFin = 1, kSyn = 2, kRst = 4, kPsh = 8, kAck = 16;
inline constexpr std::uint16_t kMss = 1448;  ///< 1460 less the timestamps

/// Why a segment was sent.
enum class Cause : std::uint8_t { first, handshake, rto, fast };

/// A packet passing the probe. TCP: `seq`, `ack` as on the wire. DNS: `seq` is the message's place
/// in the story's messages.
struct Sighting {
  TimeNs time_ns = 0;
  std::uint32_t seq = 0;
  std::uint32_t ack = 0;
  std::uint32_t tsval = 0;
  std::uint32_t tsecr = 0;
  std::uint32_t sack_begin = 0;  ///< equal to sack_end: none
  std::uint32_t sack_end = 0;
  std::uint16_t length = 0;  ///< of the payload
  std::uint8_t flags = 0;
  std::uint8_t sender = kClient;
  std::uint8_t flow = 0;  ///< 0 = the connection, else the DNS socket with this number
  Cause cause = Cause::first;
  std::uint8_t copy = 0;     ///< of a SYN or SYN-ACK: which one, from 1
  std::uint8_t answers = 0;  ///< the copy of the peer's SYN or SYN-ACK that this one answers
};

/// `bytes` are sent by `sender`, `wait_ns` after the step before has arrived.
struct Step {
  std::uint8_t sender = kClient;
  std::uint32_t bytes = 0;
  DurationNs wait_ns = 0;
};

enum class Opening : std::uint8_t { accepted, refused, silent };
enum class Ending : std::uint8_t { fin_client, fin_server, rst_client, rst_server };

struct TcpScript {
  Opening opening = Opening::accepted;
  Ending ending = Ending::fin_client;
  DurationNs linger_ns = 0;  ///< last step -> close
  std::vector<Step> steps;
  bool timestamps = true;
  DurationNs client_delay_ns = kMillisecondNs;
  DurationNs server_delay_ns = kMillisecondNs;
  DurationNs jitter_ns = 20 * kMicrosecondNs;
  double loss = 0;     ///< share of packets, half of them before the probe
  double reorder = 0;  ///< share of data segments that are overtaken before the probe
  std::uint64_t bits_per_s = 1'000'000'000;
  std::uint32_t isn[2] = {0, 0};
  std::uint32_t ts_base[2] = {0, 0};
  unsigned syn_tries = 4;
};

/// Reused for one connection after the other.
class TcpModel {
 public:
  /// Appends what passes the probe to `out`, in order of time within each direction only.
  void play(const TcpScript& script, TimeNs start_ns, Random& random, std::vector<Sighting>& out);

 private:
  static constexpr TimeNs kNever = INT64_MAX;

  /// Offsets are bytes after the SYN; the FIN is one more byte at the end.
  struct End {
    std::uint32_t una = 0, nxt = 0, queued = 0;
    std::vector<std::uint32_t> ends;  ///< of the segments sent
    bool fin_wanted = false, fin_sent = false, dead = false, open = false;
    std::uint32_t cwnd = 10, ssthresh = 1U << 16, grown = 0, duplicate_acks = 0, recover = 0;
    bool recovering = false;
    Cause cause = Cause::first;
    unsigned backoff = 0;
    TimeNs timer_ns = kNever;
    bool timer_queued = false;
    std::uint32_t received = 0;
    std::vector<std::pair<std::uint32_t, std::uint32_t>> beyond;  ///< received out of order
    std::uint32_t ts_recent = 0;
    unsigned unacknowledged = 0;
    TimeNs ack_due_ns = kNever;
    std::uint8_t copies = 0, answers = 0;
    TimeNs link_free_ns = 0, at_probe_ns = 0, at_peer_ns = 0;  ///< of what this end has sent
  };
  enum class What : std::uint8_t { arrival, timer, delayed_ack, step, handshake_timer, close };
  struct Event {
    TimeNs time_ns;
    std::uint32_t order;
    What what;
    std::uint8_t side;
    Sighting segment;
    /// For a heap whose top is the earliest.
    bool operator<(const Event& o) const {
      return time_ns != o.time_ns ? time_ns > o.time_ns : order > o.order;
    }
  };

  void at(TimeNs time_ns, What what, std::uint8_t side, const Sighting& segment = {});
  void handle(const Event& event);
  void send_opening(std::uint8_t side, Cause cause);
  void send_segment(std::uint8_t side, std::uint32_t offset, std::uint32_t length, Cause cause);
  void send_ack(std::uint8_t side, bool out_of_order = false);
  void send_reset(std::uint8_t side, std::uint32_t seq);
  void travel(std::uint8_t side, Sighting segment);
  void pump(std::uint8_t side);
  void resend(std::uint8_t side, Cause cause);
  void arm(std::uint8_t side);
  void on_arrival(std::uint8_t side, const Sighting& segment);
  bool on_opening(std::uint8_t side, const Sighting& segment);
  void on_ack(std::uint8_t side, const Sighting& segment);
  void on_data(std::uint8_t side, const Sighting& segment);
  void on_timer(std::uint8_t side);
  void begin_step();
  void progress(std::uint8_t side);
  void close(std::uint8_t side);
  [[nodiscard]] std::uint32_t ts_now(std::uint8_t side) const;
  [[nodiscard]] DurationNs rtt_ns() const;

  const TcpScript* script_ = nullptr;
  Random* random_ = nullptr;
  std::vector<Sighting>* out_ = nullptr;
  TimeNs now_ = 0;
  std::uint32_t order_ = 0;
  std::size_t step_ = 0;
  bool step_sent_ = false;
  std::uint32_t sent_by_[2] = {0, 0};
  End end_[2];
  std::vector<Event> events_;
};

}  // namespace wirelag::traffic
