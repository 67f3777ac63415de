// TLS handshakes over TCP: what the two hellos say and when each flight passed the probe. Only
// bytes that travel in clear text are read; the rest is known by its record type alone.
//
//   open -> hellos -> flights -> first application data of both sides -> emitted, later bytes
//   ignored
//                                                   close() emits earlier what was seen until then
//
// One TlsHandshake per connection, of its first handshake (a renegotiation is encrypted), and none
// for a connection on which neither hello was captured whole.
//
// What the times are (RFC 8446 section 2 and 4, RFC 5246 section 7.3):
//   hellos         when the record that ends the message is complete. After a HelloRetryRequest:
//   the
//                  first ClientHello and the final ServerHello.
//   *_finished     TLS 1.2 and older: the first handshake record behind the side's
//   ChangeCipherSpec.
//                  TLS 1.3, where Finished looks like application data: the server's flight ends
//                  with its last such record before the client's first one that answers it; that
//                  one is the client's. A client that shows a certificate or still sends 0-RTT data
//                  begins its flight there; the end cannot be seen.
//   first_*_data   the first byte of the side's first application data record that is not counted
//   to
//                  its handshake; for 0-RTT data, the client's. A TLS 1.3 server's first record
//                  after the client's Finished may be a session ticket: the two cannot be told
//                  apart.
// `client` is who sent the ClientHello, even when that is the side that accepted the TCP
// connection.
//
// Where the snaplen cut a hello, its times and what was there of it are told: a name that is whole, no
// version that may stand further on. A ServerHello too short to be told from a HelloRetryRequest counts as
// not captured.
//
// Worker thread. Fixed memory: TlsLimits; a hello that is not put together keeps its times and
// lacks its fields, and is counted.
#pragma once

#include <memory>

#include <wirelag/base/counters.hpp>
#include <wirelag/classify/classifier.hpp>
#include <wirelag/track/limits.hpp>
#include <wirelag/track/stream_tracker.hpp>

namespace wirelag {

class TlsTracker final : public StreamTracker {
 public:
  /// `classifier`, `sink` and `counters` outlive the tracker.
  TlsTracker(const TlsLimits& limits, Classifier& classifier, TransactionSink& sink,
             Counters& counters);
  ~TlsTracker() override;

  [[nodiscard]] Handle open(const StreamContext& context) override;
  void on_bytes(Handle handle, const StreamChunk& chunk) override;
  void on_gap(Handle handle, Direction direction, std::uint64_t missing) override;
  void on_cut(Handle handle, const StreamChunk& chunk, std::uint64_t missing) override;
  void on_fin(Handle handle, Direction direction, TimeNs time_ns, FrameNumber frame) override;
  void prefetch(Handle handle, Direction direction) const override;
  [[nodiscard]] StreamInterest interest(Handle handle) const override;
  [[nodiscard]] ServiceId service(Handle handle) const override;
  void close(Handle handle) override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace wirelag
