// The right answers for generated traffic, as a probe that sees every packet passing it can know
// them (docs/metrics.md): computed from what the sender did and why, not by guessing from the
// packets. Times and durations are nanoseconds; kUnknownNs (empty in CSV) where the packets do not
// tell.
#pragma once

#include <cstdio>
#include <span>
#include <string>
#include <vector>

#include <wirelag/base/ip.hpp>

#include "tcp_model.hpp"

namespace wirelag::traffic {

struct SideTruth {
  std::uint32_t packets = 0;
  std::uint64_t payload_bytes = 0;
  /// Segments that brought nothing new to the probe, by why the sender sent them; `spurious` when an
  /// ACK that had passed the probe covers them already.
  std::uint32_t handshake = 0, rto = 0, fast = 0, spurious = 0;
  std::uint32_t out_of_order = 0;  ///< first sent, overtaken before the probe
  std::uint64_t missing_bytes = 0;
  TimeNs first_payload_ns = kUnknownNs;
};

struct TcpTruth {
  Endpoint client, server;
  const char* state = "";  ///< as in docs/metrics.md
  const char* close = "";
  TimeNs first_ns = kUnknownNs;
  std::uint32_t syns = 0, syn_acks = 0;
  DurationNs syn_wait_ns = kUnknownNs;
  DurationNs server_half_ns = kUnknownNs;
  DurationNs synack_wait_ns = kUnknownNs;
  DurationNs client_half_ns = kUnknownNs;
  DurationNs connect_ns = kUnknownNs;
  bool ambiguous = false;  ///< a half is unknown because two copies cannot be told apart
  SideTruth side[2];
};

/// When a message (a range of one side's stream) passed the probe.
struct MessageTruth {
  std::uint8_t sender = kClient;
  std::uint32_t begin = 0, end = 0;  ///< stream offsets
  TimeNs first_ns = kUnknownNs;      ///< the earliest of its bytes
  TimeNs whole_ns = kUnknownNs;      ///< all of them, and all before them
};

struct HttpTruth {
  Endpoint client, server;
  std::string target;
  MessageTruth request, response;
};

struct TlsTruth {
  Endpoint client, server;
  std::string sni;
  std::uint16_t version = 0;
  MessageTruth client_hello, server_hello;
};

struct DnsTruth {
  Endpoint client, resolver;
  std::string qname;
  std::uint16_t qtype = 0, id = 0;
  std::uint32_t queries = 0;
  TimeNs first_query_ns = kUnknownNs, last_query_ns = kUnknownNs, response_ns = kUnknownNs;
};

/// Gets every row as soon as it is known; rows die when the call returns.
class TruthSink {
 public:
  virtual ~TruthSink() = default;
  virtual void on_tcp(const TcpTruth&) = 0;
  virtual void on_http(const HttpTruth&) = 0;
  virtual void on_tls(const TlsTruth&) = 0;
  virtual void on_dns(const DnsTruth&) = 0;
};

/// Fills in everything but the endpoints from the connection's `sightings` in order of time, and the
/// times of `messages`. `isn` as in the script.
void judge(std::span<const Sighting> sightings, const std::uint32_t (&isn)[2], bool timestamps,
           TcpTruth& truth, std::span<MessageTruth*> messages);

/// PREFIX.tcp.csv, PREFIX.http.csv, PREFIX.tls.csv and PREFIX.dns.csv with a heading each.
class TruthFiles : public TruthSink {
 public:
  /// Throws std::runtime_error when a file cannot be written.
  explicit TruthFiles(const std::string& prefix);
  ~TruthFiles() override;
  TruthFiles(const TruthFiles&) = delete;
  TruthFiles& operator=(const TruthFiles&) = delete;

  void on_tcp(const TcpTruth& t) override;
  void on_http(const HttpTruth& t) override;
  void on_tls(const TlsTruth& t) override;
  void on_dns(const DnsTruth& t) override;

 private:
  std::FILE* tcp_;
  std::FILE* http_;
  std::FILE* tls_;
  std::FILE* dns_;
};

}  // namespace wirelag::traffic
