#include "hello.hpp"

#include <algorithm>
#include <array>

#include <wirelag/base/cursor.hpp>

namespace wirelag::tls {
namespace {

enum Extension : std::uint16_t {
  server_name = 0,
  alpn = 16,
  pre_shared_key = 41,
  early_data = 42,
  supported_versions = 43,
  encrypted_client_hello = 0xfe0d,
};

// SHA-256 of "HelloRetryRequest", RFC 8446 section 4.1.3
constexpr std::array<std::uint8_t, 32> kRetryRandom = {
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};

constexpr bool is_grease(std::uint16_t value) { return (value & 0x0f0f) == 0x0a0a; }

/// Orders versions by age: the drafts of 1.3 lie between 1.2 and 1.3.
constexpr std::uint32_t age(std::uint16_t version) {
  if (version == kTls13 || !is_tls13(version)) return std::uint32_t{version} << 8;
  return 0x0303U << 8 | (version & 0xffU);
}

Bytes vector8(ByteCursor& in) { return in.bytes(in.u8()); }
Bytes vector16(ByteCursor& in) { return in.bytes(in.u16()); }

/// Of a cut message those that are there.
template <class F>
void for_each_extension(ByteCursor& in, bool cut, F f) {
  const std::size_t length = in.u16();
  ByteCursor extensions(cut ? in.rest() : in.bytes(length));
  while (extensions.remaining() > 0) {
    const std::uint16_t type = extensions.u16();
    const Bytes data = vector16(extensions);
    if (!extensions.ok()) return;
    f(type, data);
  }
}

Bytes host_name(Bytes extension) {
  ByteCursor outer(extension);
  ByteCursor list(vector16(outer));
  while (list.remaining() > 0) {
    const bool is_host = list.u8() == 0;
    const Bytes name = vector16(list);
    if (is_host && list.ok()) return name;
  }
  return {};
}

Bytes alpn_names(Bytes extension) {
  ByteCursor in(extension);
  return vector16(in);
}

/// The highest version on the list; `fallback` when none is on it.
std::uint16_t highest_version(Bytes extension, std::uint16_t fallback) {
  ByteCursor outer(extension);
  ByteCursor list(vector8(outer));
  std::uint16_t highest = 0;
  while (list.remaining() >= 2) {
    const std::uint16_t version = list.u16();
    if (!is_grease(version) && age(version) > age(highest)) highest = version;
  }
  return highest != 0 ? highest : fallback;
}

}  // namespace

std::uint16_t shortest_finished_record(std::uint16_t cipher) {
  constexpr std::uint16_t kAes256GcmSha384 = 0x1302, kAes128Ccm8Sha256 = 0x1305;
  const bool sha384 = cipher == kAes256GcmSha384;
  const bool short_tag = cipher < 0x1301 || cipher >= kAes128Ccm8Sha256;  // or not known
  return static_cast<std::uint16_t>(4 + (sha384 ? 48 : 32) + 1 + (short_tag ? 8 : 16));
}

ClientHello parse_client_hello(Bytes body, bool cut) {
  ClientHello hello;
  ByteCursor in(body);
  const std::uint16_t version = in.u16();
  if (!cut) hello.version = version;
  in.skip(32);         // random
  (void)vector8(in);   // session id
  (void)vector16(in);  // cipher suites
  (void)vector8(in);   // compression methods
  if (!in.ok()) return hello;
  for_each_extension(in, cut, [&](std::uint16_t type, Bytes data) {
    switch (type) {
      case server_name: hello.sni = host_name(data); break;
      case alpn: hello.alpn = alpn_names(data); break;
      case pre_shared_key: hello.psk_offered = true; break;
      case early_data: hello.early_data_offered = true; break;
      case encrypted_client_hello: hello.ech_offered = true; break;
      case supported_versions:
        if (!cut) hello.version = highest_version(data, hello.version);
        break;
      default: break;
    }
  });
  return hello;
}

ServerHello parse_server_hello(Bytes body, bool cut) {
  ServerHello hello;
  ByteCursor in(body);
  hello.cut = cut;
  hello.version = in.u16();
  const Bytes random = in.bytes(kRetryRandom.size());
  hello.retry = std::ranges::equal(random, kRetryRandom);
  // Up to draft 21 a TLS 1.3 ServerHello named its version here and had no session id and
  // compression.
  const bool early_draft = is_tls13(hello.version);
  if (!early_draft) (void)vector8(in);
  hello.cipher = in.u16();
  if (!early_draft) in.skip(1);
  // TLS 1.3 says so in an extension only.
  if (cut && hello.version == kTls12) hello.version = 0;
  if (!in.ok()) return hello;
  for_each_extension(in, cut, [&](std::uint16_t type, Bytes data) {
    ByteCursor value(data);
    switch (type) {
      case alpn: hello.alpn = alpn_names(data); break;
      case pre_shared_key: hello.psk_selected = true; break;
      case supported_versions:
        if (const std::uint16_t version = value.u16(); value.ok()) hello.version = version;
        break;
      default: break;
    }
  });
  return hello;
}

std::optional<ClientHello> parse_ssl2_client_hello(Bytes record) {
  ByteCursor in(record);
  if (in.u8() != 1) return std::nullopt;
  ClientHello hello;
  hello.version = in.u16();
  if (!in.ok() || (hello.version != kSsl2 && hello.version >> 8 != 3)) return std::nullopt;
  return hello;
}

bool is_ssl2_server_hello(Bytes record) {
  ByteCursor in(record);
  const std::uint8_t type = in.u8();
  in.skip(2);  // session id hit, certificate type
  return type == 4 && in.u16() == kSsl2;
}

}  // namespace wirelag::tls
