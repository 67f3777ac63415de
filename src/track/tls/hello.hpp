// What a ClientHello and a ServerHello say: pure functions over one whole handshake message's body.
// SSL 3 to TLS 1.3 with its drafts, and SSL 2's hellos. RFC 8446 section 4.1, RFC 5246
// section 7.4.1, RFC 6066 section 3 (SNI), RFC 7301 (ALPN), RFC 8701 (GREASE), RFC 9849 (ECH), RFC 6101
// appendix E (SSL 2).
#pragma once

#include <optional>

#include <wirelag/base/types.hpp>

namespace wirelag::tls {

inline constexpr std::uint16_t kSsl2 = 0x0002;
inline constexpr std::uint16_t kTls12 = 0x0303;
inline constexpr std::uint16_t kTls13 = 0x0304;

/// The shortest record that can hold a TLS 1.3 Finished: message header, verify_data of the suite's
/// hash, content type, the suite's tag (RFC 8446 sections 4.4.4, 5.2 and B.4). Padding only adds.
[[nodiscard]] std::uint16_t shortest_finished_record(std::uint16_t cipher);

/// TLS 1.3 or one of its drafts (0x7fNN, and Facebook's 0xfbNN).
[[nodiscard]] constexpr bool is_tls13(std::uint16_t version) {
  return version == kTls13 || version >> 8 == 0x7f || version >> 8 == 0xfb;
}

/// All views point into the message. What a damaged message does not hold stays at its default.
struct ClientHello {
  std::uint16_t version = 0;  ///< highest offered
  bool psk_offered = false;
  bool early_data_offered = false;
  bool ech_offered = false;
  Bytes sni;
  Bytes alpn;  ///< protocol name list: length, name, length, name, ...
};

struct ServerHello {
  std::uint16_t version = 0;
  std::uint16_t cipher = 0;
  bool retry = false;  ///< it is a HelloRetryRequest
  bool psk_selected = false;
  bool cut = false;  ///< only its beginning was captured
  Bytes alpn = {};   ///< as in ClientHello; one name
};

/// `cut`: the body is only the beginning of the message. What may stand behind it is not told: no
/// version of a ClientHello, and of a ServerHello none but TLS 1.3 or one before 1.2.
[[nodiscard]] ClientHello parse_client_hello(Bytes body, bool cut = false);
[[nodiscard]] ServerHello parse_server_hello(Bytes body, bool cut = false);

/// The shortest beginning of a ServerHello that tells it from a HelloRetryRequest: version, random.
inline constexpr std::size_t kTellingServerHello = 2 + 32;

/// SSL 2 records: a ClientHello (type 1), which may ask for any later version, or SSL 2's own
/// ServerHello (type 4). Nothing else is known in an SSL 2 record.
[[nodiscard]] std::optional<ClientHello> parse_ssl2_client_hello(Bytes record);
[[nodiscard]] bool is_ssl2_server_hello(Bytes record);

/// Calls `f(std::string_view)` for every protocol name in a list, GREASE left out, until it says
/// false.
template <class F>
void for_each_alpn(Bytes names, F f) {
  while (!names.empty()) {
    const std::size_t length = names[0];
    if (length == 0 || length >= names.size()) return;
    const Bytes name = names.subspan(1, length);
    const bool grease = length == 2 && (name[0] & 0x0f) == 0x0a && name[0] == name[1];
    if (!grease && !f(as_text(name))) return;
    names = names.subspan(1 + length);
  }
}

}  // namespace wirelag::tls
