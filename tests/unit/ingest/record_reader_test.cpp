// The readers of records over bytes in memory: every format and byte order, damage in each field, and
// every truncation.
#include <map>
#include <memory>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <wirelag/ingest/capture_file.hpp>
#include <wirelag/ingest/record_reader.hpp>

#include "capture_bytes.hpp"
#include "support/packing.hpp"

namespace wirelag {
namespace {

using test::FileBytes;
using test::kMicro;
using test::kNano;
using test::pcap_header;
using test::pcap_record;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

struct Read {
  std::string refused;
  std::string cut_short;
  std::string links;
  std::vector<std::string> bytes;
  std::vector<TimeNs> times;
  std::vector<bool> untimed;
  std::vector<FrameNumber> numbers;
  std::vector<std::uint32_t> wire_lengths;
  std::uint64_t without_time = 0;
};

/// Reads a heap block of exactly the content's size, so that the sanitizers see a read past the end.
Read read(std::string_view content) {
  const std::unique_ptr<std::uint8_t[]> exact(new std::uint8_t[content.size()]);
  std::copy(content.begin(), content.end(), exact.get());
  Read all;
  Result<CaptureFile> file = CaptureFile::open_bytes({exact.get(), content.size()}, "bytes");
  if (!file) {
    all.refused = file.error();
    return all;
  }
  Frame frames[4];
  while (const std::size_t n = file->read(frames)) {
    for (const Frame& f : std::span(frames).first(n)) {
      all.bytes.emplace_back(as_text(f.bytes));
      all.times.push_back(f.time_ns);
      all.untimed.push_back(f.untimed);
      all.numbers.push_back(f.number);
      all.wire_lengths.push_back(f.wire_length);
    }
  }
  for (const LinkSeen& seen : file->info().links) all.links += seen.name + ' ';
  all.cut_short = file->cut_short();
  all.without_time = file->info().frames_without_time;
  EXPECT_LE(file->position_bytes(), content.size());
  return all;
}

/// A block of pcapng in either byte order.
std::string block(std::uint32_t type, const std::string& body, bool big = false) {
  const auto length = static_cast<std::uint32_t>(body.size() + 12);
  return FileBytes(big).u32(type).u32(length).raw(body).u32(length).text();
}
std::string section(bool big = false, std::uint32_t major = 1, std::uint32_t minor = 0,
                    const std::string& options = "") {
  return block(
      0x0a0d0d0a,
      FileBytes(big).u32(0x1a2b3c4d).u16(major).u16(minor).u32(UINT32_MAX).u32(UINT32_MAX).text() +
          options,
      big);
}
std::string interface(bool big = false, const std::string& options = "", std::uint32_t link = 1,
                      std::uint32_t snaplen = 0) {
  return block(1, FileBytes(big).u16(link).u16(0).u32(snaplen).text() + options, big);
}
std::string resolution(std::uint8_t value, bool big = false) {
  return FileBytes(big).u16(9).u16(1).raw({reinterpret_cast<const char*>(&value), 1}).text() +
         std::string(3, '\0');
}
std::string offset(std::uint32_t high, std::uint32_t low) {
  return FileBytes().u16(14).u16(8).u32(low).u32(high).text();
}
std::string enhanced(std::uint64_t ticks, const std::string& bytes, bool big = false,
                     std::uint32_t interface = 0) {
  const auto n = static_cast<std::uint32_t>(bytes.size());
  return block(6,
               FileBytes(big)
                       .u32(interface)
                       .u32(static_cast<std::uint32_t>(ticks >> 32))
                       .u32(static_cast<std::uint32_t>(ticks))
                       .u32(n)
                       .u32(n)
                       .text() +
                   bytes,
               big);
}
std::string simple(std::uint32_t length, const std::string& bytes) {
  return block(3, FileBytes().u32(length).text() + bytes);
}

// ------------------------------------------------------------------------------------------- pcap

TEST(Pcap, the_modified_format_has_longer_record_headers) {
  for (const bool big : {false, true}) {
    const std::string record =
        FileBytes(big).u32(7).u32(5).u32(4).u32(9).u32(2).u16(8).u16(0).raw("abcd").text();
    const Read r = read(pcap_header(0xa1b2cd34, 1, big) + record + record);
    EXPECT_EQ(r.bytes, (std::vector<std::string>{"abcd", "abcd"}));
    EXPECT_EQ(r.times[0], 7 * kSecondNs + 5000);
    EXPECT_EQ(r.wire_lengths[0], 9U);
    EXPECT_EQ(r.cut_short, "");
  }
}

std::string versioned(std::uint32_t major, std::uint32_t minor, std::uint32_t first,
                      std::uint32_t second) {
  return FileBytes()
      .u32(kMicro)
      .u16(major)
      .u16(minor)
      .u32(0)
      .u32(0)
      .u32(65535)
      .u32(1)
      .u32(1)
      .u32(0)
      .u32(first)
      .u32(second)
      .raw("abcd")
      .text();
}

TEST(Pcap, old_versions_have_the_lengths_in_another_order) {
  EXPECT_EQ(read(versioned(2, 4, 4, 60)).wire_lengths.at(0), 60U);
  EXPECT_EQ(read(versioned(2, 3, 4, 60)).wire_lengths.at(0), 60U);
  EXPECT_EQ(read(versioned(2, 3, 60, 4)).wire_lengths.at(0), 60U);
  EXPECT_EQ(read(versioned(2, 2, 60, 4)).wire_lengths.at(0), 60U);
  EXPECT_EQ(read(versioned(543, 0, 60, 4)).wire_lengths.at(0), 60U);
}

TEST(Pcap, other_versions_are_refused) {
  for (const auto& [major, minor] : {std::pair{1U, 4U}, {2U, 5U}, {3U, 0U}, {543U, 1U}, {0U, 0U}}) {
    EXPECT_THAT(read(versioned(major, minor, 4, 4)).refused,
                HasSubstr("version " + std::to_string(major) + "." + std::to_string(minor)));
  }
}

TEST(Pcap, the_link_type_is_16_bits_beside_the_fcs_length) {
  EXPECT_EQ(read(pcap_header(kMicro, 0xf400'0001) + pcap_record(1, 0, "x", 1)).links, "ethernet ");
  EXPECT_THAT(read(pcap_header(kMicro, 0x0030'0001)).refused, HasSubstr("reserved bits"));
}

TEST(Pcap, a_frame_is_never_shorter_than_what_was_captured_of_it) {
  EXPECT_EQ(read(pcap_header(kMicro, 1) + pcap_record(1, 0, "abcd", 2)).wire_lengths.at(0), 4U);
}

TEST(Pcap, more_than_the_snaplen_is_taken_as_it_is) {
  const Read r = read(pcap_header(kMicro, 1, false, 2) + pcap_record(1, 0, "abcd", 4));
  EXPECT_EQ(r.bytes.at(0), "abcd");
}

TEST(Pcap, a_fraction_of_more_than_a_second_is_no_time) {
  // GIVEN a frame whose fraction no writer means, alone and behind another one
  for (const auto& [magic, fraction] : {std::pair{kMicro, 4'000'000U}, {kNano, 4'000'000'000U}}) {
    const std::string damaged = pcap_record(3, fraction, "x", 1);
    const Read alone = read(pcap_header(magic, 1) + damaged);
    const Read behind = read(pcap_header(magic, 1) + pcap_record(2, 5, "x", 1) + damaged +
                             pcap_record(4, 0, "x", 1));
    // THEN it is without a time, and has that of the frame before where there is one
    EXPECT_EQ(alone.times, std::vector<TimeNs>{3 * kSecondNs});
    EXPECT_EQ(alone.without_time, 1U);
    EXPECT_EQ(behind.times.at(1), behind.times.at(0));
    EXPECT_EQ(behind.times.at(2), 4 * kSecondNs);
    EXPECT_EQ(behind.without_time, 1U);
    EXPECT_EQ(behind.untimed, (std::vector<bool>{false, true, false}));
  }
  // A whole second is a second.
  const Read whole = read(pcap_header(kMicro, 1) + pcap_record(3, 1'000'000, "x", 1));
  EXPECT_EQ(whole.times.at(0), 4 * kSecondNs);
  EXPECT_EQ(whole.without_time, 0U);
  EXPECT_EQ(read(pcap_header(kMicro, 1) + pcap_record(UINT32_MAX, 0, "x", 1)).times.at(0),
            UINT32_MAX * kSecondNs);
}

TEST(Pcap, a_length_beyond_reason_names_the_frame) {
  const std::string head = pcap_header(kMicro, 1) + pcap_record(1, 0, "fine", 4);
  const std::string bad = FileBytes().u32(1).u32(0).u32(262'145).u32(262'145).text();
  const Read r = read(head + bad + std::string(300'000, 'x'));
  EXPECT_EQ(r.bytes.size(), 1U);
  EXPECT_EQ(
      r.cut_short,
      "the file is damaged after frame 1: what follows claims 262145 captured bytes, more than "
      "any writer stores (262144)");
  const std::string most = FileBytes().u32(1).u32(0).u32(262'144).u32(262'144).text();
  EXPECT_EQ(read(head + most + std::string(262'144, 'x')).bytes.size(), 2U);
}

// ----------------------------------------------------------------------------------------- pcapng

TEST(Pcapng, sections_may_differ_in_byte_order) {
  const Read r = read(section(false) + interface(false) + enhanced(1, "aaaa") + section(true) +
                      interface(true, resolution(9, true), 113) + enhanced(5, "bbbb", true) +
                      section(false) + interface(false, resolution(3)) + enhanced(2, "cccc"));
  EXPECT_EQ(r.bytes, (std::vector<std::string>{"aaaa", "bbbb", "cccc"})) << r.cut_short;
  EXPECT_EQ(r.times, (std::vector<TimeNs>{1'000, 5, 2'000'000}));
  EXPECT_EQ(r.links, "ethernet linux_sll ");
}

TEST(Pcapng, every_resolution_without_overflow) {
  const std::uint64_t most = UINT64_MAX;
  const struct {
    std::uint8_t resolution;
    std::uint64_t ticks;
    TimeNs expected;
  } all[] = {
      {0, 3, 3 * kSecondNs},
      {0, most, RecordReader::kLatestNs},
      {3, 1, 1'000'000},
      {6, 1'500'000'000'123'456, 1'500'000'000'123'456'000},
      {9, 1'500'000'000'123'456'789, 1'500'000'000'123'456'789},
      {9, most, RecordReader::kLatestNs},
      {10, 19, 1},
      {12, 1'234'567, 1'234},
      {28, most, 1},
      {29, most, 0},
      {127, most, 0},
      {0x80, 3, 3 * kSecondNs},
      {0x81, 3, 1'500'000'000},
      {0x8a, 1, 976'562},
      {0xa0, (1'500'000'000ULL << 32) + (1ULL << 31), 1'500'000'000'500'000'000},
      {0xbf, most, 1'999'999'999},
      {0xdd, most, 1},
      {0xde, most, 0},
      {0xff, most, 0},
  };
  for (const auto& c : all) {
    const Read r =
        read(section() + interface(false, resolution(c.resolution)) + enhanced(c.ticks, "abcd"));
    ASSERT_EQ(r.times.size(), 1U) << r.cut_short;
    EXPECT_EQ(r.times[0], c.expected) << "if_tsresol " << int{c.resolution} << ", " << c.ticks;
  }
}

TEST(Pcapng, an_offset_in_seconds_is_added) {
  const auto at = [](std::uint32_t high, std::uint32_t low) {
    return read(section() + interface(false, offset(high, low)) + enhanced(2'000'000, "abcd"))
        .times.at(0);
  };
  EXPECT_EQ(at(0, 1'000), 1'002 * kSecondNs);
  EXPECT_EQ(at(UINT32_MAX, UINT32_MAX), kSecondNs) << "minus one";
  EXPECT_EQ(at(UINT32_MAX, 0), 0) << "before the epoch";
  EXPECT_EQ(at(0x7fffffff, UINT32_MAX), RecordReader::kLatestNs);
  EXPECT_EQ(at(0x80000000, 0), 0);
}

TEST(Pcapng, simple_packets_have_the_time_of_the_frame_before) {
  const Read r = read(section() + interface(false, "", 1, 6) + simple(4, "none") +
                      enhanced(7, "time") + simple(100, std::string("sixbyt\0\0", 8)));
  EXPECT_EQ(r.bytes, (std::vector<std::string>{"none", "time", "sixbyt"})) << r.cut_short;
  EXPECT_EQ(r.times, (std::vector<TimeNs>{0, 7'000, 7'000}));
  EXPECT_EQ(r.wire_lengths[2], 100U);
  EXPECT_EQ(r.without_time, 2U);
}

TEST(Pcapng, the_obsolete_packet_block) {
  const std::string old =
      block(2, FileBytes().u16(1).u16(9).u32(0).u32(8).u32(4).u32(60).text() + "abcd");
  const Read r = read(section() + interface() + interface(false, resolution(9), 276) + old);
  EXPECT_EQ(r.bytes.at(0), "abcd");
  EXPECT_EQ(r.times.at(0), 8);
  EXPECT_EQ(r.wire_lengths.at(0), 60U);
  EXPECT_EQ(r.links, "linux_sll2 ");
}

TEST(Pcapng, other_blocks_are_skipped_and_some_have_a_frame_number) {
  const Read r =
      read(section() + block(10, "keys") + interface() + block(4, "name") + enhanced(1, "aaaa") +
           block(0x0bad, "mine") + block(0x7fff, "") + block(9, "journal!") + enhanced(2, "bbbb") +
           block(5, std::string(3'000'000, 's')));
  EXPECT_EQ(r.bytes.size(), 2U) << r.cut_short;
  EXPECT_EQ(r.numbers, (std::vector<FrameNumber>{1, 4})) << "as Wireshark numbers them";
  EXPECT_EQ(r.cut_short, "");
}

TEST(Pcapng, damage_ends_the_capture_and_is_named) {
  const std::string good = section() + interface() + enhanced(1, "fine");
  std::string differing = enhanced(2, "abcd");
  differing[differing.size() - 4] = 99;
  std::string skipped = block(77, "abcd");
  skipped[skipped.size() - 4] = 99;
  const std::pair<std::string, std::string> all[] = {
      {FileBytes().u32(6).u32(8).u32(8).text(), "a block of type 0x6 that claims 8 bytes"},
      {FileBytes().u32(6).u32(33).text() + std::string(33, 0), "claims 33 bytes"},
      {FileBytes().u32(6).u32(0x7ffffff0).text() + std::string(33, 0), "claims 2147483632 bytes"},
      {differing, "two lengths differ (36 and 99)"},
      {skipped, "two lengths differ (16 and 99)"},
      {enhanced(2, "abcd", false, 1), "comes from interface 1, which is not described"},
      {block(6, std::string(16, '\0')), "is too short for a packet block"},
      {block(6, FileBytes().u32(0).u32(0).u32(0).u32(5).u32(5).raw("abcd").text()),
       "claims 5 captured bytes in a block that has room for 4"},
      {block(3, ""), "is too short for a packet block"},
      {section() + simple(4, "abcd"), "comes from interface 0, which is not described"},
      {block(1, "abcd"), "an interface description that is too short"},
      {interface(false, FileBytes().u16(9).u16(99).text()), "option that is longer"},
      {section(false, 1, 1), "is of version 1.1"},
      {block(0x0a0d0d0a, "no byte order!!!"), "a section without a byte order"},
  };
  for (const auto& [bad, words] : all) {
    const Read r = read(good + bad + enhanced(3, "lost"));
    EXPECT_EQ(r.bytes.size(), 1U) << words;
    EXPECT_THAT(r.cut_short, HasSubstr("the file is damaged after frame 1: what follows "));
    EXPECT_THAT(r.cut_short, HasSubstr(words));
  }
}

TEST(Pcapng, a_first_section_that_cannot_be_read_is_refused) {
  EXPECT_THAT(read(section(false, 9, 9)).refused, HasSubstr("damaged pcapng header"));
  EXPECT_THAT(read(section(false, 1, 0, FileBytes().u16(2).u16(99).text())).refused,
              HasSubstr("option that is longer"));
  EXPECT_EQ(read(section()).refused, "") << "without frames it is an empty capture";
}

// ---------------------------------------------------------------------------------- snoop, NetMon

std::string snoop(std::uint32_t link, std::uint32_t version = 2) {
  return std::string("snoop\0\0\0", 8) + FileBytes(true).u32(version).u32(link).text();
}
std::string snoop_record(std::uint32_t captured, std::uint32_t length, const std::string& bytes) {
  return FileBytes(true).u32(60).u32(captured).u32(length).u32(0).u32(9).u32(5).raw(bytes).text();
}

TEST(Snoop, frames_padding_and_link_types) {
  const Read r = read(snoop(4) + snoop_record(3, 28, "abc\0") + snoop_record(4, 28, "defg"));
  EXPECT_EQ(r.links, "ethernet ");
  const Read padded =
      read(snoop(8) + snoop_record(3, 28, std::string("abc\0", 4)) + snoop_record(4, 28, "defg"));
  EXPECT_EQ(padded.bytes, (std::vector<std::string>{"abc", "defg"})) << padded.cut_short;
  EXPECT_EQ(padded.times[1], 9 * kSecondNs + 5'000);
  EXPECT_EQ(padded.wire_lengths[1], 60U);
  EXPECT_EQ(padded.links, "fddi ");
  EXPECT_EQ(read(snoop(5) + snoop_record(4, 28, "defg")).links, "snoop_hdlc ");
}

TEST(Snoop, damage) {
  EXPECT_THAT(read(snoop(4, 3)).refused, HasSubstr("version 3"));
  EXPECT_THAT(read(snoop(4) + snoop_record(4, 27, "defg")).cut_short,
              HasSubstr("claims 4 captured bytes in a record of 27"));
  EXPECT_THAT(read(snoop(4) + snoop_record(UINT32_MAX, UINT32_MAX, "defg")).cut_short,
              HasSubstr("damaged after frame 0"));
}

/// Begins at 2005-07-03 08:54:05.539; frames lie in reverse order.
std::string netmon(std::uint8_t minor, std::uint32_t entries = 2, std::uint32_t first_place = 0) {
  const auto frame = [minor](std::uint32_t micros, const std::string& bytes) {
    const auto n = static_cast<std::uint32_t>(bytes.size());
    FileBytes f;
    f.u32(micros).u32(0).u32(60).u32(n).raw(bytes);
    if (minor >= 1) f.u16(0xe000 + 113);
    if (minor >= 2) f.u32(0);
    if (minor >= 3) f.u32(0xd53e8000).u32(0x019db1de).raw(std::string(1, '\0'));  // 1970-01-01
    return f.text();
  };
  const std::string second = frame(2'000'000, "last"), first = frame(7, "first");
  const std::uint32_t at = 128;
  const auto places = [&] {
    FileBytes f;
    const auto second_size = static_cast<std::uint32_t>(second.size());
    f.u32(first_place != 0 ? first_place : at + second_size).u32(at);
    return f.text();
  }();
  std::string header = std::string("GMBU") + std::string(1, static_cast<char>(minor)) + '\x02';
  header += FileBytes()
                .u16(1)
                .u16(2005)
                .u16(7)
                .u16(0)
                .u16(3)
                .u16(8)
                .u16(54)
                .u16(5)
                .u16(539)
                .u32(at + static_cast<std::uint32_t>(first.size() + second.size()))
                .u32(entries * 4)
                .text();
  header.resize(128, '\0');
  return header + second + first + places;
}

TEST(Netmon, frames_are_found_through_their_table) {
  const Read r = read(netmon(0));
  EXPECT_EQ(r.bytes, (std::vector<std::string>{"first", "last"})) << r.refused << r.cut_short;
  EXPECT_EQ(r.times, (std::vector<TimeNs>{1'120'380'845'539'007'000, 1'120'380'847'539'000'000}));
  EXPECT_EQ(r.wire_lengths[0], 60U);
  EXPECT_EQ(r.links, "ethernet ");
}

TEST(Netmon, later_versions_have_a_link_type_and_a_time_for_each_frame) {
  EXPECT_EQ(read(netmon(1)).links, "linux_sll ");
  EXPECT_EQ(read(netmon(2)).bytes.size(), 2U);
  const Read r = read(netmon(3));
  EXPECT_EQ(r.links, "linux_sll ");
  EXPECT_EQ(r.times.at(0), 0);
}

TEST(Netmon, more_frames_than_are_read_are_no_damage) {
  constexpr std::uint32_t kMost = 32 * 1024 * 1024;
  EXPECT_THAT(read(netmon(0, kMost + 1)).refused,
              AllOf(HasSubstr("cannot be read: it has 33554433 frames"),
                    HasSubstr("wirelag reads at most 33554432"), Not(HasSubstr("damaged"))));
  EXPECT_THAT(read(netmon(0, kMost)).refused, HasSubstr("ends before its header does"));
}

TEST(Netmon, damage) {
  EXPECT_THAT(read(netmon(4)).refused, HasSubstr("version 2.4"));
  EXPECT_THAT(read(netmon(0, 3)).refused, HasSubstr("ends before its header does"));
  EXPECT_EQ(read(netmon(0, 2, 5'000)).cut_short, "the file ends inside frame 1");
  EXPECT_EQ(read(netmon(0, 2, UINT32_MAX)).cut_short, "the file ends inside frame 1");
  EXPECT_EQ(read(netmon(0, 0)).bytes.size(), 0U);
}

// ------------------------------------------------------------------------------- all of the formats

std::vector<std::string> one_of_each() {
  std::vector<std::string> all;
  for (const bool big : {false, true}) {
    for (const std::uint32_t magic : {kMicro, kNano}) {
      all.push_back(pcap_header(magic, 1, big) + pcap_record(1, 2, "abcd", 4, big) +
                    pcap_record(1, 3, "efgh", 9, big));
    }
    all.push_back(section(big) + interface(big, resolution(9, big)) + enhanced(1, "abcd", big) +
                  block(0x0bad, "skip", big) + enhanced(2, "efgh", big));
  }
  all.push_back(section() + interface() + simple(4, "abcd") + section(true) + interface(true) +
                enhanced(5, "efgh", true));
  all.push_back(snoop(4) + snoop_record(4, 28, "abcd") + snoop_record(4, 32, "efgh...."));
  for (const std::uint8_t minor : {0, 1, 2, 3}) all.push_back(netmon(minor));
  return all;
}

TEST(EveryFormat, cut_anywhere_gives_the_frames_before_the_cut_and_says_so) {
  for (const std::string& whole : one_of_each()) {
    const Read complete = read(whole);
    ASSERT_EQ(complete.bytes.size(), 2U) << complete.refused << complete.cut_short;
    ASSERT_EQ(complete.cut_short, "");
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const Read r = read(std::string_view(whole).substr(0, size));
      ASSERT_LE(r.bytes.size(), 2U);
      for (std::size_t i = 0; i < r.bytes.size(); ++i) EXPECT_EQ(r.bytes[i], complete.bytes[i]);
      if (!r.refused.empty()) {
        EXPECT_TRUE(r.bytes.empty());
        EXPECT_THAT(r.refused, HasSubstr("'bytes'"));
      }
    }
  }
}

TEST(EveryFormat, is_read_compressed_as_it_is) {
  for (const std::string& whole : one_of_each()) {
    const Read plain = read(whole);
    for (const std::string& packed : {test::gzip(whole), test::zstd(whole)}) {
      const Read r = read(packed);
      EXPECT_EQ(r.refused, "");
      EXPECT_EQ(r.cut_short, "");
      EXPECT_EQ(r.bytes, plain.bytes);
      EXPECT_EQ(r.times, plain.times);
      EXPECT_EQ(r.numbers, plain.numbers);
      EXPECT_EQ(r.links, plain.links);
    }
  }
}

TEST(EveryFormat, any_byte_may_have_any_value) {
  for (std::string whole : one_of_each()) {
    for (char& byte : whole) {
      const char good = byte;
      for (const int value : {0x00, 0x01, 0x7f, 0x80, 0xff}) {
        byte = static_cast<char>(value);
        EXPECT_LE(read(whole).bytes.size(), 4U);
      }
      byte = good;
    }
  }
}

TEST(EveryFormat, random_damage_is_safe) {
  std::mt19937 random(11);
  const std::vector<std::string> all = one_of_each();
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = all[random() % all.size()];
    for (unsigned n = random() % 5; n > 0; --n) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    bytes.resize(random() % 3 == 0 ? random() % bytes.size() : bytes.size());
    (void)read(bytes);
  }
}

TEST(LinkTypes, each_number_has_one_meaning_and_a_name) {
  std::map<std::string, int> numbers;
  for (std::uint32_t number = 0; number < 300; ++number) ++numbers[link_type_name(number)];
  EXPECT_EQ(numbers["raw_ip"], 5);
  EXPECT_EQ(numbers["ppp"], 2);
  EXPECT_EQ(numbers["usb_linux"], 1);
  EXPECT_EQ(link_type_name(4711), "number 4711");
  for (int link = 0; link < static_cast<int>(LinkType::unsupported); ++link) {
    EXPECT_TRUE(numbers.contains(std::string(name(static_cast<LinkType>(link))))) << link;
    EXPECT_NE(meaning(static_cast<LinkType>(link)), "");
  }
}

}  // namespace
}  // namespace wirelag
