#include <wirelag/ingest/record_reader.hpp>

#include "record_readers.hpp"

namespace wirelag {
namespace {

using MakeReader = std::unique_ptr<RecordReader> (*)();

struct Magic {
  std::string_view bytes;
  std::string_view format;
  MakeReader make;  ///< null: a compressed file
};

using namespace std::string_view_literals;
constexpr Magic kMagics[] = {
    {"\xa1\xb2\xc3\xd4"sv, "pcap", ingest::pcap_reader},  // microseconds
    {"\xd4\xc3\xb2\xa1"sv, "pcap", ingest::pcap_reader},
    {"\xa1\xb2\x3c\x4d"sv, "pcap", ingest::pcap_reader},  // nanoseconds
    {"\x4d\x3c\xb2\xa1"sv, "pcap", ingest::pcap_reader},
    {"\xa1\xb2\xcd\x34"sv, "pcap", ingest::pcap_reader},  // modified
    {"\x34\xcd\xb2\xa1"sv, "pcap", ingest::pcap_reader},
    {"\x0a\x0d\x0d\x0a"sv, "pcapng", ingest::pcapng_reader},
    {"snoop\0\0\0"sv, "snoop", ingest::snoop_reader},
    {"GMBU"sv, "netmon", ingest::netmon_reader},
    {"\x1f\x8b"sv, "gzip", nullptr},
    {"\x28\xb5\x2f\xfd"sv, "zstd", nullptr},
    {"\xfd\x37\x7a\x58"sv, "xz", nullptr},
    {"BZh"sv, "bzip2", nullptr},
    {"\x04\x22\x4d\x18"sv, "lz4", nullptr},
    {"PK\x03\x04"sv, "zip", nullptr},
};

/// A zstd file may begin with a frame to be skipped (RFC 8878, 3.1.2), whose magic number is any of sixteen.
constexpr Magic kSkippedByZstd = {"\x2a\x4d\x18"sv, "zstd", nullptr};

const Magic* find(Bytes head) {
  const std::string_view text = as_text(head);
  for (const Magic& magic : kMagics) {
    if (text.starts_with(magic.bytes)) return &magic;
  }
  const bool skipped =
      !head.empty() && (head[0] & 0xf0) == 0x50 && text.substr(1).starts_with(kSkippedByZstd.bytes);
  return skipped ? &kSkippedByZstd : nullptr;
}

}  // namespace

CaptureFormat capture_format(Bytes head) {
  const Magic* magic = find(head);
  if (magic == nullptr) return {};
  return magic->make != nullptr ? CaptureFormat{magic->format, {}}
                                : CaptureFormat{{}, magic->format};
}

std::unique_ptr<RecordReader> make_record_reader(Bytes head) {
  const Magic* magic = find(head);
  return magic != nullptr && magic->make != nullptr ? magic->make() : nullptr;
}

}  // namespace wirelag
