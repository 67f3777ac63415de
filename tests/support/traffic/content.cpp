#include "content.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace wirelag::traffic {
namespace {

constexpr std::size_t kFillerBytes = 1 << 16;

/// Random bytes, read from any offset, long enough for the largest packet.
const std::array<std::uint8_t, kFillerBytes + 2048>& filler_bytes() {
  static const auto kBytes = [] {
    std::array<std::uint8_t, kFillerBytes + 2048> bytes;
    Random random(0x66696c6c);
    for (std::uint8_t& b : bytes) b = static_cast<std::uint8_t>(random.next());
    return bytes;
  }();
  return kBytes;
}

/// Appends big-endian numbers and remembers lengths to be filled in.
class Writer {
 public:
  explicit Writer(Octets& out) : out_(out) {}
  void u8(unsigned v) { out_.push_back(static_cast<std::uint8_t>(v)); }
  void u16(unsigned v) { u8(v >> 8), u8(v); }
  void u24(unsigned v) { u8(v >> 16), u16(v & 0xffff); }
  void u32(std::uint32_t v) { u16(v >> 16), u16(v & 0xffff); }
  void text(std::string_view t) { out_.insert(out_.end(), t.begin(), t.end()); }
  void random(Random& random, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) u8(static_cast<unsigned>(random.next()) & 0xff);
  }
  /// A field of `size` bytes that counts what `body` writes.
  template <class Body>
  void counted(std::size_t size, Body&& body) {
    const std::size_t at = out_.size();
    for (std::size_t i = 0; i < size; ++i) u8(0);
    body();
    const std::size_t length = out_.size() - at - size;
    for (std::size_t i = 0; i < size; ++i) {
      out_[at + i] = static_cast<std::uint8_t>(length >> (8 * (size - 1 - i)));
    }
  }

 private:
  Octets& out_;
};

void extension(Writer& w, unsigned type, auto&& body) {
  w.u16(type);
  w.counted(2, body);
}

void name_labels(Writer& w, std::string_view name) {
  while (!name.empty()) {
    const std::size_t dot = std::min(name.find('.'), name.size());
    w.u8(static_cast<unsigned>(dot));
    w.text(name.substr(0, dot));
    name.remove_prefix(std::min(dot + 1, name.size()));
  }
  w.u8(0);
}

}  // namespace

void Content::literal(std::string_view text) {
  pieces_.push_back({size_, static_cast<std::uint32_t>(literals_.size())});
  literals_.insert(literals_.end(), text.begin(), text.end());
  size_ += static_cast<std::uint32_t>(text.size());
}

void Content::filler(std::uint32_t bytes) {
  if (bytes == 0) return;
  pieces_.push_back({size_, kFiller});
  size_ += bytes;
}

void Content::tls_records(std::uint8_t type, std::uint32_t bytes) {
  while (bytes > 0) {
    const std::uint32_t n = std::min(bytes, 16384U);
    const char header[5] = {static_cast<char>(type), 3, 3, static_cast<char>(n >> 8),
                            static_cast<char>(n)};
    literal({header, 5});
    filler(n);
    bytes -= n;
  }
}

void Content::copy(std::uint32_t offset, std::span<std::uint8_t> out) const {
  auto piece = std::upper_bound(pieces_.begin(), pieces_.end(), offset,
                                [](std::uint32_t o, const Piece& p) { return o < p.begin; });
  --piece;
  while (!out.empty()) {
    const auto next = piece + 1;
    const std::uint32_t end = next == pieces_.end() ? size_ : next->begin;
    const std::size_t n = std::min<std::size_t>(out.size(), end - offset);
    const std::uint8_t* from = piece->literal == kFiller
                                   ? &filler_bytes()[offset % kFillerBytes]
                                   : &literals_[piece->literal + (offset - piece->begin)];
    std::memcpy(out.data(), from, n);
    out = out.subspan(n);
    offset += static_cast<std::uint32_t>(n);
    piece = next;
  }
}

// ------------------------------------------------------------------------------------------- TLS

Octets tls_client_hello(std::string_view sni, bool tls13, Random& random) {
  Octets out;
  Writer w(out);
  w.u8(22), w.u16(0x0301);
  w.counted(2, [&] {
    w.u8(1);
    w.counted(3, [&] {
      w.u16(0x0303);
      w.random(random, 32);
      w.counted(1, [&] { w.random(random, 32); });
      w.counted(2, [&] {
        for (const unsigned cipher :
             {0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0x9c}) {
          w.u16(cipher);
        }
      });
      w.counted(1, [&] { w.u8(0); });
      w.counted(2, [&] {
        extension(w, 0,
                  [&] { w.counted(2, [&] { w.u8(0), w.counted(2, [&] { w.text(sni); }); }); });
        extension(w, 10, [&] { w.counted(2, [&] { w.u16(29), w.u16(23); }); });
        extension(w, 13,
                  [&] { w.counted(2, [&] { w.u16(0x0403), w.u16(0x0804), w.u16(0x0401); }); });
        extension(w, 16, [&] {
          w.counted(2, [&] {
            w.counted(1, [&] { w.text("h2"); });
            w.counted(1, [&] { w.text("http/1.1"); });
          });
        });
        if (tls13) {
          extension(w, 43, [&] { w.counted(1, [&] { w.u16(0x0304), w.u16(0x0303); }); });
          extension(w, 51, [&] {
            w.counted(2, [&] { w.u16(29), w.counted(2, [&] { w.random(random, 32); }); });
          });
        }
        if (const std::size_t used = out.size(); used < 517 - 4) {  // RFC 7685, as browsers do
          extension(w, 21, [&] { w.text(std::string(517 - 4 - used, '\0')); });
        }
      });
    });
  });
  return out;
}

Octets tls_server_hello(bool tls13, Random& random) {
  Octets out;
  Writer w(out);
  w.u8(22), w.u16(0x0303);
  w.counted(2, [&] {
    w.u8(2);
    w.counted(3, [&] {
      w.u16(0x0303);
      w.random(random, 32);
      w.counted(1, [&] { w.random(random, 32); });
      w.u16(tls13 ? 0x1301 : 0xc02f), w.u8(0);
      w.counted(2, [&] {
        if (tls13) {
          extension(w, 43, [&] { w.u16(0x0304); });
          extension(w, 51, [&] { w.u16(29), w.counted(2, [&] { w.random(random, 32); }); });
        } else {
          extension(w, 16,
                    [&] { w.counted(2, [&] { w.counted(1, [&] { w.text("http/1.1"); }); }); });
        }
      });
    });
  });
  return out;
}

Octets tls12_server_flight(std::uint32_t bytes, Random& random) {
  Octets out;
  Writer w(out);
  const auto message = [&](unsigned type, auto&& body) {
    w.u8(22), w.u16(0x0303);
    w.counted(2, [&] { w.u8(type), w.counted(3, body); });
  };
  message(11,
          [&] { w.counted(3, [&] { w.counted(3, [&] { w.text(std::string(bytes, 'c')); }); }); });
  message(12, [&] {
    w.u8(3), w.u16(29), w.counted(1, [&] { w.random(random, 32); }), w.u16(0x0804),
        w.counted(2, [&] { w.random(random, 256); });
  });
  message(14, [] {});
  return out;
}

// ------------------------------------------------------------------------------------------- DNS

Octets dns_query(std::uint16_t id, std::string_view name, std::uint16_t qtype) {
  Octets out;
  Writer w(out);
  w.u16(id), w.u16(0x0100), w.u16(1), w.u16(0), w.u16(0), w.u16(0);
  name_labels(w, name);
  w.u16(qtype), w.u16(1);
  return out;
}

Octets dns_response(std::uint16_t id, std::string_view name, std::uint16_t qtype,
                    const std::vector<Octets>& addresses) {
  Octets out;
  Writer w(out);
  w.u16(id), w.u16(0x8180), w.u16(1), w.u16(static_cast<unsigned>(addresses.size()));
  w.u16(0), w.u16(0);
  name_labels(w, name);
  w.u16(qtype), w.u16(1);
  for (const Octets& address : addresses) {
    w.u16(0xc00c), w.u16(qtype), w.u16(1), w.u32(60);
    w.counted(2, [&] { w.text(as_text(address)); });
  }
  return out;
}

}  // namespace wirelag::traffic
