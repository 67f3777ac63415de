// Needs EAL, but neither root nor hugepages nor a NIC. EAL starts once per process, so once for all
// tests here.
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <wirelag/ingest/dpdk/device_clock.hpp>
#include <wirelag/ingest/dpdk/dpdk_capture.hpp>
#include <wirelag/ingest/dpdk/eal.hpp>

#include "capture_bytes.hpp"
#include "support/packing.hpp"

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
using testing::HasSubstr;

constexpr std::size_t kLcores = 4;

class EalEnvironment : public testing::Environment {
 public:
  void SetUp() override {
    Result<Eal> started = Eal::start(desk_eal_arguments(kLcores, 64));
    ASSERT_TRUE(started.ok()) << started.error();
    eal = std::make_unique<Eal>(std::move(*started));
  }
  void TearDown() override { eal.reset(); }

  static inline std::unique_ptr<Eal> eal;
};

[[maybe_unused]] const auto* const kEnvironment =
    testing::AddGlobalTestEnvironment(new EalEnvironment);

// ------------------------------------------------------------------------------------------- EAL

TEST(EalCores, run_work_beside_the_main_thread_even_on_fewer_cores) {
  Eal& eal = *EalEnvironment::eal;
  ASSERT_EQ(eal.worker_lcores().size(), kLcores - 1);
  std::atomic<unsigned> running{0};
  for (const unsigned lcore : eal.worker_lcores()) {
    // Each waits for all others: they must really run side by side.
    const Status launched = eal.launch(lcore, [&running] {
      ++running;
      while (running.load() < kLcores - 1) std::this_thread::yield();
    });
    ASSERT_TRUE(launched.ok()) << launched.error();
  }
  eal.wait();
  EXPECT_EQ(running.load(), kLcores - 1);
}

TEST(EalCores, a_busy_or_unknown_lcore_is_refused_by_number) {
  Eal& eal = *EalEnvironment::eal;
  const unsigned lcore = eal.worker_lcores().front();
  std::atomic<bool> go{false};
  ASSERT_TRUE(eal.launch(lcore,
                         [&go] {
                           while (!go) std::this_thread::yield();
                         })
                  .ok());
  const Status again = eal.launch(lcore, [] {});
  go = true;
  eal.wait();
  ASSERT_FALSE(again.ok());
  EXPECT_THAT(again.error(), HasSubstr("lcore 1 is already running"));

  const Status unknown = eal.launch(99, [] {});
  ASSERT_FALSE(unknown.ok());
  EXPECT_THAT(unknown.error(), HasSubstr("lcore 99 is not a worker"));
}

// -------------------------------------------------------------------------------------- net_pcap

struct Seen {
  FrameNumber number;
  TimeNs time_us;
  std::string bytes;
  std::uint32_t wire_length;
  LinkType link;
  bool operator==(const Seen&) const = default;
};

template <class Source>
std::vector<Seen> read_all(Source& source) {
  std::vector<Seen> seen;
  std::vector<Frame> frames(32);
  while (const std::size_t n = source.read(frames)) {
    for (const Frame& f : std::span(frames).first(n)) {
      seen.push_back({f.number, f.time_ns / kMicrosecondNs, std::string(as_text(f.bytes)),
                      f.wire_length, f.link});
    }
  }
  return seen;
}

/// GIVEN a capture file, WHEN it is read through net_pcap, THEN it gives what CaptureFile gives.
void expect_same_through_net_pcap(const std::string& content, const std::string& file_name) {
  const TemporaryFile on_disk(content, file_name);
  Result<CaptureFile> file = CaptureFile::open(on_disk.path());
  ASSERT_TRUE(file.ok()) << file.error();
  const std::vector<Seen> expected = read_all(*file);

  Result<DpdkCapture> through = DpdkCapture::open(on_disk.path());
  ASSERT_TRUE(through.ok()) << through.error();
  EXPECT_EQ(through->port().driver, "net_pcap");
  EXPECT_EQ(through->port().queues, 1);
  const std::vector<Seen> got = read_all(*through);
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_TRUE(got[i] == expected[i]) << i;
  EXPECT_EQ(through->cut_short(), file->cut_short());
}

std::string many_records(std::size_t frames, std::size_t longest) {
  std::string content;
  for (std::size_t i = 0; i < frames; ++i) {
    const std::size_t n = 14 + i * 7919 % (longest - 14);
    content += pcap_record(1'700'000'000, static_cast<std::uint32_t>(i),
                           std::string(n, static_cast<char>(i)), static_cast<std::uint32_t>(n));
  }
  return content;
}

TEST(DpdkCapture, gives_the_frames_of_a_pcap) {
  expect_same_through_net_pcap(pcap_header(kMicro, 1) + many_records(100, 1514), "micro.pcap");
}

TEST(DpdkCapture, keeps_microseconds_of_nanoseconds) {
  expect_same_through_net_pcap(
      pcap_header(kNano, 1) + pcap_record(1'700'000'000, 123'456'789, "0123456789abcd", 14),
      "nano.pcap");
}

TEST(DpdkCapture, knows_the_link_type_and_the_length_on_the_wire) {
  expect_same_through_net_pcap(
      pcap_header(kMicro, 113) + pcap_record(1, 2, "cooked frame, cut", 1500), "cooked.pcap");
}

TEST(DpdkCapture, takes_pcapng) {
  expect_same_through_net_pcap(pcapng_section() + pcapng_interface(276, 9) +
                                   pcapng_frame(0, 1'700'000'000'123'456'789, "cooked v2 ok"),
                               "file.pcapng");
}

TEST(DpdkCapture, puts_frames_of_64_KiB_together) {
  expect_same_through_net_pcap(pcap_header(kMicro, 1, false, 262'144) + many_records(200, 65'549),
                               "large.pcap");
}

TEST(DpdkCapture, takes_any_path) {
  expect_same_through_net_pcap(pcap_header(kMicro, 1) + many_records(3, 100), "a,b=c [d].pcap");
}

TEST(DpdkCapture, an_empty_capture_is_one) {
  expect_same_through_net_pcap(pcap_header(kMicro, 1), "empty.pcap");
}

TEST(DpdkCapture, a_capture_that_is_cut_gives_the_frames_before_the_cut_and_says_so) {
  const std::string whole = pcap_header(kMicro, 1) + many_records(50, 200);
  expect_same_through_net_pcap(whole.substr(0, whole.size() - 1), "cut.pcap");
}

TEST(DpdkCapture, says_where_the_driver_stops_before_the_end_of_the_file) {
  const TemporaryFile on_disk(pcapng_section() + pcapng_interface(1, 9) +
                                  pcapng_frame(0, 1000, "ethernet") + pcapng_interface(113, 9) +
                                  pcapng_frame(1, 2000, "cooked v1 ok"),
                              "mixed.pcapng");
  Result<DpdkCapture> through = DpdkCapture::open(on_disk.path());
  ASSERT_TRUE(through.ok()) << through.error();
  EXPECT_EQ(read_all(*through).size(), 1U);
  EXPECT_EQ(through->cut_short(), "net_pcap does not read on after frame 1");
  Frame frame;
  EXPECT_EQ(through->read({&frame, 1}), 0U) << "the end is the end";
}

TEST(DpdkCapture, refuses_bad_files_with_the_sentences_of_CaptureFile) {
  const TemporaryFile text("not a capture file at all, only a sentence", "text.pcap");
  for (const std::string& path : {std::string("/nowhere/x.pcap"), text.path()}) {
    const Result<CaptureFile> file = CaptureFile::open(path);
    const Result<DpdkCapture> through = DpdkCapture::open(path);
    ASSERT_FALSE(through.ok());
    EXPECT_EQ(through.error(), file.error());
  }
}

TEST(DpdkCapture, refuses_a_compressed_file_which_the_driver_cannot_read) {
  const TemporaryFile packed(test::gzip(pcap_header(kMicro, 1)), "packed.pcap.gz");
  EXPECT_TRUE(CaptureFile::open(packed.path()).ok());
  const Result<DpdkCapture> through = DpdkCapture::open(packed.path());
  ASSERT_FALSE(through.ok());
  EXPECT_THAT(through.error(),
              testing::HasSubstr("is compressed with gzip, which net_pcap does not "
                                 "read: unpack it first, or replay it without"));
}

// ---------------------------------------------------------------------------------------- ports

TEST(DpdkPort, a_port_that_does_not_exist_is_named) {
  const Result<Port> number = Port::open({.device = "7"});
  ASSERT_FALSE(number.ok());
  EXPECT_THAT(number.error(), HasSubstr("there is no port 7"));

  const Result<Port> no_interface = Port::open({.device = "net_af_packet9,iface=nosuchif"});
  ASSERT_FALSE(no_interface.ok());
  EXPECT_THAT(no_interface.error(),
              HasSubstr("port 'net_af_packet9,iface=nosuchif' cannot be opened: "));
}

// ---------------------------------------------------------------------------------------- clock

TEST(DeviceClock, measures_its_tick_over_an_ever_longer_baseline) {
  constexpr TimeNs kEpoch = 1'700'000'000 * kSecondNs;
  DeviceClock clock(1'000, kEpoch, 0, 1.0);
  clock.calibrate(1'000 + 12'500'000, 100 * kMillisecondNs + 900);  // 125 MHz, read 0.9 us late
  EXPECT_NEAR(static_cast<double>(clock.time_ns(1'000 + 1'250'000'000) - kEpoch), 1e10, 1e5);
  clock.calibrate(1'000 + 125'000'000'000, 1'000 * kSecondNs + 900);
  EXPECT_NEAR(static_cast<double>(clock.time_ns(1'000 + 1'250'000'000) - kEpoch), 1e10, 10);
  EXPECT_NEAR(clock.ns_per_tick(), 8.0, 1e-6);
}

TEST(DeviceClock, a_reading_that_goes_backwards_changes_nothing) {
  DeviceClock clock(1'000, 5, 0, 8.0);
  clock.calibrate(900, 10);
  clock.calibrate(2'000, -10);
  EXPECT_EQ(clock.ns_per_tick(), 8.0);
  EXPECT_EQ(clock.time_ns(1'000), 5);
  EXPECT_EQ(clock.time_ns(999), 5 - 8) << "a frame stamped just before the first calibration";
}

}  // namespace
}  // namespace wirelag
