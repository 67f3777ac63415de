#include "truth.hpp"

#include <algorithm>
#include <stdexcept>

namespace wirelag::traffic {
namespace {

/// Sequence space that one side has shown to the probe, as offsets from its SYN's own place (0).
class Shown {
 public:
  /// True when [begin, end) has nothing new.
  bool add(std::uint32_t begin, std::uint32_t end) {
    if (begin >= highest_) {
      if (begin > highest_) holes_.emplace_back(highest_, begin);
      highest_ = std::max(highest_, end);
      return false;
    }
    std::vector<std::pair<std::uint32_t, std::uint32_t>> left;
    bool filled = end > highest_;
    for (const auto& [b, e] : holes_) {
      if (end <= b || begin >= e) {
        left.emplace_back(b, e);
        continue;
      }
      filled = true;
      if (b < begin) left.emplace_back(b, begin);
      if (end < e) left.emplace_back(end, e);
    }
    holes_ = std::move(left);
    highest_ = std::max(highest_, end);
    return !filled;
  }
  [[nodiscard]] std::uint32_t highest() const { return highest_; }
  /// Everything below has been shown.
  [[nodiscard]] std::uint32_t whole() const {
    std::uint32_t whole = highest_;
    for (const auto& hole : holes_) whole = std::min(whole, hole.first);
    return whole;
  }
  [[nodiscard]] std::uint64_t missing() const {
    std::uint64_t sum = 0;
    for (const auto& [b, e] : holes_) sum += e - b;
    return sum;
  }

 private:
  std::uint32_t highest_ = 0;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> holes_;
};

struct Judge {
  std::span<const Sighting> sightings;
  const std::uint32_t (&isn)[2];
  bool timestamps;
  TcpTruth& truth;

  [[nodiscard]] const Sighting* first(std::uint8_t sender, std::uint8_t flags) const {
    for (const Sighting& s : sightings) {
      if (s.sender == sender && (s.flags & (kSyn | kAck | kRst)) == flags) return &s;
    }
    return nullptr;
  }
  /// The copy that `answer` answers, when the packets tell which one it was.
  [[nodiscard]] const Sighting* answered_by(const Sighting& answer) const {
    const std::uint8_t wanted = answer.sender == kServer ? kSyn : kSyn | kAck;
    const Sighting* truly = nullptr;
    const Sighting* latest = nullptr;
    const Sighting* told = nullptr;
    unsigned before = 0, echoed = 0;
    for (const Sighting& s : sightings) {
      if (&s == &answer) break;
      if (s.sender == answer.sender || (s.flags & (kSyn | kAck)) != wanted) continue;
      ++before;
      latest = &s;
      if (s.copy == answer.answers) truly = &s;
      if (s.tsval != answer.tsecr) continue;
      ++echoed;
      told = &s;
    }
    if (before == 1) return truly;
    // Of a copy behind which a timer has sent another the echo tells nothing: Linux echoes the first one that it got
    // also when a later one makes it answer again.
    constexpr DurationNs kShortestTimerNs = 200 * kMillisecondNs;
    const bool tells =
        timestamps && echoed == 1 && latest->time_ns - told->time_ns < kShortestTimerNs;
    return tells ? truly : nullptr;
  }
  void handshake() const;
  void data(std::span<MessageTruth*> messages) const;
};

void Judge::handshake() const {
  const Sighting* syn = first(kClient, kSyn);
  const Sighting* syn_ack = first(kServer, kSyn | kAck);
  const Sighting* reset = first(kServer, kRst | kAck);
  if (syn_ack == nullptr) {
    const bool refused = reset != nullptr;
    truth.state = refused ? "refused" : "syn_unanswered";
    return;
  }
  if (const Sighting* answered = answered_by(*syn_ack)) {
    truth.syn_wait_ns = answered->time_ns - syn->time_ns;
    truth.server_half_ns = syn_ack->time_ns - answered->time_ns;
  } else {
    truth.ambiguous = true;
  }
  const auto ack = std::find_if(sightings.begin(), sightings.end(), [&](const Sighting& s) {
    return s.sender == kClient && (s.flags & (kSyn | kAck | kRst)) == kAck;
  });
  truth.state = ack == sightings.end() ? "synack_no_ack" : "complete";
  if (ack == sightings.end()) return;
  truth.connect_ns = ack->time_ns - syn->time_ns;
  if (const Sighting* acked = answered_by(*ack)) {
    truth.synack_wait_ns = acked->time_ns - syn_ack->time_ns;
    truth.client_half_ns = ack->time_ns - acked->time_ns;
  } else {
    truth.ambiguous = true;
  }
}

void Judge::data(std::span<MessageTruth*> messages) const {
  Shown shown[2];
  std::uint32_t acked[2] = {0, 0};  // what of a side's sequence space its peer has acknowledged
  bool fin[2] = {false, false};
  bool reset = false;
  for (const Sighting& s : sightings) {
    const std::uint8_t a = s.sender;
    SideTruth& side = truth.side[a];
    ++side.packets;
    side.payload_bytes += s.length;
    if (s.length > 0 && !known(side.first_payload_ns)) side.first_payload_ns = s.time_ns;
    if ((s.flags & kSyn) != 0) ++(a == kClient ? truth.syns : truth.syn_acks);
    if ((s.flags & kRst) != 0) reset = true;
    if ((s.flags & kRst) != 0) continue;
    if ((s.flags & kAck) != 0) acked[a ^ 1] = std::max(acked[a ^ 1], s.ack - isn[a ^ 1]);
    fin[a] = fin[a] || (s.flags & kFin) != 0;
    const std::uint32_t begin = s.seq - isn[a];
    const std::uint32_t end =
        begin + s.length + ((s.flags & kSyn) != 0 ? 1 : 0) + ((s.flags & kFin) != 0 ? 1 : 0);
    if (begin == end) continue;
    const bool below = begin < shown[a].highest();
    shown[a].add(begin, end);
    for (MessageTruth* m : messages) {
      if (m->sender != a) continue;
      const std::uint32_t low = m->begin + 1, high = m->end + 1;
      if (!known(m->first_ns) && begin < high && low < end) m->first_ns = s.time_ns;
      if (!known(m->whole_ns) && shown[a].whole() >= high) m->whole_ns = s.time_ns;
    }
    if (!below) continue;
    if ((s.flags & kSyn) != 0) {
      ++side.handshake;
    } else if (end <= acked[a]) {
      ++side.spurious;
    } else {
      ++(s.cause == Cause::first  ? side.out_of_order
         : s.cause == Cause::fast ? side.fast
                                  : side.rto);
    }
  }
  for (const std::uint8_t a : {kClient, kServer}) truth.side[a].missing_bytes = shown[a].missing();
  truth.close = reset                          ? "rst"
                : fin[kClient] && fin[kServer] ? "fin_both"
                : fin[kClient]                 ? "fin_client"
                : fin[kServer]                 ? "fin_server"
                                               : "open";
}

void put(std::FILE* f, const Endpoint& e) {
  std::fprintf(f, "%s,%u,", e.ip.text().c_str(), e.port);
}
void put(std::FILE* f, std::int64_t ns, const char* after = ",") {
  if (known(ns)) std::fprintf(f, "%lld", static_cast<long long>(ns));
  std::fputs(after, f);
}
void put(std::FILE* f, const MessageTruth& m, const char* after = ",") {
  put(f, m.first_ns), put(f, m.whole_ns, after);
}

std::FILE* open_csv(const std::string& path, const char* heading) {
  std::FILE* f = std::fopen(path.c_str(), "w");
  if (f == nullptr) throw std::runtime_error("cannot write " + path);
  std::fprintf(f, "%s\n", heading);
  return f;
}

constexpr const char* kWho = "client_ip,client_port,server_ip,server_port,";

}  // namespace

void judge(std::span<const Sighting> sightings, const std::uint32_t (&isn)[2], bool timestamps,
           TcpTruth& truth, std::span<MessageTruth*> messages) {
  truth.first_ns = sightings.front().time_ns;
  const Judge judge{sightings, isn, timestamps, truth};
  judge.handshake();
  judge.data(messages);
}

TruthFiles::TruthFiles(const std::string& prefix)
    : tcp_(open_csv(prefix + ".tcp.csv",
                    (std::string(kWho) +
                     "state,close,first_ns,syns,syn_acks,syn_wait_ns,server_half_ns,synack_wait_ns,"
                     "client_half_ns,connect_ns,ambiguous,"
                     "c2s_packets,c2s_payload_bytes,c2s_handshake,c2s_rto,c2s_fast,c2s_spurious,"
                     "c2s_out_of_order,c2s_missing_bytes,c2s_first_payload_ns,"
                     "s2c_packets,s2c_payload_bytes,s2c_handshake,s2c_rto,s2c_fast,s2c_spurious,"
                     "s2c_out_of_order,s2c_missing_bytes,s2c_first_payload_ns")
                        .c_str())),
      http_(open_csv(prefix + ".http.csv",
                     (std::string(kWho) + "target,request_first_ns,request_whole_ns,"
                                          "response_first_ns,response_whole_ns")
                         .c_str())),
      tls_(open_csv(prefix + ".tls.csv",
                    (std::string(kWho) + "sni,version,client_hello_first_ns,client_hello_whole_ns,"
                                         "server_hello_first_ns,server_hello_whole_ns")
                        .c_str())),
      dns_(open_csv(prefix + ".dns.csv",
                    "client_ip,client_port,resolver_ip,resolver_port,qname,qtype,id,queries,"
                    "first_query_ns,last_query_ns,response_ns")) {}

TruthFiles::~TruthFiles() {
  for (std::FILE* f : {tcp_, http_, tls_, dns_}) std::fclose(f);
}

void TruthFiles::on_tcp(const TcpTruth& t) {
  put(tcp_, t.client), put(tcp_, t.server);
  std::fprintf(tcp_, "%s,%s,", t.state, t.close);
  put(tcp_, t.first_ns);
  std::fprintf(tcp_, "%u,%u,", t.syns, t.syn_acks);
  for (const DurationNs ns :
       {t.syn_wait_ns, t.server_half_ns, t.synack_wait_ns, t.client_half_ns, t.connect_ns}) {
    put(tcp_, ns);
  }
  std::fprintf(tcp_, "%d", t.ambiguous ? 1 : 0);
  for (const SideTruth& s : t.side) {
    std::fprintf(tcp_, ",%u,%llu,%u,%u,%u,%u,%u,%llu,", s.packets,
                 static_cast<unsigned long long>(s.payload_bytes), s.handshake, s.rto, s.fast,
                 s.spurious, s.out_of_order, static_cast<unsigned long long>(s.missing_bytes));
    put(tcp_, s.first_payload_ns, "");
  }
  std::fputc('\n', tcp_);
}

void TruthFiles::on_http(const HttpTruth& t) {
  put(http_, t.client), put(http_, t.server);
  std::fprintf(http_, "%s,", t.target.c_str());
  put(http_, t.request), put(http_, t.response, "\n");
}

void TruthFiles::on_tls(const TlsTruth& t) {
  put(tls_, t.client), put(tls_, t.server);
  std::fprintf(tls_, "%s,%u,", t.sni.c_str(), t.version);
  put(tls_, t.client_hello), put(tls_, t.server_hello, "\n");
}

void TruthFiles::on_dns(const DnsTruth& t) {
  put(dns_, t.client), put(dns_, t.resolver);
  std::fprintf(dns_, "%s,%u,%u,%u,", t.qname.c_str(), t.qtype, t.id, t.queries);
  put(dns_, t.first_query_ns), put(dns_, t.last_query_ns), put(dns_, t.response_ns, "\n");
}

}  // namespace wirelag::traffic
