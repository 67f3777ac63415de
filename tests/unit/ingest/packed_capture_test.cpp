// Compressed captures: what they are made of, and what may be wrong with it. The unpacked bytes and what is said must
// not depend on the pieces in which the file is read or they are asked for.
#include <random>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <wirelag/ingest/capture_file.hpp>

#include "capture_bytes.hpp"
#include "support/packing.hpp"
#include "support/piece_source.hpp"
#include "unpacked_source.hpp"

namespace wirelag {
namespace {

using ingest::UnpackedSource;
using test::gzip;
using test::kMicro;
using test::pcap_header;
using test::pcap_record;
using test::PieceSource;
using test::skippable_frame;
using test::zstd;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

using Pack = std::string (*)(std::string_view);

struct Format {
  const char* name;
  Pack pack;
};
constexpr Format kFormats[] = {{"gzip", gzip}, {"zstd", zstd}};

struct Unpacked {
  std::string text;
  std::string error;
  bool operator==(const Unpacked&) const = default;
};

Unpacked unpack(std::string_view packed, std::string_view format, std::size_t in_piece,
                std::size_t out_piece) {
  UnpackedSource source(std::make_unique<PieceSource>(as_bytes(packed), in_piece),
                        ingest::make_unpacker(format));
  Unpacked all;
  std::vector<std::uint8_t> out(out_piece);
  while (const std::size_t n = source.read_at(all.text.size(), out)) {
    all.text += as_text(Bytes(out).first(n));
  }
  all.error = source.error();
  EXPECT_EQ(source.unpacked_bytes(), all.text.size());
  EXPECT_LE(source.packed_position(), packed.size());
  return all;
}

struct Outcome {
  std::string refused;
  std::string cut_short;
  std::vector<std::string> frames;
};

Outcome read_packed(std::string_view content) {
  Outcome all;
  Result<CaptureFile> file = CaptureFile::open_bytes(as_bytes(content), "x");
  if (!file) {
    all.refused = file.error();
    return all;
  }
  EXPECT_EQ(file->info().file_bytes, content.size());
  Frame frames[4];
  while (const std::size_t n = file->read(frames)) {
    for (const Frame& f : std::span(frames).first(n)) all.frames.emplace_back(as_text(f.bytes));
  }
  all.cut_short = file->cut_short();
  EXPECT_LE(file->position_bytes(), content.size());
  return all;
}

/// `frames` frames of `bytes` bytes each that do not compress.
std::string capture(std::size_t frames, std::size_t bytes) {
  std::mt19937 random(1);
  std::string content = pcap_header(kMicro, 1, false, 262'144);
  std::string noise(bytes, '\0');
  for (std::size_t i = 0; i < frames; ++i) {
    for (char& byte : noise) byte = static_cast<char>(random());
    content += pcap_record(1, 0, noise, static_cast<std::uint32_t>(bytes));
  }
  return content;
}

// ------------------------------------------------------------------------------------------ whole

TEST(PackedCapture, gives_the_frames_that_are_in_it) {
  const std::string plain = capture(40, 50'000);
  for (const auto& [name, pack] : kFormats) {
    const test::TemporaryFile on_disk(pack(plain), "named-otherwise.pcap");
    Result<CaptureFile> file = CaptureFile::open(on_disk.path());
    ASSERT_TRUE(file.ok()) << file.error();
    EXPECT_EQ(file->info().format, "pcap");
    EXPECT_EQ(file->info().packed_by, name);
    EXPECT_LT(file->position_bytes(), file->info().file_bytes / 2) << "it is read as it is needed";
    const Outcome expected = read_packed(plain);
    Frame frames[4];
    std::size_t seen = 0;
    while (const std::size_t n = file->read(frames)) {
      for (const Frame& f : std::span(frames).first(n)) {
        EXPECT_EQ(as_text(f.bytes), expected.frames.at(seen++));
      }
    }
    EXPECT_EQ(seen, 40U);
    EXPECT_EQ(file->cut_short(), "");
    EXPECT_EQ(file->position_bytes(), file->info().file_bytes);
  }
}

TEST(PackedCapture, members_and_frames_follow_one_another_wherever_the_capture_was_divided) {
  const std::string plain = capture(3, 20);
  for (const auto& [name, pack] : kFormats) {
    for (std::size_t at = 0; at <= plain.size(); ++at) {
      const std::string packed = pack("") + pack(plain.substr(0, at)) + pack("") + pack("") +
                                 pack(plain.substr(at)) + pack("");
      const Outcome r = read_packed(packed);
      ASSERT_EQ(r.frames.size(), 3U) << name << at << r.refused;
      EXPECT_EQ(r.cut_short, "");
    }
  }
}

TEST(PackedCapture, zstd_frames_that_are_to_be_skipped_may_be_anywhere) {
  const std::string plain = capture(3, 20), skipped = skippable_frame("whatever");
  const std::string packed = skipped + skippable_frame("") + zstd(plain.substr(0, 50)) + skipped +
                             zstd(plain.substr(50)) + skipped;
  EXPECT_EQ(read_packed(packed).frames.size(), 3U);
  EXPECT_EQ(read_packed(packed).cut_short, "");
  EXPECT_THAT(read_packed(skipped).refused, HasSubstr("nothing is in it (0 bytes)"));
}

TEST(PackedCapture, zeros_may_follow_gzip_and_nothing_else_anything) {
  const std::string plain = capture(3, 20), tail = "at byte " + std::to_string(gzip(plain).size());
  EXPECT_EQ(read_packed(gzip(plain) + std::string(100, '\0')).cut_short, "");
  const std::string followed = " its gzip data is followed by something else";
  EXPECT_THAT(read_packed(gzip(plain) + "junk").cut_short, HasSubstr(tail + followed));
  EXPECT_THAT(read_packed(gzip(plain) + '\0' + gzip(plain)).cut_short, HasSubstr(followed));
  EXPECT_THAT(read_packed(zstd(plain) + '\0').cut_short,
              HasSubstr("its zstd data is followed by something else"));
  // Formats of zstd before 0.8, which the library may know.
  EXPECT_THAT(read_packed(zstd(plain) + "\x27\xb5\x2f\xfd").cut_short,
              HasSubstr("its zstd data is followed by something else"));
}

TEST(PackedCapture, for_a_netmon_table_behind_its_frames_the_file_is_unpacked_twice) {
  std::string content("GMBU\0\2\1\0", 8);
  for (int i = 0; i < 8; ++i) content += std::string("\1\0", 2);  // a time in January
  const std::string frame =
      test::FileBytes().u32(7).u32(0).u32(4).u32(4).raw("abcd").text() + std::string(400'000, 'x');
  content +=
      test::FileBytes().u32(static_cast<std::uint32_t>(128 + 2 * frame.size())).u32(8).text();
  content.resize(128, '\0');
  content += frame + frame;
  content += test::FileBytes().u32(128).u32(static_cast<std::uint32_t>(128 + frame.size())).text();
  const Outcome plain = read_packed(content);
  ASSERT_EQ(plain.frames.size(), 2U) << plain.refused << plain.cut_short;
  for (const auto& [name, pack] : kFormats) {
    const Outcome r = read_packed(pack(content));
    EXPECT_EQ(r.frames.size(), 2U) << name << r.refused << r.cut_short;
  }
}

TEST(PackedCapture, is_not_unpacked_again_without_end) {
  const std::string packed = gzip("0123456789");
  UnpackedSource source(std::make_unique<ingest::MemorySource>(as_bytes(packed)),
                        ingest::gzip_unpacker());
  std::uint8_t byte = 0;
  for (int i = 0; i <= UnpackedSource::kMostRestarts; ++i) {
    ASSERT_EQ(source.read_at(7, {&byte, 1}), 1U) << i << source.error();
    EXPECT_EQ(byte, '7');
  }
  EXPECT_EQ(source.read_at(7, {&byte, 1}), 0U);
  EXPECT_THAT(source.error(), AllOf(HasSubstr("again and again"), HasSubstr("unpack it first")));
}

// ---------------------------------------------------------------------------------------- damage

TEST(PackedCapture, cut_anywhere_gives_the_frames_before_the_cut_and_says_so) {
  const std::string plain = capture(5, 300);
  const Outcome complete = read_packed(plain);
  for (const auto& [name, pack] : kFormats) {
    const std::string packed = pack(plain);
    std::size_t most = 0;
    for (std::size_t size = 4; size < packed.size(); ++size) {
      const Outcome r = read_packed(std::string_view(packed).substr(0, size));
      const std::string cut = fmt::format("at byte {} its {} data is cut off", size, name);
      if (!r.refused.empty()) {
        EXPECT_EQ(r.refused, "capture file 'x' cannot be read: " + cut);
        continue;
      }
      EXPECT_EQ(r.cut_short,
                fmt::format("the file cannot be read on after frame {}: {}", r.frames.size(), cut));
      for (std::size_t i = 0; i < r.frames.size(); ++i) EXPECT_EQ(r.frames[i], complete.frames[i]);
      EXPECT_GE(r.frames.size(), most);
      most = r.frames.size();
    }
    EXPECT_EQ(most, 5U) << "all of it is there before the checksum";
  }
}

TEST(PackedCapture, a_capture_that_was_cut_before_it_was_compressed_ends_like_any_other) {
  const std::string plain = capture(5, 300);
  for (const auto& [name, pack] : kFormats) {
    const Outcome r = read_packed(pack(plain.substr(0, plain.size() - 1)));
    EXPECT_EQ(r.frames.size(), 4U) << name;
    EXPECT_EQ(r.cut_short, "the file ends inside frame 5") << name;
  }
}

TEST(PackedCapture, a_wrong_checksum_or_length_is_named) {
  const std::string plain = capture(3, 20);
  std::string checksum = gzip(plain), length = checksum, of_zstd = zstd(plain);
  checksum[checksum.size() - 8] ^= 1;
  length[length.size() - 4] ^= 1;
  of_zstd[of_zstd.size() - 4] ^= 1;
  const std::string after = "the file cannot be read on after frame 3: at byte ";
  EXPECT_THAT(read_packed(checksum).cut_short,
              AllOf(StartsWith(after), HasSubstr("another checksum (CRC32)")));
  EXPECT_THAT(read_packed(length).cut_short, AllOf(StartsWith(after), HasSubstr("another length")));
  EXPECT_THAT(read_packed(of_zstd).cut_short,
              AllOf(StartsWith(after), HasSubstr("another checksum (XXH64)")));
}

TEST(PackedCapture, what_is_damaged_is_named_or_does_not_matter) {
  const std::string plain = capture(3, 20);
  const Outcome complete = read_packed(plain);
  for (const auto& [name, pack] : kFormats) {
    const std::string packed = pack(plain);
    for (std::size_t at = 0; at < packed.size(); ++at) {
      for (int bit = 0; bit < 8; ++bit) {
        std::string damaged = packed;
        damaged[at] ^= static_cast<char>(1U << bit);
        const Outcome r = read_packed(damaged);
        // The names and times in a gzip header are not checked.
        if (!r.refused.empty() || !r.cut_short.empty()) continue;
        EXPECT_EQ(r.frames, complete.frames) << name << at;
      }
    }
  }
}

TEST(PackedCapture, what_was_unpacked_before_the_damage_is_given) {
  // 0x58: a window of 2 MiB; a block of one byte 32784 times; the header of one that is too large.
  const std::string packed("\x28\xb5\x2f\xfd\0\x58\x82\0\4z\xff\xff\xff", 13);
  for (const std::size_t in : {1, 7, 100}) {
    for (const std::size_t out : {1, 1000, 100'000}) {
      const Unpacked r = unpack(packed, "zstd", in, out);
      EXPECT_EQ(r.text.size(), 32'784U) << in << ' ' << out;
      EXPECT_THAT(r.error, AllOf(StartsWith("at byte 1"), HasSubstr("its zstd data is damaged")));
    }
  }
}

TEST(PackedCapture, says_what_is_in_it_instead) {
  EXPECT_THAT(
      read_packed(gzip("only some text")).refused,
      HasSubstr("'x' is compressed with gzip, and what is in it is not a capture: it starts "
                "neither like pcap"));
  EXPECT_THAT(read_packed(zstd("")).refused,
              HasSubstr("compressed with zstd, and nothing is in it"));
  EXPECT_THAT(read_packed(gzip(pcap_header(kMicro, 1).substr(0, 10))).refused,
              HasSubstr("damaged pcap header: it ends before its header does"));
  EXPECT_EQ(read_packed(gzip(zstd(capture(1, 9)))).refused,
            "'x' is compressed twice, with zstd inside gzip: unpack it first");
  EXPECT_THAT(read_packed(zstd("BZh91AY&SY")).refused, HasSubstr("twice, with bzip2 inside zstd"));
  EXPECT_EQ(read_packed("\xfd\x37\x7a\x58 and so on").refused,
            "'x' is compressed with xz: unpack it first (gzip and zstd are read as they are)");
}

TEST(PackedCapture, a_zstd_window_beyond_the_limit_is_refused_with_the_way_out) {
  const auto frame_of_window = [](unsigned log) {
    const std::string text = capture(1, 9);
    std::string frame = "\x28\xb5\x2f\xfd";
    frame += std::string(1, '\0') + static_cast<char>((log - 10) << 3);
    const std::uint32_t block =
        static_cast<std::uint32_t>(text.size()) << 3 | 1;  // stored, the last
    for (int shift = 0; shift < 24; shift += 8) frame += static_cast<char>(block >> shift & 0xff);
    return frame + text;
  };
  EXPECT_EQ(read_packed(frame_of_window(27)).frames.size(), 1U);
  EXPECT_THAT(read_packed(frame_of_window(28)).refused,
              AllOf(HasSubstr("needs a window of more than 128 MiB"),
                    HasSubstr("unpack it first (zstd -d --long=31)")));
}

// ---------------------------------------------------------------------------------------- pieces

TEST(PackedCapture, the_pieces_in_which_it_is_read_change_nothing) {
  const std::string plain = capture(6, 700) + std::string(3000, 'z');
  for (const auto& [name, pack] : kFormats) {
    std::string checksum = pack(plain);
    checksum[checksum.size() - (pack == gzip ? 8 : 4)] ^= 1;
    const std::string whole = pack(plain) + pack("") + pack("more");
    for (const std::string& packed :
         {whole, checksum, whole + "junk", whole.substr(0, whole.size() / 2)}) {
      const Unpacked expected = unpack(packed, name, packed.size(), 1 << 20);
      for (const std::size_t in : {1, 2, 3, 7, 1000}) {
        for (const std::size_t out : {1, 2, 5, 1000, 100'000}) {
          const Unpacked r = unpack(packed, name, in, out);
          EXPECT_TRUE(r.text == expected.text)
              << name << ' ' << in << ' ' << out << ": " << r.text.size() << " bytes, "
              << expected.text.size() << " expected";
          EXPECT_EQ(r.error.empty(), expected.error.empty()) << r.error << expected.error;
        }
      }
    }
    EXPECT_TRUE(unpack(whole, name, 1, 1) == (Unpacked{plain + "more", ""}));
  }
}

TEST(PackedCapture, a_file_that_cannot_be_read_says_why) {
  class Failing final : public ingest::ByteSource {
   public:
    std::size_t read_at(std::uint64_t, std::span<std::uint8_t>) override {
      error_ = "Input/output error";
      return 0;
    }
  };
  UnpackedSource source(std::make_unique<Failing>(), ingest::gzip_unpacker());
  std::uint8_t byte = 0;
  EXPECT_EQ(source.read_at(0, {&byte, 1}), 0U);
  EXPECT_EQ(source.error(), "Input/output error");
}

}  // namespace
}  // namespace wirelag
