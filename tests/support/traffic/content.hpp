// What the packets carry: byte streams with real protocol heads and filler between them, and DNS
// messages. Filler is never stored per connection.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <wirelag/base/types.hpp>

#include "random.hpp"

namespace wirelag::traffic {

using Octets = std::vector<std::uint8_t>;

/// One direction of a connection.
class Content {
 public:
  void clear() { pieces_.clear(), literals_.clear(), size_ = 0; }
  void literal(std::string_view text);
  void literal(const Octets& octets) { literal(as_text(octets)); }
  void filler(std::uint32_t bytes);
  /// A TLS record with filler as its payload, cut into records of at most 16 KiB.
  void tls_records(std::uint8_t type, std::uint32_t bytes);

  [[nodiscard]] std::uint32_t size() const { return size_; }
  /// The bytes from `offset` on.
  void copy(std::uint32_t offset, std::span<std::uint8_t> out) const;
  [[nodiscard]] std::size_t memory_bytes() const {
    return pieces_.capacity() * sizeof(Piece) + literals_.capacity();
  }

 private:
  static constexpr std::uint32_t kFiller = UINT32_MAX;
  struct Piece {
    std::uint32_t begin;    ///< offset in the stream
    std::uint32_t literal;  ///< its place in literals_, or kFiller
  };
  std::vector<Piece> pieces_;
  Octets literals_;
  std::uint32_t size_ = 0;
};

/// TLS handshake records (RFC 8446, RFC 5246).
Octets tls_client_hello(std::string_view sni, bool tls13, Random& random);
Octets tls_server_hello(bool tls13, Random& random);
/// TLS 1.2: Certificate of about `bytes`, ServerKeyExchange and ServerHelloDone.
Octets tls12_server_flight(std::uint32_t bytes, Random& random);

/// DNS messages (RFC 1035). `addresses`: four or sixteen bytes each.
Octets dns_query(std::uint16_t id, std::string_view name, std::uint16_t qtype);
Octets dns_response(std::uint16_t id, std::string_view name, std::uint16_t qtype,
                    const std::vector<Octets>& addresses);

}  // namespace wirelag::traffic
