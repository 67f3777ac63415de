// One access of one user: DNS look-ups for a name, then a connection to one of its addresses, and
// what is done on it. Drawn from the seed and the story's number alone.
#pragma once

#include "content.hpp"
#include "frame_bytes.hpp"
#include "truth.hpp"

namespace wirelag::traffic {

struct MixOptions {
  std::uint64_t seed = 1;
  std::uint32_t connections = 150'000;
  DurationNs starts_ns = 20 * kSecondNs;  ///< the stories begin within this time
  DurationNs life_ns = 10 * kSecondNs;    ///< mean time a connection stays open after its last use
  double ipv6 = 0.15;
  double loss = 0.002;  ///< of the packets of most connections
  double lossy = 0.05;  ///< share of connections with ten times that loss
  double reorder = 0.0005;
  std::uint32_t syn_flood = 0;  ///< SYNs from random sources, spread over the whole time
  TimeNs begin_ns = 1'700'000'000 * kSecondNs;
};

enum class Application : std::uint8_t { tls13, tls12, http1, redis };

class Story {
 public:
  /// `number` counts from 0 and makes addresses and ports unique.
  void write(const MixOptions& options, std::uint32_t number, TimeNs start_ns, TcpModel& model,
             TruthSink* truth);

  [[nodiscard]] bool done() const { return next_ == sightings_.size(); }
  [[nodiscard]] TimeNs next_ns() const { return sightings_[next_].time_ns; }
  /// The next packet's bytes; valid until `frame` is used again.
  Bytes next(FrameBytes& frame);

 private:
  struct DnsSocket {
    Endpoint client;
    std::uint16_t id = 0;
    std::uint16_t qtype = 0;
  };
  struct Exchange {
    std::string target;
    MessageTruth request, response;
  };

  [[nodiscard]] TimeNs look_up(std::uint16_t qtype, TimeNs start_ns, TruthSink* truth);
  void connect(TimeNs start_ns, TcpModel& model, TruthSink* truth);
  void fill(TcpScript& script);
  void http1(TcpScript& script);
  void redis(TcpScript& script);
  void tls(TcpScript& script, bool tls13);
  void say(TcpScript& script, std::uint8_t sender, std::uint32_t bytes, DurationNs wait_ns);
  [[nodiscard]] std::uint32_t object_bytes();
  [[nodiscard]] DurationNs think_ns();
  void tell_truth(TruthSink& truth, std::size_t first, bool timestamps);

  const MixOptions* options_ = nullptr;
  Random random_{0};
  std::uint32_t number_ = 0;
  Application application_ = Application::tls13;
  bool v6_ = false;
  std::uint32_t server_ = 0;
  std::string name_;
  Endpoint client_, server_endpoint_, resolver_;
  Content content_[2];
  std::vector<DnsSocket> sockets_;
  std::vector<Octets> messages_;
  std::vector<Exchange> exchanges_;
  MessageTruth hellos_[2];
  std::uint32_t isn_[2] = {0, 0};
  bool timestamps_ = true;
  std::vector<Sighting> sightings_;
  std::size_t next_ = 0;
};

}  // namespace wirelag::traffic
