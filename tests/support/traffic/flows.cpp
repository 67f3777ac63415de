#include <algorithm>

#include "sources.hpp"

namespace wirelag::traffic {
namespace {

/// Flow i: 10.x.x.x:port -> one of 256 servers. Openings overlap: SYN of flow i, SYN-ACK of flow
/// i - lag, ACK of flow i - 2 lag. Then each flow in turn sends its first request, then its first response;
/// afterwards every packet belongs to a random flow. Its turns alternate between a request and a response that
/// acknowledges it. Four bytes of state per flow.
class Flows : public Source {
 public:
  Flows(const FlowsOptions& options, TruthSink* truth)
      : options_(options),
        truth_(truth),
        random_(options.seed, options.flows),
        lag_(std::clamp(options.flows / 4, 1U, 20'000U)),
        turns_(options.flows, 0) {}

  bool next(TimedFrame& out) override {
    if (sent_ == options_.packets) return false;
    out.time_ns = options_.begin_ns + options_.gap_ns * static_cast<DurationNs>(sent_);
    out.bytes = sent_ < opening_packets(options_) ? opening() : data();
    ++sent_;
    return true;
  }

 private:
  /// Steps through (slot, phase): at slot n the SYN of n, the SYN-ACK of n - lag, the ACK of n - 2 lag.
  Bytes opening() {
    for (;;) {
      const std::uint32_t behind = phase_ * lag_;
      const bool there = slot_ >= behind && slot_ - behind < options_.flows;
      const std::uint32_t flow = slot_ - behind;
      const unsigned phase = phase_;
      if (++phase_ == 3) phase_ = 0, ++slot_;
      if (!there) continue;
      TcpSegment t;
      t.flags = phase == 0 ? kSyn : phase == 1 ? kSyn | kAck : kAck;
      if (phase < 2) t.mss = 1460, t.window_scale = 7, t.sack_permitted = true;
      if (phase == 2 && truth_ != nullptr) tell(flow);
      t.seq = isn(flow, phase == 1) + (phase == 2 ? 1 : 0);
      t.ack = phase == 0 ? 0 : isn(flow, phase != 1) + 1;
      return packet(flow, phase == 1, t, 0);
    }
  }
  Bytes data() {
    const std::uint64_t in_turn = sent_ - opening_packets(options_);
    const auto flow = static_cast<std::uint32_t>(in_turn < first_data_packets(options_)
                                                     ? in_turn % options_.flows
                                                     : random_.below(options_.flows));
    const std::uint32_t turn = turns_[flow]++;
    const bool down = (turn & 1) != 0;
    const std::uint32_t up_bytes = (turn + 1) / 2 * options_.payload_bytes;
    const std::uint32_t down_bytes = turn / 2 * options_.payload_bytes;
    TcpSegment t;
    t.flags = kAck | kPsh;
    t.seq = isn(flow, down) + 1 + (down ? down_bytes : up_bytes);
    t.ack = isn(flow, !down) + 1 + (down ? up_bytes : down_bytes);
    return packet(flow, down, t, options_.payload_bytes);
  }
  Bytes packet(std::uint32_t flow, bool down, TcpSegment& t, std::size_t payload) {
    const auto ms = static_cast<std::uint32_t>(options_.gap_ns * static_cast<DurationNs>(sent_) /
                                               kMillisecondNs);
    t.window = 65535, t.timestamps = true, t.tsval = ms, t.tsecr = (t.flags & kAck) != 0 ? ms : 0;
    const Endpoint c = client(flow), s = server(flow);
    return frame_.tcp(down ? s : c, down ? c : s, t, payload, [](std::span<std::uint8_t> out) {
      std::fill(out.begin(), out.end(), std::uint8_t{0xa5});
    });
  }

  [[nodiscard]] static std::uint32_t isn(std::uint32_t flow, bool down) {
    return flow * 2654435761U + (down ? 0x80000000U : 0U);
  }
  [[nodiscard]] static Endpoint client(std::uint32_t flow) {
    const std::uint32_t host = flow >> 4;
    const std::uint8_t ip[4] = {10, static_cast<std::uint8_t>(host >> 16),
                                static_cast<std::uint8_t>(host >> 8),
                                static_cast<std::uint8_t>(host)};
    return {IpAddress::v4(ip), static_cast<std::uint16_t>(20'000 + (flow & 15) * 997)};
  }
  [[nodiscard]] static Endpoint server(std::uint32_t flow) {
    const std::uint8_t ip[4] = {198, 18, 0, static_cast<std::uint8_t>(flow)};
    return {IpAddress::v4(ip), 4433};
  }

  /// How many frames come before this flow's SYN (0), SYN-ACK (1) or ACK (2).
  [[nodiscard]] std::uint64_t position(std::uint32_t flow, unsigned phase) const {
    const std::int64_t slot = std::int64_t{flow} + std::int64_t{phase} * lag_;
    std::int64_t before = 0;
    for (unsigned p = 0; p < 3; ++p) {
      const std::int64_t reached = slot - std::int64_t{p} * lag_ + (p < phase ? 1 : 0);
      before += std::clamp<std::int64_t>(reached, 0, options_.flows);
    }
    return static_cast<std::uint64_t>(before);
  }
  [[nodiscard]] TimeNs time_of(std::uint32_t flow, unsigned phase) const {
    return options_.begin_ns + options_.gap_ns * static_cast<DurationNs>(position(flow, phase));
  }
  void tell(std::uint32_t flow) {
    TcpTruth t;
    t.client = client(flow), t.server = server(flow);
    t.state = "complete", t.close = "open";
    t.first_ns = time_of(flow, 0);
    t.syns = t.syn_acks = 1;
    t.syn_wait_ns = t.synack_wait_ns = 0;
    t.server_half_ns = time_of(flow, 1) - time_of(flow, 0);
    t.client_half_ns = time_of(flow, 2) - time_of(flow, 1);
    t.connect_ns = t.server_half_ns + t.client_half_ns;
    truth_->on_tcp(t);
  }

  FlowsOptions options_;
  TruthSink* truth_;
  Random random_;
  std::uint32_t lag_;
  std::vector<std::uint32_t> turns_;
  std::uint64_t sent_ = 0;
  std::uint32_t slot_ = 0;
  unsigned phase_ = 0;
  FrameBytes frame_;
};

}  // namespace

std::unique_ptr<Source> flows(const FlowsOptions& options, TruthSink* truth) {
  return std::make_unique<Flows>(options, truth);
}

}  // namespace wirelag::traffic
