#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <wirelag/dispatch/dispatcher.hpp>

#include "frames.hpp"

namespace wirelag {
namespace {

using test::arp_frame;
using test::frame_of;
using test::ipv4_in_ethernet;
using test::Udp;
using test::udp_datagram;
using test::udp_frame;

struct Received {
  Frame frame;  // its view is dead, `bytes` has the content
  std::string bytes;
};

/// Rings, a dispatcher and the workers' ends.
class Fan {
 public:
  explicit Fan(std::size_t workers, std::size_t ring_bytes = 1 << 20,
               WhenFull policy = WhenFull::drop) {
    std::vector<SpscRing*> pointers;
    for (std::size_t i = 0; i < workers; ++i) {
      pointers.push_back(rings_.emplace_back(std::make_unique<SpscRing>(ring_bytes)).get());
    }
    dispatcher_ = std::make_unique<Dispatcher>(DecodeLimits{}, pointers, policy);
    for (SpscRing* ring : pointers) readers_.emplace_back(*ring, dispatcher_->closed());
  }

  Dispatcher& dispatcher() { return *dispatcher_; }
  FrameReader& reader(std::size_t worker) { return readers_[worker]; }

  void dispatch(std::string_view bytes, FrameNumber number) {
    const Frame frame = frame_of(bytes, number);
    dispatcher_->dispatch({&frame, 1});
  }

  std::vector<Received> receive(std::size_t worker) {
    std::vector<Received> received;
    Frame batch[8];
    while (const std::size_t n = readers_[worker].read(batch)) {
      for (const Frame& f : std::span(batch).first(n)) {
        received.push_back({f, std::string(as_text(f.bytes))});
      }
      readers_[worker].release();
    }
    return received;
  }

 private:
  std::vector<std::unique_ptr<SpscRing>> rings_;
  std::unique_ptr<Dispatcher> dispatcher_;
  std::deque<FrameReader> readers_;
};

TEST(Dispatcher, hands_a_frame_on_whole_and_marks_it) {
  Fan fan(1);
  const std::string bytes = udp_frame({});
  Frame frame = frame_of(bytes, 42);
  frame.rss_hash = 0xabcd;
  frame.wire_length = 9000;
  fan.dispatcher().dispatch({&frame, 1});

  const std::vector<Received> got = fan.receive(0);
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0].bytes, bytes);
  EXPECT_EQ(got[0].frame.number, 42U);
  EXPECT_EQ(got[0].frame.time_ns, frame.time_ns);
  EXPECT_EQ(got[0].frame.wire_length, 9000U);
  EXPECT_EQ(got[0].frame.rss_hash, 0xabcdU);
  EXPECT_EQ(got[0].frame.port, 3);
  EXPECT_EQ(got[0].frame.link, LinkType::ethernet);
  EXPECT_TRUE(got[0].frame.dispatched);
  EXPECT_EQ(fan.dispatcher().accounting().received, 0U) << "the worker counts it";
}

TEST(Dispatcher, both_directions_of_a_flow_go_to_one_worker_and_all_workers_get_some) {
  Fan fan(4);
  for (std::uint16_t flow = 0; flow < 400; ++flow) {
    const auto port = static_cast<std::uint16_t>(30'000 + flow);
    fan.dispatch(udp_frame({1, 2, port, 443, "there"}), 2U * flow + 1);
    fan.dispatch(udp_frame({2, 1, 443, port, "back"}), 2U * flow + 2);
  }
  std::map<FrameNumber, std::size_t> worker_of;
  for (std::size_t worker = 0; worker < 4; ++worker) {
    const std::vector<Received> got = fan.receive(worker);
    EXPECT_GT(got.size(), 100U) << "worker " << worker << " of 800 frames";
    for (const Received& r : got) worker_of[r.frame.number] = worker;
  }
  ASSERT_EQ(worker_of.size(), 800U);
  for (FrameNumber there = 1; there < 800; there += 2) {
    EXPECT_EQ(worker_of[there], worker_of[there + 1]) << there;
  }
}

TEST(Dispatcher, any_number_of_workers_gets_the_same_frames_in_order_per_flow) {
  std::map<FrameNumber, std::string> expected;
  for (const std::size_t workers : {1, 2, 3, 4, 7}) {
    Fan fan(workers);
    for (FrameNumber n = 1; n <= 300; ++n) {
      fan.dispatch(udp_frame({n % 13, 99, static_cast<std::uint16_t>(n % 5), 53, "q"}), n);
      if (n % 10 == 0) fan.dispatch(arp_frame(), 1000 + n);
    }
    std::map<FrameNumber, std::string> got;
    for (std::size_t worker = 0; worker < workers; ++worker) {
      FrameNumber last = 0;
      for (const Received& r : fan.receive(worker)) {
        EXPECT_GT(r.frame.number, last);
        last = r.frame.number;
        got[r.frame.number] = r.bytes;
      }
    }
    EXPECT_EQ(got.size(), 300U);
    if (expected.empty()) expected = got;
    EXPECT_EQ(got, expected) << workers << " workers";
    EXPECT_EQ(fan.dispatcher().accounting().of(NotAnalysed::arp), 30U);
  }
}

TEST(Dispatcher, keeps_the_books_of_frames_that_end_here) {
  Fan fan(2);
  const std::string whole = udp_frame({});
  fan.dispatch(arp_frame(), 1);
  fan.dispatch(std::string_view(whole).substr(0, 20), 2);
  fan.dispatch("", 3);
  fan.dispatch(whole, 4);

  const Accounting& books = fan.dispatcher().accounting();
  EXPECT_EQ(books.received, 3U);
  EXPECT_EQ(books.of(NotAnalysed::arp), 1U);
  EXPECT_EQ(books.of(NotAnalysed::ip_truncated), 1U);
  EXPECT_EQ(books.of(NotAnalysed::link_truncated), 1U);
  EXPECT_TRUE(books.balanced());
  EXPECT_EQ(fan.receive(0).size() + fan.receive(1).size(), 1U);
}

// A datagram of 40 bytes in three fragments, in all six orders: one datagram reaches one worker,
// the same one that the unfragmented datagram reaches.
TEST(Dispatcher, a_fragmented_datagram_goes_on_as_one_in_whatever_order_it_came) {
  const Udp udp{5, 6, 1234, 9, "0123456789abcdef0123456789ABCDEF"};
  const std::string datagram = udp_datagram(udp);
  ASSERT_EQ(datagram.size(), 40U);
  const std::vector<std::string> parts = {
      ipv4_in_ethernet(udp, std::string_view(datagram).substr(0, 16), 77, 0, true),
      ipv4_in_ethernet(udp, std::string_view(datagram).substr(16, 16), 77, 16, true),
      ipv4_in_ethernet(udp, std::string_view(datagram).substr(32), 77, 32, false),
  };
  std::vector<std::size_t> order = {0, 1, 2};
  do {
    Fan fan(4);
    fan.dispatch(udp_frame(udp), 1);
    fan.dispatch(parts[order[0]], 2);
    fan.dispatch(parts[order[1]], 3);
    EXPECT_EQ(fan.dispatcher().accounting().of(NotAnalysed::fragment_incomplete), 2U);
    fan.dispatch(parts[order[2]], 4);

    const Accounting& books = fan.dispatcher().accounting();
    EXPECT_EQ(books.of(NotAnalysed::fragment_incomplete), 0U);
    EXPECT_EQ(books.analysed, 2U) << "the third one is the worker's to count";
    EXPECT_TRUE(books.balanced());

    std::size_t workers_with_frames = 0;
    for (std::size_t worker = 0; worker < 4; ++worker) {
      const std::vector<Received> got = fan.receive(worker);
      if (got.empty()) continue;
      ++workers_with_frames;
      ASSERT_EQ(got.size(), 2U);
      EXPECT_EQ(got[1].frame.link, LinkType::raw_ip);
      EXPECT_EQ(got[1].frame.number, 4U);
      EXPECT_TRUE(got[1].frame.dispatched);
      EXPECT_EQ(got[1].bytes.size(), 60U);
      EXPECT_EQ(got[1].bytes.substr(20), datagram);
    }
    EXPECT_EQ(workers_with_frames, 1U);
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST(Dispatcher, live_frames_beyond_a_full_ring_are_dropped_by_name) {
  Fan fan(1, 4096, WhenFull::drop);
  const std::string frame = udp_frame({});
  for (FrameNumber n = 1; n <= 1000; ++n) fan.dispatch(frame, n);
  const std::size_t passed = fan.receive(0).size();
  const Accounting& books = fan.dispatcher().accounting();
  EXPECT_GT(passed, 10U);
  EXPECT_EQ(passed + books.of(NotAnalysed::ring_full), 1000U);
  EXPECT_EQ(books.received, books.of(NotAnalysed::ring_full));
  EXPECT_TRUE(books.balanced());
}

TEST(Dispatcher, a_frame_larger_than_a_record_goes_on_cut) {
  Fan fan(1, 4096);
  const std::string payload(3000, 'p');
  const std::string bytes = udp_frame({.payload = payload});
  fan.dispatch(bytes, 1);
  const std::vector<Received> got = fan.receive(0);
  ASSERT_EQ(got.size(), 1U);
  EXPECT_LT(got[0].bytes.size(), 2048U);
  EXPECT_EQ(got[0].bytes, bytes.substr(0, got[0].bytes.size()));
  EXPECT_EQ(got[0].frame.wire_length, bytes.size());
  EXPECT_EQ(fan.dispatcher().counters().of(Counter::snaplen_cut), 1U);
}

TEST(Dispatcher, a_reader_finishes_only_when_closed_and_empty) {
  Fan fan(1);
  EXPECT_FALSE(fan.reader(0).finished());
  fan.dispatch(udp_frame({}), 1);
  fan.dispatcher().close();
  EXPECT_FALSE(fan.reader(0).finished());
  EXPECT_EQ(fan.receive(0).size(), 1U);
  EXPECT_TRUE(fan.reader(0).finished());
}

TEST(Dispatcher, replay_waits_for_slow_workers_and_loses_nothing) {
  constexpr FrameNumber kFrames = 50'000;
  constexpr std::size_t kWorkers = 3;
  Fan fan(kWorkers, 4096, WhenFull::wait);
  std::vector<std::vector<FrameNumber>> seen(kWorkers);
  std::vector<std::thread> workers;
  for (std::size_t w = 0; w < kWorkers; ++w) {
    workers.emplace_back([&fan, &mine = seen[w], w] {
      Frame batch[32];
      FrameReader& reader = fan.reader(w);
      while (!reader.finished()) {
        const std::size_t n = reader.read(batch);
        for (const Frame& f : std::span(batch).first(n)) mine.push_back(f.number);
        reader.release();
        if (n == 0) std::this_thread::yield();
      }
    });
  }
  for (FrameNumber n = 1; n <= kFrames; ++n) {
    fan.dispatch(udp_frame({n % 97, 1, static_cast<std::uint16_t>(n % 31), 53, "query"}), n);
  }
  fan.dispatcher().close();
  for (std::thread& w : workers) w.join();

  std::vector<FrameNumber> all;
  for (const auto& mine : seen) {
    EXPECT_TRUE(std::is_sorted(mine.begin(), mine.end()));
    all.insert(all.end(), mine.begin(), mine.end());
  }
  std::sort(all.begin(), all.end());
  ASSERT_EQ(all.size(), kFrames);
  for (FrameNumber n = 1; n <= kFrames; ++n) ASSERT_EQ(all[n - 1], n);
  EXPECT_EQ(fan.dispatcher().accounting().received, 0U);
}

}  // namespace
}  // namespace wirelag
