// Which protocol speaks, from the first bytes of a payload, on any port; and which configured
// service a name belongs to. Both with Hyperscan: databases are compiled once at start and shared
// by all workers (immutable), each worker owns one Classifier with one scratch.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <wirelag/base/result.hpp>
#include <wirelag/base/types.hpp>
#include <wirelag/classify/protocol.hpp>
#include <wirelag/decode/packet.hpp>

namespace wirelag {

/// One [[service]] of the configuration: names that match belong to `service`. First rule wins.
struct ServiceRule {
  std::string service;
  std::string pattern;  ///< Hyperscan regex, case-insensitive, searched in host, SNI or DNS name
};

using ServiceId = std::uint16_t;
inline constexpr ServiceId kNoService = 0;  ///< no rule matched

/// Which side sends a message of this form.
enum class Speaker : std::uint8_t { either, client, server };

struct Recognised {
  Protocol protocol = Protocol::unknown;
  Speaker speaker = Speaker::either;
};

/// How much of a payload or stream a signature looks at.
inline constexpr std::size_t kSignatureBytes = 64;

/// Compiled databases. Control core builds it, workers read it.
class Signatures {
 public:
  /// Fails naming the rule whose pattern Hyperscan does not take, and why.
  static Result<std::shared_ptr<const Signatures>> compile(const std::vector<ServiceRule>& rules);
  ~Signatures();

  /// "" for kNoService. Ids count from 1 in the order of first mention of a service.
  [[nodiscard]] std::string_view service_name(ServiceId id) const;
  [[nodiscard]] std::size_t services() const;

 private:
  friend class Classifier;
  struct State;
  explicit Signatures(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// One per worker; owns the worker's one scratch. No allocation after construction. One thread.
class Classifier {
 public:
  explicit Classifier(std::shared_ptr<const Signatures> signatures);
  ~Classifier();
  Classifier(const Classifier&) = delete;
  Classifier& operator=(const Classifier&) = delete;

  /// The protocol whose message begins at `first_bytes[0]` (at most the first kSignatureBytes are
  /// looked at), Protocol::unknown when none is recognised.
  ///
  /// For TCP these are the bytes of one direction in order from where the stream (or a new protocol
  /// on it) starts. A message may come in pieces ("G", "GET", a length field alone): while the
  /// answer is unknown and fewer than kSignatureBytes are there, collect them and ask again with
  /// all of them when more arrive. With kSignatureBytes the answer is final.
  [[nodiscard]] Recognised recognise(Bytes first_bytes, Transport transport);

  /// The service of a host name, SNI or DNS name. A port (":8080") and a final dot are ignored.
  [[nodiscard]] ServiceId service_of(std::string_view host);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace wirelag
