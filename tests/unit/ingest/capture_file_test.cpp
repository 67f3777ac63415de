#include <filesystem>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <wirelag/ingest/capture_file.hpp>

#include "capture_bytes.hpp"

namespace wirelag {
namespace {

using test::kMicro;
using test::kNano;
using test::pcap_header;
using test::pcap_record;
using test::pcapng_frame;
using test::pcapng_interface;
using test::pcapng_section;
using test::TemporaryFile;
using testing::AllOf;
using testing::HasSubstr;

struct Seen {
  FrameNumber number;
  TimeNs time_ns;
  std::string bytes;
  std::uint32_t wire_length;
};

std::vector<Seen> read_all(CaptureFile& file, std::size_t batch = 32) {
  std::vector<Seen> seen;
  std::vector<Frame> frames(batch);
  while (const std::size_t n = file.read(frames)) {
    for (const Frame& f : std::span(frames).first(n)) {
      seen.push_back({f.number, f.time_ns, std::string(as_text(f.bytes)), f.wire_length});
    }
  }
  return seen;
}

std::string links_of(const CaptureFile& file) {
  std::string names;
  for (const LinkSeen& seen : file.info().links) names += (names.empty() ? "" : " ") + seen.name;
  return names;
}

std::string error_of(const std::string& path) {
  const Result<CaptureFile> file = CaptureFile::open(path);
  return file.ok() ? "" : file.error();
}

std::string error_for_content(std::string_view content) {
  const TemporaryFile file(content);
  return error_of(file.path());
}

// --------------------------------------------------------------- formats, byte orders, resolutions

struct PcapVariant {
  std::uint32_t magic;
  bool big_endian;
};

class EveryPcap : public testing::TestWithParam<PcapVariant> {};

TEST_P(EveryPcap, gives_frames_with_number_time_bytes_and_wire_length) {
  const auto [magic, big] = GetParam();
  const bool nano = magic == kNano;
  const std::string content =
      pcap_header(magic, 1, big) +
      pcap_record(1'700'000'000, nano ? 123'456'789 : 123'456, "SYN", 3, big) +
      pcap_record(1'700'000'001, 5, "SYN-ACK", 1500, big);
  const TemporaryFile on_disk(content);

  Result<CaptureFile> file = CaptureFile::open(on_disk.path());
  ASSERT_TRUE(file.ok()) << file.error();
  EXPECT_EQ(file->info().format, "pcap");
  EXPECT_EQ(file->info().file_bytes, content.size());
  EXPECT_EQ(links_of(*file), "ethernet");
  EXPECT_EQ(file->info().name, std::filesystem::path(on_disk.path()).filename());

  const std::vector<Seen> seen = read_all(*file);
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen[0].number, 1U);
  EXPECT_EQ(seen[0].time_ns, 1'700'000'000'123'456'000 + (nano ? 789 : 0));
  EXPECT_EQ(seen[0].bytes, "SYN");
  EXPECT_EQ(seen[0].wire_length, 3U);
  EXPECT_EQ(seen[1].number, 2U);
  EXPECT_EQ(seen[1].time_ns, 1'700'000'001'000'000'000 + (nano ? 5 : 5'000));
  EXPECT_EQ(seen[1].wire_length, 1500U) << "cut by the snaplen";
  EXPECT_EQ(file->cut_short(), "");
  EXPECT_EQ(file->position_bytes(), content.size());
}

INSTANTIATE_TEST_SUITE_P(Pcap, EveryPcap,
                         testing::Values(PcapVariant{kMicro, false}, PcapVariant{kMicro, true},
                                         PcapVariant{kNano, false}, PcapVariant{kNano, true}));

TEST(CaptureFile, pcapng_keeps_nanoseconds) {
  const TemporaryFile on_disk(pcapng_section() + pcapng_interface(113, 9) +
                              pcapng_frame(0, 1'700'000'000'123'456'789, "cook"));
  Result<CaptureFile> file = CaptureFile::open(on_disk.path());
  ASSERT_TRUE(file.ok()) << file.error();
  EXPECT_EQ(file->info().format, "pcapng");
  EXPECT_EQ(links_of(*file), "linux_sll");
  const std::vector<Seen> seen = read_all(*file);
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0].time_ns, 1'700'000'000'123'456'789);
}

TEST(CaptureFile, pcapng_in_microseconds) {
  const TemporaryFile on_disk(pcapng_section() + pcapng_interface(1, 6) +
                              pcapng_frame(0, 1'700'000'000'123'456, "abcd"));
  Result<CaptureFile> file = CaptureFile::open(on_disk.path());
  ASSERT_TRUE(file.ok()) << file.error();
  EXPECT_EQ(read_all(*file).at(0).time_ns, 1'700'000'000'123'456'000);
}

TEST(CaptureFile, a_time_beyond_reason_is_clamped_and_not_overflown) {
  const TemporaryFile on_disk(pcapng_section() + pcapng_interface(1, 0) +
                              pcapng_frame(0, 0x7fff'ffff'ffff'ffff, "abcd"));
  Result<CaptureFile> file = CaptureFile::open(on_disk.path());
  ASSERT_TRUE(file.ok()) << file.error();
  const std::vector<Seen> seen = read_all(*file);
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_GT(seen[0].time_ns, 0);
  EXPECT_LE(seen[0].time_ns, TimeNs{1} << 62);
}

TEST(CaptureFile, knows_every_supported_link_type) {
  const std::pair<std::uint32_t, LinkType> kinds[] = {
      {0, LinkType::bsd_null},     {1, LinkType::ethernet}, {12, LinkType::raw_ip},
      {14, LinkType::raw_ip},      {101, LinkType::raw_ip}, {108, LinkType::bsd_loop},
      {113, LinkType::linux_sll},  {228, LinkType::raw_ip}, {229, LinkType::raw_ip},
      {276, LinkType::linux_sll2},
  };
  for (const auto& [number, expected] : kinds) {
    const TemporaryFile on_disk(pcap_header(kMicro, number) + pcap_record(1, 0, "x", 1));
    Result<CaptureFile> file = CaptureFile::open(on_disk.path());
    ASSERT_TRUE(file.ok()) << number << ": " << file.error();
    Frame frame;
    ASSERT_EQ(file->read({&frame, 1}), 1U);
    EXPECT_EQ(frame.link, expected) << number;
    EXPECT_EQ(links_of(*file), name(expected)) << number;
  }
}

// ----------------------------------------------------------------------------------------- batches

TEST(CaptureFile, the_frames_of_a_batch_are_valid_together) {
  std::string content = pcap_header(kMicro, 1);
  for (int i = 0; i < 100; ++i) {
    content += pcap_record(1, 0, std::string(40, static_cast<char>('!' + i)), 40);
  }
  const TemporaryFile on_disk(content);
  for (const std::size_t batch : {1, 7, 32, 256}) {
    Result<CaptureFile> file = CaptureFile::open(on_disk.path());
    ASSERT_TRUE(file.ok()) << file.error();
    const std::vector<Seen> seen = read_all(*file, batch);
    ASSERT_EQ(seen.size(), 100U) << batch;
    for (std::size_t i = 0; i < seen.size(); ++i) {
      EXPECT_EQ(seen[i].number, i + 1);
      EXPECT_EQ(seen[i].bytes, std::string(40, static_cast<char>('!' + i)));
    }
  }
}

TEST(CaptureFile, frames_beyond_the_buffer_come_with_the_next_batch) {
  // 256 KiB are read at once.
  const std::string large(50'000, 'L');
  std::string content = pcap_header(kMicro, 1, false, 262'144);
  for (int i = 0; i < 20; ++i) content += pcap_record(1, 0, large, 50'000);
  const TemporaryFile on_disk(content);
  Result<CaptureFile> file = CaptureFile::open(on_disk.path());
  ASSERT_TRUE(file.ok()) << file.error();
  std::vector<Frame> frames(32);
  EXPECT_EQ(file->read(frames), 5U);
  EXPECT_TRUE(as_text(frames[4].bytes) == large);
  EXPECT_EQ(read_all(*file).size(), 15U);
}

// ------------------------------------------------------------------------------------ bad input

TEST(CaptureFile, valid_header_without_frames_is_an_empty_capture) {
  const TemporaryFile on_disk(pcap_header(kMicro, 1));
  Result<CaptureFile> file = CaptureFile::open(on_disk.path());
  ASSERT_TRUE(file.ok()) << file.error();
  EXPECT_TRUE(read_all(*file).empty());
  EXPECT_EQ(file->cut_short(), "");
}

TEST(CaptureFile, says_what_is_wrong_with_a_path) {
  EXPECT_THAT(error_of("/nowhere/x.pcap"), "capture file '/nowhere/x.pcap' does not exist");
  EXPECT_THAT(error_of("/tmp"), "'/tmp' is a directory: name a capture file in it");
  EXPECT_THAT(error_of("/dev/null"), HasSubstr("'/dev/null' is not a regular file"));
  EXPECT_THAT(error_for_content(""), HasSubstr("is empty (0 bytes)"));
}

TEST(CaptureFile, says_when_it_may_not_read) {
  if (geteuid() == 0) GTEST_SKIP() << "root may read everything";
  const TemporaryFile on_disk(pcap_header(kMicro, 1));
  std::filesystem::permissions(on_disk.path(), std::filesystem::perms::none);
  EXPECT_THAT(error_of(on_disk.path()), HasSubstr("cannot be read: Permission denied"));
}

TEST(CaptureFile, says_when_it_is_not_a_capture) {
  EXPECT_THAT(error_for_content("just some text, long enough for a header"),
              HasSubstr("is not a capture file"));
  EXPECT_THAT(error_for_content("x"), HasSubstr("is not a capture file"));
  EXPECT_THAT(error_for_content("\x04\x22\x4d\x18 and so on for some bytes"),
              HasSubstr("is compressed with lz4: unpack it first"));
}

TEST(CaptureFile, frames_of_a_link_type_that_is_not_understood_are_counted_by_name) {
  const TemporaryFile on_disk(pcapng_section() + pcapng_interface(1, 9) + pcapng_interface(189, 9) +
                              pcapng_interface(4711, 9) + pcapng_frame(0, 1, "abcd") +
                              pcapng_frame(1, 2, "efgh") + pcapng_frame(2, 3, "ijkl") +
                              pcapng_frame(1, 4, "mnop"));
  Result<CaptureFile> file = CaptureFile::open(on_disk.path());
  ASSERT_TRUE(file.ok()) << file.error();
  Frame frames[8];
  ASSERT_EQ(file->read(frames), 4U);
  EXPECT_EQ(frames[0].link, LinkType::ethernet);
  EXPECT_EQ(frames[1].link, LinkType::unsupported);
  EXPECT_EQ(links_of(*file), "ethernet usb_linux number 4711");
  EXPECT_EQ(file->info().links[1].frames, 2U);
}

TEST(CaptureFile, reads_interfaces_with_different_link_types) {
  const TemporaryFile on_disk(pcapng_section() + pcapng_interface(1, 9) + pcapng_interface(113, 9) +
                              pcapng_frame(1, 5, "cook") + pcapng_frame(0, 6, "ethr") +
                              pcapng_interface(101, 9) + pcapng_frame(2, 7, "rawi") +
                              pcapng_frame(1, 8, "COOK"));
  Result<CaptureFile> file = CaptureFile::open(on_disk.path());
  ASSERT_TRUE(file.ok()) << file.error();
  Frame frames[8];
  ASSERT_EQ(file->read(frames), 4U) << file->cut_short();
  EXPECT_EQ(frames[0].link, LinkType::linux_sll);
  EXPECT_EQ(frames[1].link, LinkType::ethernet);
  EXPECT_EQ(frames[2].link, LinkType::raw_ip);
  EXPECT_EQ(frames[3].link, LinkType::linux_sll);
  EXPECT_EQ(as_text(frames[3].bytes), "COOK");
  EXPECT_EQ(frames[3].time_ns, 8);
  EXPECT_EQ(links_of(*file), "linux_sll ethernet raw_ip");
}

TEST(CaptureFile, reads_interfaces_with_different_snapshot_lengths) {
  const TemporaryFile on_disk(pcapng_section() + pcapng_interface(1, 9, 8) +
                              pcapng_interface(1, 6, 262'144) + pcapng_frame(0, 5, "eightbyt") +
                              pcapng_frame(1, 6, "longer than eight bytes."));
  Result<CaptureFile> file = CaptureFile::open(on_disk.path());
  ASSERT_TRUE(file.ok()) << file.error();
  const std::vector<Seen> seen = read_all(*file);
  ASSERT_EQ(seen.size(), 2U) << file->cut_short();
  EXPECT_EQ(seen[1].bytes, "longer than eight bytes.");
  EXPECT_EQ(seen[1].time_ns, 6'000) << "each interface keeps its own resolution";
}

TEST(CaptureFile, a_simple_packet_block_ends_at_the_snapshot_length) {
  const std::string simple =
      test::FileBytes().u32(3).u32(24).u32(1500).raw("eightbyt").u32(24).text();
  const TemporaryFile on_disk(pcapng_section() + pcapng_interface(1, 9, 8) + simple + simple);
  Result<CaptureFile> file = CaptureFile::open(on_disk.path());
  ASSERT_TRUE(file.ok()) << file.error();
  const std::vector<Seen> seen = read_all(*file);
  ASSERT_EQ(seen.size(), 2U) << file->cut_short();
  EXPECT_EQ(seen[1].bytes, "eightbyt");
}

TEST(CaptureFile, a_second_section_has_interfaces_of_its_own) {
  const TemporaryFile on_disk(pcapng_section() + pcapng_interface(1, 9) +
                              pcapng_frame(0, 5, "ethr") + pcapng_section() +
                              pcapng_interface(276, 9) + pcapng_frame(0, 6, "sll2"));
  Result<CaptureFile> file = CaptureFile::open(on_disk.path());
  ASSERT_TRUE(file.ok()) << file.error();
  Frame frames[8];
  ASSERT_EQ(file->read(frames), 2U) << file->cut_short();
  EXPECT_EQ(frames[0].link, LinkType::ethernet);
  EXPECT_EQ(frames[1].link, LinkType::linux_sll2);
}

// Cut at every byte: either an error that names the header, or all whole frames and the place.
TEST(CaptureFile, a_pcap_cut_anywhere_gives_the_whole_frames_before_the_cut) {
  const std::string header = pcap_header(kMicro, 1);
  const std::string record = pcap_record(1, 0, "0123456789", 10);
  const std::string whole = header + record + record + record;
  for (std::size_t length = 1; length < whole.size(); ++length) {
    const TemporaryFile on_disk(whole.substr(0, length));
    Result<CaptureFile> file = CaptureFile::open(on_disk.path());
    if (length < header.size()) {
      ASSERT_FALSE(file.ok()) << length;
      EXPECT_THAT(file.error(), HasSubstr(length < 4 ? "is not a capture" : "damaged pcap header"));
      continue;
    }
    ASSERT_TRUE(file.ok()) << length << file.error();
    const std::size_t frames = (length - header.size()) / record.size();
    const bool clean = (length - header.size()) % record.size() == 0;
    EXPECT_EQ(read_all(*file).size(), frames) << length;
    EXPECT_EQ(file->cut_short(),
              clean ? "" : "the file ends inside frame " + std::to_string(frames + 1))
        << length;
  }
}

TEST(CaptureFile, a_pcapng_cut_anywhere_gives_the_whole_frames_before_the_cut) {
  const std::string header = pcapng_section() + pcapng_interface(1, 9);
  const std::string frame = pcapng_frame(0, 1, "abcd");
  const std::string whole = header + frame + frame;
  for (std::size_t length = 1; length < whole.size(); ++length) {
    const TemporaryFile on_disk(whole.substr(0, length));
    Result<CaptureFile> file = CaptureFile::open(on_disk.path());
    ASSERT_EQ(file.ok(), length >= pcapng_section().size()) << length;
    if (!file.ok()) continue;
    const std::size_t frames = length < header.size() ? 0 : (length - header.size()) / frame.size();
    const bool clean = length == pcapng_section().size() ||
                       (length >= header.size() && (length - header.size()) % frame.size() == 0);
    EXPECT_EQ(read_all(*file).size(), frames) << length;
    EXPECT_EQ(file->cut_short(),
              clean ? "" : "the file ends inside the block after frame " + std::to_string(frames))
        << length;
  }
}

TEST(CaptureFile, a_record_of_impossible_length_ends_the_capture_there) {
  const TemporaryFile on_disk(
      pcap_header(kMicro, 1) + pcap_record(1, 0, "fine", 4) +
      test::FileBytes().u32(1).u32(0).u32(0x7fffffff).u32(0x7fffffff).text() +
      std::string(100, 'x'));
  Result<CaptureFile> file = CaptureFile::open(on_disk.path());
  ASSERT_TRUE(file.ok()) << file.error();
  EXPECT_EQ(read_all(*file).size(), 1U);
  EXPECT_THAT(file->cut_short(), HasSubstr("damaged after frame 1"));
}

}  // namespace
}  // namespace wirelag
